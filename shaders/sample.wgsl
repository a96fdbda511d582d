// Copies that move or repeat pixels. The elements are numbers, or (the entries ending in 4) vec4s where channels and offsets are multiples of
// 4; all counts are in these elements. Threads are laid out as (W C, H, B), integer divisions cost more than the copies; what exceeds a
// dispatch is done by further ones.

struct Params {
	input: vec4u,   // B H W C of x
	output: vec4u,     // B H W C of y
	offset: vec4i, // of y's first element in x; elements outside of x are 0
	first: vec3u,  // thread of this dispatch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn beyond(id: vec3u, shape: vec4u) -> bool { return id.x >= shape.z * shape.w; }

fn place(id: vec3u, shape: vec4u) -> vec4i {
	return vec4i(vec4u(id.z, id.y, id.x / shape.w, id.x % shape.w));
}

// Where a thread's element lies in memory.
fn flat(id: vec3u, shape: vec4u) -> u32 { return (id.z * shape.y + id.y) * shape.z * shape.w + id.x; }

fn index(at: vec4i, shape: vec4u) -> u32 {
	let p = vec4u(at);
	return ((p.x * shape.y + p.y) * shape.z + p.z) * shape.w + p.w;
}

// Window: where in x the thread's element of y comes from, or -1.
fn source(id: vec3u) -> i32 {
	let at = place(id, params.output) + params.offset;
	let inside = all(at >= vec4i(0)) && all(at < vec4i(params.input));
	return select(-1, i32(index(at, params.input)), inside);
}

@compute @workgroup_size(64)
fn window(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	let origin = source(id);
	y[flat(id, params.output)] = select(0.0, x[max(origin, 0)], origin >= 0);
}

@compute @workgroup_size(64)
fn window4(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	let origin = source(id);
	y4[flat(id, params.output)] = select(vec4f(0.0), x4[max(origin, 0)], origin >= 0);
}

// Paste: the opposite direction, x into its place in y; the rest of y stays.
@compute @workgroup_size(64)
fn paste(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.input)) { return; }
	y[index(place(id, params.input) - params.offset, params.output)] = x[flat(id, params.input)];
}

@compute @workgroup_size(64)
fn paste4(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.input)) { return; }
	y4[index(place(id, params.input) - params.offset, params.output)] = x4[flat(id, params.input)];
}

const HALF = vec4u(1u, 2u, 2u, 1u);

@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	y[flat(id, params.output)] = x[index(place(id, params.output) / vec4i(HALF), params.input)];
}

@compute @workgroup_size(64)
fn double4(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	y4[flat(id, params.output)] = x4[index(place(id, params.output) / vec4i(HALF), params.input)];
}

// Its transpose: each element of y is the sum of four of x.
@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	let first = index(place(id, params.output) * vec4i(HALF), params.input);
	let right = params.input.w;
	let below = params.input.z * params.input.w;
	y[flat(id, params.output)] = (x[first] + x[first + right]) + (x[first + below] + x[first + below + right]);
}

@compute @workgroup_size(64)
fn fold4(@builtin(global_invocation_id) thread: vec3u) {
	let id = thread + params.first;
	if (beyond(id, params.output)) { return; }
	let first = index(place(id, params.output) * vec4i(HALF), params.input);
	let right = params.input.w;
	let below = params.input.z * params.input.w;
	y4[flat(id, params.output)] = (x4[first] + x4[first + right]) + (x4[first + below] + x4[first + below + right]);
}
