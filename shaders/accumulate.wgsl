// y = value, and y += x: the tape's own arithmetic. Four elements a thread; the last vec4 may reach into the slack behind the
// tensor only where the tensor is alone in its buffer, so the tail is written element by element.

struct Params {
	n: u32,
	value: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let first = 4u * (id.x + id.y * groups.x * 64u);
	for (var i = first; i < min(first + 4u, params.n); i++) {
		y[i] = params.value;
	}
}

@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let first = 4u * (id.x + id.y * groups.x * 64u);
	for (var i = first; i < min(first + 4u, params.n); i++) {
		y[i] += x[i];
	}
}
