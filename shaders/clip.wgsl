// Gradients, scaled down in place where their norm is too large.

// import clipping
// import thread

struct Params {
	n: u32,    // vec4s
	clip: f32, // largest norm
}

@group(0) @binding(0) var<storage, read> square: array<f32>; // [1], sum of all squares
@group(0) @binding(1) var<storage, read_write> gradients: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn clip(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	gradients[i] *= clipping(sqrt(square[0]), params.clip);
}
