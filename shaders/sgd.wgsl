// One step of stochastic gradient descent over a range of a pack of parameters, as adam.wgsl.

// import clipping
// import thread

struct Params {
	n: u32,        // vec4s
	clip: f32,     // largest norm, or 0: any
	rate: f32,     // learning rate
	decay: f32,
	momentum: f32,
	nesterov: u32, // 0 or 1
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> square: array<f32>; // [1], sum of all squares
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> momentum: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	var g = gradients[i] * clipping(sqrt(square[0]), params.clip) + params.decay * values[i];
	if (params.momentum != 0.0) {
		let gathered = params.momentum * momentum[i] + g;
		momentum[i] = gathered;
		g = select(gathered, g + params.momentum * gathered, params.nesterov == 1u);
	}
	values[i] -= params.rate * g;
}
