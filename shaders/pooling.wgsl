// The largest element or the mean of windows of an image, and their gradients: each element of dx gathers what the windows around it hand on, always in the
// same order. Four elements a thread, of one pixel where the channels are a multiple of 4.

override OP: u32 = 0u;   // 0: largest, 1: mean, 2: the tap of the largest, the first of equal ones
override WIDE: u32 = 0u; // 1 where the channels are a multiple of 4

struct Params {
	n: u32,           // elements of y; backward: of dx
	channels: u32,
	input: vec2u,     // height and width of x
	output: vec2u,    // of y
	kernel: vec2u,
	stride: vec2u,
	pad: vec2u,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> taps: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// import thread

struct Places { b: vec4u, i: vec4i, j: vec4i, c: vec4u }

// Where the elements 4 t to 4 t + 3 of images of this size lie.
fn places(t: u32, size: vec2u) -> Places {
	if (WIDE == 1u) {
		let pixel = 4u * t / params.channels;
		let row = pixel / size.y;
		let c = 4u * t % params.channels + vec4u(0u, 1u, 2u, 3u);
		return Places(vec4u(row / size.x), vec4i(i32(row % size.x)), vec4i(i32(pixel % size.y)), c);
	}
	let e = 4u * t + vec4u(0u, 1u, 2u, 3u);
	let pixel = e / params.channels;
	let row = pixel / size.y;
	return Places(row / size.x, vec4i(row % size.x), vec4i(pixel % size.y), e % params.channels);
}

fn inside(i: vec4i, j: vec4i, size: vec2u) -> vec4<bool> {
	let s = vec2i(size);
	return (i >= vec4i(0)) & (j >= vec4i(0)) & (i < vec4i(s.x)) & (j < vec4i(s.y));
}

// The index of the elements; of those outside some other one.
fn index(p: Places, i: vec4i, j: vec4i, size: vec2u, within: vec4<bool>) -> vec4u {
	let at = ((p.b * size.x + vec4u(i)) * size.y + vec4u(j)) * params.channels + p.c;
	return select(vec4u(0u), at, within);
}

fn ofX(at: vec4u) -> vec4f {
	if (WIDE == 1u) { return x[at.x / 4u]; }
	return vec4f(x[at.x / 4u][at.x % 4u], x[at.y / 4u][at.y % 4u], x[at.z / 4u][at.z % 4u], x[at.w / 4u][at.w % 4u]);
}

fn ofTaps(at: vec4u) -> vec4f {
	if (WIDE == 1u) { return taps[at.x / 4u]; }
	return vec4f(taps[at.x / 4u][at.x % 4u], taps[at.y / 4u][at.y % 4u], taps[at.z / 4u][at.z % 4u], taps[at.w / 4u][at.w % 4u]);
}

// By the bits: compilers may take v != v for false.
fn isNan(v: vec4f) -> vec4<bool> {
	return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// The pad behind the last element is written as zeros: in a packed gradient buffer it must stay so.
fn store(t: u32, value: vec4f) {
	y[t] = select(vec4f(0.0), value, 4u * t + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (4u * t >= params.n) { return; }
	let p = places(t, params.output);
	var most = vec4f();
	var tap = vec4f();
	var seen = vec4<bool>();
	var total = vec4f();
	for (var ky = 0u; ky < params.kernel.x; ky++) {
		for (var kx = 0u; kx < params.kernel.y; kx++) {
			let i = p.i * i32(params.stride.x) + i32(ky) - i32(params.pad.x);
			let j = p.j * i32(params.stride.y) + i32(kx) - i32(params.pad.y);
			let within = inside(i, j, params.input);
			if (!any(within)) { continue; }
			let v = ofX(index(p, i, j, params.input, within));
			if (OP == 1u) {
				total += select(vec4f(0.0), v, within);
			} else {
				let better = within & (!seen | (v > most) | isNan(v));
				most = select(most, v, better);
				tap = select(tap, vec4f(f32(ky * params.kernel.y + kx)), better);
				seen = seen | within;
			}
		}
	}
	switch OP {
		case 0u: { store(t, most); }
		case 1u: { store(t, total / f32(params.kernel.x * params.kernel.y)); }
		default: { store(t, tap); }
	}
}

// Here x is dy, and y dx. The windows around an element end at the last that begins before it.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (4u * t >= params.n) { return; }
	let p = places(t, params.input);
	let s = vec2i(params.stride);
	let kernel = vec2i(params.kernel);
	let down = p.i + i32(params.pad.x);
	let right = p.j + i32(params.pad.y);
	let last = down / s.x;
	let end = right / s.y;
	let most = (kernel + s - 1) / s;
	var total = vec4f();
	for (var r = 0; r < most.x; r++) {
		for (var q = 0; q < most.y; q++) {
			let i = last - r;
			let j = end - q;
			let ky = down - i * s.x;
			let kx = right - j * s.y;
			let within = (ky < vec4i(kernel.x)) & (kx < vec4i(kernel.y)) & inside(i, j, params.output);
			if (!any(within)) { continue; }
			let at = index(p, i, j, params.output, within);
			var take = within;
			if (OP == 0u) { take = within & (ofTaps(at) == vec4f(ky * kernel.y + kx)); }
			total += select(vec4f(0.0), ofX(at), take);
		}
	}
	if (OP == 1u) { total /= f32(params.kernel.x * params.kernel.y); }
	store(t, total);
}
