// Rows of a table by their numbers, and the gradient to the table: a thread has four neighbours of a row and looks through all numbers, always in the same order, so
// that no two threads add to one place.

struct Params {
	n: u32,       // forward: elements of y; backward: threads
	rows: u32,    // of the table
	columns: u32,
	count: u32,   // numbers
}

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> numbers: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// import thread

// What no compiler knows to be NaN.
fn nothing() -> f32 { return bitcast<f32>(0x7fc00000u | params.n); }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	let k = i / params.columns;
	let number = numbers[k / 4u][k % 4u];
	let row = u32(clamp(number, 0.0, f32(params.rows - 1u)));
	let value = table[row * params.columns + i % params.columns];
	y[i] = select(nothing(), value, f32(row) == number);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	let quads = (params.columns + 3u) / 4u;
	let row = i / quads;
	let first = 4u * (i % quads);
	var total = vec4f();
	for (var k = 0u; k < params.count; k += 4u) {
		let hits = numbers[k / 4u] == vec4f(f32(row));
		if (!any(hits)) { continue; }
		for (var h = 0u; h < min(4u, params.count - k); h++) {
			if (!hits[h]) { continue; }
			let at = (k + h) * params.columns + first;
			total += vec4f(dy[at], dy[at + 1u], dy[at + 2u], dy[at + 3u]);
		}
	}
	for (var c = 0u; c < min(4u, params.columns - first); c++) {
		y[row * params.columns + first + c] = total[c];
	}
}
