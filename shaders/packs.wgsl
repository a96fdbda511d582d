// What is done with all parameters of a network at once, besides an optimiser's step: sums over them, their average over the steps.
// Packs are whole units of 64 floats.

// import thread

struct Params {
	n: u32,     // units; of average and exchange: vec4s
	first: u32, // place of the first unit's sum
	take: f32,  // weight of the newest values in the average
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// A unit's sum is one thread's, so that sums do not depend on where a pack begins.
@compute @workgroup_size(64)
fn squares(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.n) { return; }
	var sum = vec4f();
	for (var i = 16u * t; i < 16u * t + 16u; i++) {
		sum += x[i] * x[i];
	}
	partial[params.first + t] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(64)
fn nonFinite(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.n) { return; }
	var sum = vec4f();
	for (var i = 16u * t; i < 16u * t + 16u; i++) {
		// By the bits: a compiler may take it that a float is finite.
		let exponent = bitcast<vec4u>(x[i]) & vec4u(0x7f800000u);
		sum += select(vec4f(), vec4f(1.0), exponent == vec4u(0x7f800000u));
	}
	partial[params.first + t] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(64)
fn average(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	y[i] += params.take * (x[i] - y[i]);
}

@compute @workgroup_size(64)
fn exchange(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	let value = y[i];
	y[i] = z[i];
	z[i] = value;
}
