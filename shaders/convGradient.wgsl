// What surrounds the convolutions: the gradients of activation and bias in one pass, and the sum over the slices of a weight gradient.

// import thread

struct Params {
	rows: u32,
	columns: u32,
	slices: u32,
	slope: f32,
}

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dz: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;
@group(0) @binding(4) var<storage, read_write> total: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial4: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> total4: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

// Thread (slice, column) sums its slice of the rows.
@compute @workgroup_size(64)
fn biasGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = threadOf(id, groups);
	if (index >= params.slices * params.columns) {
		return;
	}
	let each = (params.rows + params.slices - 1) / params.slices;
	let slice = index / params.columns;
	var sum = 0.0;
	for (var row = slice * each; row < min(slice * each + each, params.rows); row++) {
		sum += dy[row * params.columns + index % params.columns];
	}
	partial[index] = sum;
}

// The same, and dz = dy * activation'(z), by the sign of y.
@compute @workgroup_size(64)
fn activationGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = threadOf(id, groups);
	if (index >= params.slices * params.columns) {
		return;
	}
	let each = (params.rows + params.slices - 1) / params.slices;
	let slice = index / params.columns;
	var sum = 0.0;
	for (var row = slice * each; row < min(slice * each + each, params.rows); row++) {
		let at = row * params.columns + index % params.columns;
		let cut = params.slope == 0 && y[at] <= 0; // 0 even where dy is infinite, as of relu()
		let value = select(dy[at] * select(params.slope, 1.0, y[at] > 0), 0, cut);
		dz[at] = value;
		sum += value;
	}
	partial[index] = sum;
}

// total[column] = sum over slices of partial[slice, column], in their order.
@compute @workgroup_size(64)
fn sumSlices(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let column = threadOf(id, groups);
	if (column >= params.columns) {
		return;
	}
	var sum = 0.0;
	for (var slice = 0u; slice < params.slices; slice++) {
		sum += partial[slice * params.columns + column];
	}
	total[column] = sum;
}

// The same by fours; columns are counted in vectors.
@compute @workgroup_size(64)
fn sumSlicesVector(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let column = threadOf(id, groups);
	if (column >= params.columns) {
		return;
	}
	var sum = vec4f();
	for (var slice = 0u; slice < params.slices; slice++) {
		sum += partial4[slice * params.columns + column];
	}
	total4[column] = sum;
}
