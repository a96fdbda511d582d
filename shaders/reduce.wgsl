// One pass of a sum (or the largest, for OP 1) along the middle of O x R x C -> O x P x C, and a column sum's transpose. Thread t of the T = P * C of a
// matrix adds its elements t, t + T, t + 2T, ...: all of one column, read together with its neighbours'; always in the same order.

override OP: u32 = 0u;

struct Params {
	n: u32,       // sum: elements of a matrix of x; spread: of y
	threads: u32, // sum: T, elements of a matrix of y; spread: elements of x
	outer: u32,   // sum: O, matrices
	factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// import thread

// NaN is the largest of all; it is known by its bits, for compilers may take v != v for false.
fn larger(p: f32, q: f32) -> f32 {
	return select(select(q, p, p >= q), p, (bitcast<u32>(p) & 0x7fffffffu) > 0x7f800000u);
}

fn larger4(p: vec4f, q: vec4f) -> vec4f {
	return select(select(q, p, p >= q), p, (bitcast<vec4u>(p) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u));
}

@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.threads * params.outer) { return; }
	let matrix = t / params.threads;
	let end = (matrix + 1u) * params.n;
	let first = matrix * params.n + t % params.threads;
	var total = 0.0;
	if (OP == 1u) {
		total = x[first];
		for (var i = first; i < end; i += params.threads) { total = larger(total, x[i]); }
	} else {
		for (var i = first; i < end; i += params.threads) { total += x[i]; }
	}
	y[t] = total * params.factor;
}

// The same where C is a multiple of 4: n and threads count vec4s.
@compute @workgroup_size(64)
fn sum4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.threads * params.outer) { return; }
	let matrix = t / params.threads;
	let end = (matrix + 1u) * params.n;
	let first = matrix * params.n + t % params.threads;
	var total = vec4f();
	if (OP == 1u) {
		total = x4[first];
		for (var i = first; i < end; i += params.threads) { total = larger4(total, x4[i]); }
	} else {
		for (var i = first; i < end; i += params.threads) { total += x4[i]; }
	}
	y4[t] = total * params.factor;
}

// y = factor * x, repeated.
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let first = 4u * threadOf(id, groups);
	for (var i = first; i < min(first + 4u, params.n); i++) {
		y[i] = params.factor * x[i % params.threads];
	}
}
