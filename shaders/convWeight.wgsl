enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Gradient to the weight on software adapters (see conv.wgsl):
//   dw[o, ky, kx, c] = sum over b, q of dy[b, q, o] * x[b, q * stride + (ky, kx) - pad, c]
// The pixels (b, q) are cut into slices, summed apart and added by convGradient.wgsl in a fixed order. A lane computes 4
// consecutive places (ky, kx, c) x 8 output channels, 4 pixels a step.

struct Params {
	size: vec2u, // height, width of x
	outSize: vec2u, // of dy
	kernel: vec2u,
	stride: vec2u,
	pad: vec2u,
	pixels: u32, // batch * height * width of dy
	channels: u32,
	outChannels: u32,
	slices: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>; // the same
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>; // the same
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES = 8u; // of a subgroup
override VECTOR = true; // channels is a multiple of 4
override VECTOR_DY = true; // outChannels is

// Sums for output channel 0 to 7.
var<private> s0: vec4f;
var<private> s1: vec4f;
var<private> s2: vec4f;
var<private> s3: vec4f;
var<private> s4: vec4f;
var<private> s5: vec4f;
var<private> s6: vec4f;
var<private> s7: vec4f;

// What is read now: image of the batch and pixel of dy.
var<private> b: u32;
var<private> q: vec2u;

struct Place {
	shift: vec2i,
	c: u32,
}

fn locate(n: u32) -> Place {
	let tap = n / params.channels;
	let ky = tap / params.kernel.y;
	return Place(vec2i(vec2u(ky, tap - ky * params.kernel.y)) - vec2i(params.pad), n - tap * params.channels);
}

// Index of a place in x; the second is 0 in the padding, and past the last image.
fn source(p: Place) -> vec2u {
	let at = vec2u(vec2i(q * params.stride) + p.shift); // a negative one becomes huge
	let inside = all(at < params.size) && b * params.outSize.x * params.outSize.y < params.pixels;
	let index = ((b * params.size.x + at.x) * params.size.y + at.y) * params.channels + p.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn quad(p: Place) -> vec4f {
	let s = source(p);
	return select(vec4f(), x4[s.x / 4], s.y != 0);
}

fn one(p: Place) -> f32 {
	let s = source(p);
	return select(0, x[s.x], s.y != 0);
}

fn advance() {
	q.y++;
	let nextRow = q.y == params.outSize.y;
	q.y = select(q.y, 0, nextRow);
	q.x += u32(nextRow);
	let nextImage = q.x == params.outSize.x;
	q.x = select(q.x, 0, nextImage);
	b += u32(nextImage);
}

// Channels first to first + 3 of a pixel of dy, 0 past the end of the slice.
fn gradient(pixel: u32, first: u32, end: u32) -> vec4f {
	let at = select(0, pixel * params.outChannels + first, pixel < end);
	if (VECTOR_DY) {
		return select(vec4f(), dy4[at / 4], pixel < end);
	}
	return select(vec4f(), vec4f(dy[at], dy[at + 1], dy[at + 2], dy[at + 3]), pixel < end);
}

fn multiply(v: vec4f, d0: vec4f, d1: vec4f) {
	s0 = fma(vec4f(d0.x), v, s0);
	s1 = fma(vec4f(d0.y), v, s1);
	s2 = fma(vec4f(d0.z), v, s2);
	s3 = fma(vec4f(d0.w), v, s3);
	s4 = fma(vec4f(d1.x), v, s4);
	s5 = fma(vec4f(d1.y), v, s5);
	s6 = fma(vec4f(d1.z), v, s6);
	s7 = fma(vec4f(d1.w), v, s7);
}

@compute @workgroup_size(64)
fn weightGradient(
	@builtin(local_invocation_index) lane: u32,
	@builtin(subgroup_invocation_id) sub: u32,
	@builtin(workgroup_id) group: vec3u,
) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let n = (group.x * 64 + lane) * 4;
	if (subgroupBroadcast(n, 0) >= columns) {
		return;
	}
	let first = group.y * 8;
	let each = (params.pixels + params.slices - 1) / params.slices;
	let begin = group.z * each;
	let end = min(begin + each, params.pixels);
	let row = begin / params.outSize.y;
	b = row / params.outSize.x;
	q = vec2u(row - b * params.outSize.x, begin - row * params.outSize.y);

	let p0 = locate(n);
	let p1 = locate(n + 1);
	let p2 = locate(n + 2);
	let p3 = locate(n + 3);
	// Lane i of the first eight loads pixel i / 2, channels i % 2 * 4 and the following, of the 4 x 8 that a step needs.
	let mine = sub % 8 / 2;
	let myFirst = first + sub % 2 * 4;
	for (var pixel = begin; pixel < end; pixel += 4) {
		var v: array<vec4f, 4>;
		if (VECTOR) {
			v[0] = quad(p0);
			advance();
			v[1] = quad(p0);
			advance();
			v[2] = quad(p0);
			advance();
			v[3] = quad(p0);
			advance();
		} else {
			v[0] = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v[1] = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v[2] = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v[3] = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
		}
		let d = gradient(pixel + mine, myFirst, end);
		multiply(v[0], subgroupBroadcast(d, 0), subgroupBroadcast(d, 1));
		multiply(v[1], subgroupBroadcast(d, 2), subgroupBroadcast(d, 3));
		if (LANES >= 8) {
			multiply(v[2], subgroupBroadcast(d, 4), subgroupBroadcast(d, 5));
			multiply(v[3], subgroupBroadcast(d, 6), subgroupBroadcast(d, 7));
		} else {
			let later = gradient(pixel + mine + 2, myFirst, end);
			multiply(v[2], subgroupBroadcast(later, 0), subgroupBroadcast(later, 1));
			multiply(v[3], subgroupBroadcast(later, 2), subgroupBroadcast(later, 3));
		}
	}
	let sums = array(s0, s1, s2, s3, s4, s5, s6, s7);
	for (var i = 0u; i < 8; i++) {
		for (var e = 0u; e < 4; e++) {
			if (first + i < params.outChannels && n + e < columns) {
				partial[(group.z * params.outChannels + first + i) * columns + n + e] = sums[i][e];
			}
		}
	}
}
