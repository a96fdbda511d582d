// One step of Adam over all parameters at once, and the first pass of their gradient's norm. Sizes are multiples of 4; what lies between two
// parameters has gradient 0 and stays 0.

struct Params {
	n: u32,       // vec4s
	threads: u32, // that share the sum
	clip: f32,    // largest norm, or 0: any
	size: f32,    // learning rate / (1 - beta1^t)
	root: f32,    // sqrt(1 - beta2^t)
	eps: f32,
	decay: f32,
	keep: vec2f,  // beta1, beta2
	take: vec2f,  // 1 - beta1, 1 - beta2
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> square: array<f32>; // [1], sum of all squares
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn squares(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.threads) { return; }
	var sum = vec4f();
	for (var i = t; i < params.n; i += params.threads) {
		sum += gradients[i] * gradients[i];
	}
	partial[t] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (i >= params.n) { return; }
	var g = gradients[i];
	if (params.clip > 0.0) {
		g *= min(1.0, params.clip / (sqrt(square[0]) + 1e-6));
	}
	g += params.decay * values[i];
	let first = params.keep.x * m[i] + params.take.x * g;
	let second = params.keep.y * v[i] + params.take.y * g * g;
	m[i] = first;
	v[i] = second;
	values[i] -= params.size * first / (sqrt(second) / params.root + params.eps);
}
