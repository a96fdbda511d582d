// Rows of a table by their numbers, and the gradient to the table: each of its elements looks through all numbers, always in the same order, so that no two threads
// add to one place.

struct Params {
	n: u32,       // forward: elements of y; backward: of the table's gradient
	rows: u32,    // of the table
	columns: u32,
	count: u32,   // numbers
}

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// What no compiler knows to be NaN.
fn nothing() -> f32 { return bitcast<f32>(0x7fc00000u | params.n); }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (i >= params.n) { return; }
	let number = numbers[i / params.columns];
	let row = u32(clamp(number, 0.0, f32(params.rows - 1u)));
	let value = table[row * params.columns + i % params.columns];
	y[i] = select(nothing(), value, f32(row) == number);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (i >= params.n) { return; }
	let row = f32(i / params.columns);
	let column = i % params.columns;
	var total = 0.0;
	for (var k = 0u; k < params.count; k++) {
		if (numbers[k] == row) { total += dy[k * params.columns + column]; }
	}
	y[i] = total;
}
