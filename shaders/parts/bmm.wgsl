// What the kernels of bmm are given, and how they read it.

struct Params {
	m: u32,
	n: u32,
	k: u32,
	batch: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>; // [B, M, K], or [B, K, M]
@group(0) @binding(1) var<storage, read> a4: array<vec4f>; // the same
@group(0) @binding(2) var<storage, read> b: array<f32>; // [B, K, N], or [B, N, K]
@group(0) @binding(3) var<storage, read> b4: array<vec4f>; // the same
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [B, M, N]
@group(0) @binding(5) var<uniform> params: Params;

override TRANSPOSE_A = false;
override TRANSPOSE_B = false;
// Rows of a, and of b, are multiples of 4.
override VECTOR_A = true;
override VECTOR_B = true;

// Columns c to c + 3 of a row of a, which has so many rows and columns; zero beyond.
fn quadA(sample: u32, row: u32, rows: u32, c: u32, columns: u32) -> vec4f {
	var v: vec4f;
	if (row < rows && c < columns) {
		let at = (sample * rows + row) * columns + c;
		if (VECTOR_A) { return a4[at / 4]; }
		for (var e = 0u; e < min(4, columns - c); e++) {
			v[e] = a[at + e];
		}
	}
	return v;
}

fn quadB(sample: u32, row: u32, rows: u32, c: u32, columns: u32) -> vec4f {
	var v: vec4f;
	if (row < rows && c < columns) {
		let at = (sample * rows + row) * columns + c;
		if (VECTOR_B) { return b4[at / 4]; }
		for (var e = 0u; e < min(4, columns - c); e++) {
			v[e] = b[at + e];
		}
	}
	return v;
}
