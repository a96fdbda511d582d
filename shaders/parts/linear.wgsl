// What the kernels of dense layers are given, and how they write it.

@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [M, K]
@group(0) @binding(1) var<storage, read> w: array<vec4f>; // [N, K]
@group(0) @binding(2) var<storage, read> dy: array<f32>; // [M, N]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [M, N]
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>; // [slices, M, K]
@group(0) @binding(5) var<storage, read_write> dw: array<vec4f>; // [N, K]
@group(0) @binding(6) var<uniform> params: Params;

const ROWS = 8u;

// Sums of eight rows, four columns each.
var<private> sums: array<mat4x4f, 2>;

fn finished() -> array<vec4f, 8> {
	return array(sums[0][0], sums[0][1], sums[0][2], sums[0][3], sums[1][0], sums[1][1], sums[1][2], sums[1][3]);
}

// import addProducts

// Rows first to first + 7 of a column of y.
fn store(first: u32, n: u32, low: vec4f, high: vec4f) {
	for (var i = 0u; i < 4; i++) {
		if (first + i < params.m) {
			y[(first + i) * params.n + n] = low[i];
		}
		if (first + 4 + i < params.m) {
			y[(first + 4 + i) * params.n + n] = high[i];
		}
	}
}

// Rows from the first on of a slice of dx, four columns.
fn storeInput(slice: u32, first: u32, k: u32, rows: array<vec4f, 8>) {
	var all = rows;
	for (var i = 0u; i < min(ROWS, params.m - first); i++) {
		dx[(slice * params.m + first + i) * params.k4 + k] = all[i];
	}
}

fn storeWeight(first: u32, k: u32, rows: array<vec4f, 8>) {
	var all = rows;
	for (var i = 0u; i < min(ROWS, params.n - first); i++) {
		dw[(first + i) * params.k4 + k] = all[i];
	}
}
