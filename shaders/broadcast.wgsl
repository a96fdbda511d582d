// Functions of two and three tensors of different shapes: what has size 1 along a dimension, or lacks it, is repeated there (torch's broadcasting). Neighbouring
// dimensions that are repeated alike are one, so that four are left. Four elements a thread.

override OP: u32 = 0u;   // the index of the op's name in ZIP or CHOOSE of src/engine/ops/broadcast.ts
override WIDE: u32 = 0u; // 1 where the last dimension is a multiple of 4: a thread's elements lie in one row

struct Params {
	n: u32,       // elements of y
	factor: f32,
	shape: vec4u, // of y, 1 where there are fewer dimensions
	sa: vec4u,    // strides of a, 0 along what is repeated
	sb: vec4u,
	sc: vec4u,
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read> c: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// import thread

fn offset(i: u32, strides: vec4u) -> u32 {
	let s = params.shape;
	let row = i / s.w;
	let plane = row / s.z;
	return (i % s.w) * strides.w + (row % s.z) * strides.z + (plane % s.y) * strides.y + (plane / s.y) * strides.x;
}

// Where the elements 4 i to 4 i + 3 of y lie in an operand.
fn offsets(i: u32, strides: vec4u) -> vec4u {
	let first = offset(4u * i, strides);
	if (WIDE == 1u) { return first + vec4u(0u, 1u, 2u, 3u) * strides.w; }
	return vec4u(first, offset(4u * i + 1u, strides), offset(4u * i + 2u, strides), offset(4u * i + 3u, strides));
}

fn ofA(i: u32) -> vec4f {
	let at = offsets(i, params.sa);
	if (WIDE == 1u) {
		let v = a[at.x / 4u];
		if (params.sa.w == 1u) { return v; }
		return vec4f(v[at.x % 4u]);
	}
	return vec4f(a[at.x / 4u][at.x % 4u], a[at.y / 4u][at.y % 4u], a[at.z / 4u][at.z % 4u], a[at.w / 4u][at.w % 4u]);
}

fn ofB(i: u32) -> vec4f {
	let at = offsets(i, params.sb);
	if (WIDE == 1u) {
		let v = b[at.x / 4u];
		if (params.sb.w == 1u) { return v; }
		return vec4f(v[at.x % 4u]);
	}
	return vec4f(b[at.x / 4u][at.x % 4u], b[at.y / 4u][at.y % 4u], b[at.z / 4u][at.z % 4u], b[at.w / 4u][at.w % 4u]);
}

fn ofC(i: u32) -> vec4f {
	let at = offsets(i, params.sc);
	if (WIDE == 1u) {
		let v = c[at.x / 4u];
		if (params.sc.w == 1u) { return v; }
		return vec4f(v[at.x % 4u]);
	}
	return vec4f(c[at.x / 4u][at.x % 4u], c[at.y / 4u][at.y % 4u], c[at.z / 4u][at.z % 4u], c[at.w / 4u][at.w % 4u]);
}

// By the bits: compilers may take v != v for false.
fn isNan(v: vec4f) -> vec4<bool> {
	return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

fn truth(t: vec4<bool>) -> vec4f { return select(vec4f(0.0), vec4f(1.0), t); }

// The pad behind the last element is written as zeros: in a packed gradient buffer it must stay so.
fn store(i: u32, value: vec4f) {
	y[i] = select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn zip(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let p = ofA(i);
	let q = ofB(i);
	var r = p + q;
	switch OP {
		case 1u: { r = p - q; }
		case 2u: { r = p * q; }
		case 3u: { r = p / q; }
		case 4u: { r = select(select(q, p, p >= q), p, isNan(p)); }
		case 5u: { r = select(select(q, p, p <= q), p, isNan(p)); }
		case 6u: { r = truth(p > q); }
		case 7u: { r = truth(p < q); }
		case 8u: { r = truth(p >= q); }
		case 9u: { r = truth(p <= q); }
		case 10u: { r = truth((p == q) & !isNan(p) & !isNan(q)); }
		case 11u: { r = select(p, vec4f(0.0), q == vec4f(0.0)); }
		case 12u: { r = select(vec4f(0.0), p, q == vec4f(0.0)); }
		default: {}
	}
	store(i, r);
}

// Of where(), and what maximum() and minimum() (p is dy; equal values share it) and p / q (s is dy) hand on.
@compute @workgroup_size(64)
fn choose(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let p = ofA(i);
	let q = ofB(i);
	let s = ofC(i);
	var r = select(q, s, p == vec4f(0.0));
	switch OP {
		case 1u: { r = select(select(p, 0.5 * p, q == s), vec4f(0.0), q < s); }
		case 2u: { r = select(select(p, 0.5 * p, q == s), vec4f(0.0), q > s); }
		case 3u: { r = -(p / q) * (s / q); }
		default: {}
	}
	store(i, r);
}

// y = factor * a, repeated.
@compute @workgroup_size(64)
fn expand(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	store(i, params.factor * ofA(i));
}
