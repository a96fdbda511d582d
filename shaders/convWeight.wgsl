enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Gradient to the weight on software adapters (see conv.wgsl):
//   dw[o, ky, kx, c] = sum over b, q of dy[b, q, o] * x[b, q * stride + (ky, kx) - pad, c]
// The pixels (b, q) are cut into slices, summed apart and added by convGradient.wgsl in a fixed order. A lane computes 4
// consecutive places (ky, kx, c) x QUADS quads of output channels, 4 pixels a step.

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
override QUADS = 4u; // of output channels in a lane: 2, 4 or 8
override VECTOR = true; // channels is a multiple of 4
override VECTOR_DY = true; // outChannels is

// Sums: a matrix for each quad of output channels, with a column for each of them.
var<private> sums: array<mat4x4f, 8>;

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

// The products of 4 places at a pixel with its gradients of a quad. Here and below `quad` and `column` are constants where these are called: a single
// access by a variable keeps all sums in memory on SwiftShader, at twice the time.
fn multiply(quad: u32, v: vec4f, d: vec4f) {
	sums[quad] = mat4x4f(
		fma(vec4f(d.x), v, sums[quad][0]),
		fma(vec4f(d.y), v, sums[quad][1]),
		fma(vec4f(d.z), v, sums[quad][2]),
		fma(vec4f(d.w), v, sums[quad][3]),
	);
}

// What lanes 0 to 3, and 4 to 7, of a subgroup hold.
fn low(d: vec4f) -> mat4x4f {
	if (LANES == 4) { // the same, and faster
		return mat4x4f(quadBroadcast(d, 0), quadBroadcast(d, 1), quadBroadcast(d, 2), quadBroadcast(d, 3));
	}
	return mat4x4f(subgroupBroadcast(d, 0), subgroupBroadcast(d, 1), subgroupBroadcast(d, 2), subgroupBroadcast(d, 3));
}

fn high(d: vec4f) -> mat4x4f {
	return mat4x4f(subgroupBroadcast(d, 4), subgroupBroadcast(d, 5), subgroupBroadcast(d, 6), subgroupBroadcast(d, 7));
}

struct Eight {
	low: mat4x4f,
	high: mat4x4f,
}

// Which of 8 vectors of gradients, counted as [pixels, QUADS], this lane loads, as (pixel, channel); where lanes are few, a second one too.
var<private> mine: vec2u;
var<private> mineToo: vec2u;

fn locateGradient(t: u32) -> vec2u {
	return vec2u(t / QUADS, t % QUADS * 4);
}

// The 8 vectors from a pixel and the first channel of the panel on.
fn eight(pixel: u32, first: u32, end: u32) -> Eight {
	let d = gradient(pixel + mine.x, first + mine.y, end);
	if (LANES >= 8) {
		return Eight(low(d), high(d));
	}
	return Eight(low(d), low(gradient(pixel + mineToo.x, first + mineToo.y, end)));
}

fn multiplyTwo(v0: vec4f, v1: vec4f, d: mat4x4f) {
	multiply(0, v0, d[0]);
	multiply(1, v0, d[1]);
	multiply(0, v1, d[2]);
	multiply(1, v1, d[3]);
}

fn multiplyFour(first: u32, v: vec4f, d: mat4x4f) {
	multiply(first, v, d[0]);
	multiply(first + 1, v, d[1]);
	multiply(first + 2, v, d[2]);
	multiply(first + 3, v, d[3]);
}

fn multiplyEight(v: vec4f, d: Eight) {
	multiplyFour(0, v, d.low);
	multiplyFour(4, v, d.high);
}

// Writes the sums of output channel o, a column of a quad, for places n to n + 3.
fn put(quad: u32, column: u32, slice: u32, o: u32, n: u32) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let to = (slice * params.outChannels + o) * columns + n;
	let values = sums[quad][column];
	for (var e = 0u; e < 4; e++) {
		if (o < params.outChannels && n + e < columns) {
			partial[to + e] = values[e];
		}
	}
}

fn store(quad: u32, slice: u32, o: u32, n: u32) {
	put(quad, 0, slice, o, n);
	put(quad, 1, slice, o + 1, n);
	put(quad, 2, slice, o + 2, n);
	put(quad, 3, slice, o + 3, n);
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
	let first = group.y * 4 * QUADS;
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
	mine = locateGradient(sub % min(LANES, 8));
	mineToo = locateGradient(sub % min(LANES, 8) + 4);
	for (var pixel = begin; pixel < end; pixel += 4) {
		var v0: vec4f;
		var v1: vec4f;
		var v2: vec4f;
		var v3: vec4f;
		if (VECTOR) {
			v0 = quad(p0);
			advance();
			v1 = quad(p0);
			advance();
			v2 = quad(p0);
			advance();
			v3 = quad(p0);
			advance();
		} else {
			v0 = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v1 = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v2 = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
			v3 = vec4f(one(p0), one(p1), one(p2), one(p3));
			advance();
		}
		let d = eight(pixel, first, end);
		if (QUADS == 2) {
			multiplyTwo(v0, v1, d.low);
			multiplyTwo(v2, v3, d.high);
		} else if (QUADS == 4) {
			let later = eight(pixel + 2, first, end);
			multiplyFour(0, v0, d.low);
			multiplyFour(0, v1, d.high);
			multiplyFour(0, v2, later.low);
			multiplyFour(0, v3, later.high);
		} else {
			multiplyEight(v0, d);
			multiplyEight(v1, eight(pixel + 1, first, end));
			multiplyEight(v2, eight(pixel + 2, first, end));
			multiplyEight(v3, eight(pixel + 3, first, end));
		}
	}
	store(0, group.z, first, n);
	store(1, group.z, first + 4, n);
	if (QUADS > 2) {
		store(2, group.z, first + 8, n);
		store(3, group.z, first + 12, n);
	}
	if (QUADS > 4) {
		store(4, group.z, first + 16, n);
		store(5, group.z, first + 20, n);
		store(6, group.z, first + 24, n);
		store(7, group.z, first + 28, n);
	}
}
