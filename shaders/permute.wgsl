// y = x with its dimensions in another order, up to four of them. One element a thread.

struct Params {
	n: u32,
	shape: vec4u,   // of y, 1 where there are fewer
	strides: vec4u, // in x, of y's dimensions
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// import thread

@compute @workgroup_size(64)
fn permute(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	var rest = i;
	var source = 0u;
	for (var d = 4u; d > 0u; d--) {
		let size = params.shape[d - 1u];
		source += rest % size * params.strides[d - 1u];
		rest /= size;
	}
	y[i] = x[source];
}
