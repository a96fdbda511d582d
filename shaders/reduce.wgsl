// One pass of a column sum, R x C -> P x C, and its transpose. Thread t of T = P * C adds the elements t, t + T, t + 2T, ... of the row-major
// matrix: all of one column, read together with its neighbours'; always in the same order.

struct Params {
	n: u32,       // sum: elements of x; spread: of y
	threads: u32, // sum: T, elements of y; spread: elements of x
	factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.threads) { return; }
	var total = 0.0;
	for (var i = t; i < params.n; i += params.threads) {
		total += x[i];
	}
	y[t] = total * params.factor;
}

// The same where C is a multiple of 4: n and threads count vec4s.
@compute @workgroup_size(64)
fn sum4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.threads) { return; }
	var total = vec4f();
	for (var i = t; i < params.n; i += params.threads) {
		total += x4[i];
	}
	y4[t] = total * params.factor;
}

// y = factor * x, repeated.
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let first = 4u * (id.x + id.y * groups.x * 64u);
	for (var i = first; i < min(first + 4u, params.n); i++) {
		y[i] = params.factor * x[i % params.threads];
	}
}
