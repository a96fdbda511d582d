// y = value, y += x, y = a + b: the tape's own arithmetic. Four elements a thread. What lies behind the last element is no other
// tensor's, but in a packed gradient buffer it must stay zero, so it is written as zeros.

// import thread

struct Params {
	n: u32,
	value: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

fn store(i: u32, value: vec4f) {
	y[i] = select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i < params.n) { store(i, vec4f(params.value)); }
}

@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i < params.n) { store(i, y[i] + x[i]); }
}

@compute @workgroup_size(64)
fn plus(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i < params.n) { store(i, a[i] + b[i]); }
}
