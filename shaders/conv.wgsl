enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Convolutions on software adapters. There an invocation is one SIMD lane and every load is a loop over the lanes, dear beside
// arithmetic, whether or not they share the address. So tiles live in registers, and what all lanes need is loaded once by
// all of them together and handed round by broadcasts. A lane computes 4 pixels x QUADS quads of output channels: the more, the fewer loads
// a product needs, as long as registers last.
//
// One kernel serves the convolution and its gradient to the input (a transposed convolution): every output pixel sums
//   y[b, q * outStride + phase, n] = sum over j, c of x[b, q * inStride + base + direction * j, c] * w[phase, j, c, n]
// where the phase of a strided gradient has the taps that reach it (see convPack.wgsl). A convolution has one phase.

struct Params {
	inSize: vec2u, // height, width
	outSize: vec2u,
	kernel: vec2u,
	inStride: vec2u,
	outStride: vec2u,
	pad: vec2u, // top, left: of the convolution that this is, or is the gradient of
	batch: u32,
	inChannels: u32,
	outChannels: u32,
	transposed: u32,
	rows: u32, // of packed weights in a phase
	slope: f32, // of the activation below zero; 1 for none
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>; // the same
@group(0) @binding(2) var<storage, read> packed: array<vec4f>; // [phases, panels of QUADS, rows, QUADS], then a row of biases a panel
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

override LANES = 8u; // of a subgroup
override QUADS = 4u; // of output channels in a lane: 2, 4 or 8
override VECTOR = true; // inChannels is a multiple of 4

// Sums: a matrix for each quad of output channels, with a column for each pixel.
var<private> sums: array<mat4x4f, 8>;

// What is read now: tap and channel, how far that is from where a pixel begins, and the same as a distance in x.
var<private> j: vec2u;
var<private> c: u32;
var<private> shift: vec2i;
var<private> distance: u32;

struct Place {
	phase: vec2u,
	panel: u32, // of output channels
	firstPixel: u32,
}

fn panels() -> u32 {
	return (params.outChannels + 4 * QUADS - 1) / (4 * QUADS);
}

fn place(group: vec3u, groups: vec3u, lane: u32) -> Place {
	let phase = group.z / panels();
	return Place(
		vec2u(phase / params.outStride.y, phase % params.outStride.y),
		group.z - phase * panels(),
		(group.x + group.y * groups.x) * 256 + lane,
	);
}

fn locate(pixel: u32) -> vec3u {
	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	let row = pixel / grid.y;
	let b = row / grid.x;
	return vec3u(b, row - b * grid.x, pixel - row * grid.y);
}

// Where a pixel begins: its place in the image, outside of every image if it is past the last, and its index in x.
struct Corner {
	at: vec2i,
	index: u32,
}

fn begin(pixel: vec3u, base: vec2i) -> Corner {
	let at = vec2i(pixel.yz * params.inStride) + base;
	let index = ((i32(pixel.x * params.inSize.x) + at.x) * i32(params.inSize.y) + at.y) * i32(params.inChannels);
	return Corner(select(vec2i(0x40000000), at, pixel.x < params.batch), u32(index));
}

// Index in x of what is read now at a pixel; the second is 0 outside of its image.
fn source(corner: Corner) -> vec2u {
	let inside = all(vec2u(corner.at + shift) < params.inSize); // a negative one becomes huge
	return vec2u(select(0, corner.index + distance, inside), u32(inside));
}

fn quad(corner: Corner) -> vec4f {
	let s = source(corner);
	return select(vec4f(), x4[s.x / 4], s.y != 0);
}

fn one(corner: Corner) -> f32 {
	let s = source(corner);
	return select(0, x[s.x], s.y != 0);
}

fn advance(channels: u32, taps: vec2u) {
	c += channels;
	let nextTap = c >= params.inChannels;
	c = select(c, 0, nextTap);
	j.y += u32(nextTap);
	let nextRow = j.y >= taps.y;
	j.y = select(j.y, 0, nextRow);
	j.x += u32(nextRow);
	measure();
	// Rows of padding read outside of every image: their weight 0 does not silence a NaN.
	shift = select(shift, vec2i(0x20000000), j.x >= taps.x);
}

fn measure() {
	shift = select(vec2i(j), -vec2i(j), params.transposed != 0);
	distance = u32((shift.x * i32(params.inSize.y) + shift.y) * i32(params.inChannels)) + c;
}

// Here and below `quad` and `pixel` are constants where these are called: a single access by a variable keeps all sums in memory on SwiftShader,
// at twice the time.
fn start(quad: u32, bias: vec4f) {
	sums[quad] = mat4x4f(bias, bias, bias, bias);
}

// The products of a row, its values at 4 pixels, with its weights for a quad.
fn multiply(quad: u32, v: vec4f, w: vec4f) {
	sums[quad] = mat4x4f(
		fma(vec4f(v.x), w, sums[quad][0]),
		fma(vec4f(v.y), w, sums[quad][1]),
		fma(vec4f(v.z), w, sums[quad][2]),
		fma(vec4f(v.w), w, sums[quad][3]),
	);
}

// What lanes 0 to 3, and 4 to 7, of a subgroup hold.
fn low(w: vec4f) -> mat4x4f {
	if (LANES == 4) { // the same, and faster
		return mat4x4f(quadBroadcast(w, 0), quadBroadcast(w, 1), quadBroadcast(w, 2), quadBroadcast(w, 3));
	}
	return mat4x4f(subgroupBroadcast(w, 0), subgroupBroadcast(w, 1), subgroupBroadcast(w, 2), subgroupBroadcast(w, 3));
}

fn high(w: vec4f) -> mat4x4f {
	return mat4x4f(subgroupBroadcast(w, 4), subgroupBroadcast(w, 5), subgroupBroadcast(w, 6), subgroupBroadcast(w, 7));
}

struct Eight {
	low: mat4x4f,
	high: mat4x4f,
}

// The 8 vectors of weights that begin at `first`, of which this lane loads number `mine`, and where lanes are few one more.
fn eight(first: u32, mine: u32) -> Eight {
	let w = packed[first + mine];
	if (LANES >= 8) {
		return Eight(low(w), high(w));
	}
	return Eight(low(w), low(packed[first + mine + 4]));
}

fn multiplyTwo(v0: vec4f, v1: vec4f, w: mat4x4f) {
	multiply(0, v0, w[0]);
	multiply(1, v0, w[1]);
	multiply(0, v1, w[2]);
	multiply(1, v1, w[3]);
}

fn multiplyFour(first: u32, v: vec4f, w: mat4x4f) {
	multiply(first, v, w[0]);
	multiply(first + 1, v, w[1]);
	multiply(first + 2, v, w[2]);
	multiply(first + 3, v, w[3]);
}

fn multiplyEight(v: vec4f, w: Eight) {
	multiplyFour(0, v, w.low);
	multiplyFour(4, v, w.high);
}

fn accumulate(at: Place, sub: u32) {
	var taps = params.kernel;
	var base = -vec2i(params.pad);
	if (params.transposed != 0) {
		let first = (at.phase + params.pad) % params.outStride;
		base = vec2i((at.phase + params.pad) / params.outStride);
		taps = (max(params.kernel, first) - first + params.outStride - 1) / params.outStride;
	}
	let c0 = begin(locate(at.firstPixel), base);
	let c1 = begin(locate(at.firstPixel + 64), base);
	let c2 = begin(locate(at.firstPixel + 128), base);
	let c3 = begin(locate(at.firstPixel + 192), base);

	let phases = params.outStride.x * params.outStride.y;
	let bias = phases * panels() * params.rows * QUADS + at.panel * QUADS;
	let mine = sub % min(LANES, 8);
	let biases = eight(bias, mine);
	start(0, biases.low[0]);
	start(1, biases.low[1]);
	if (QUADS > 2) {
		start(2, biases.low[2]);
		start(3, biases.low[3]);
	}
	if (QUADS > 4) {
		start(4, biases.high[0]);
		start(5, biases.high[1]);
		start(6, biases.high[2]);
		start(7, biases.high[3]);
	}
	j = vec2u();
	c = 0;
	measure();
	let phase = at.phase.x * params.outStride.y + at.phase.y;
	var weights = (phase * panels() + at.panel) * params.rows * QUADS;
	let steps = (taps.x * taps.y * params.inChannels + 3) / 4;
	for (var step = 0u; step < steps; step++) {
		var v0: vec4f;
		var v1: vec4f;
		var v2: vec4f;
		var v3: vec4f;
		if (VECTOR) {
			let q0 = quad(c0);
			let q1 = quad(c1);
			let q2 = quad(c2);
			let q3 = quad(c3);
			v0 = vec4f(q0.x, q1.x, q2.x, q3.x);
			v1 = vec4f(q0.y, q1.y, q2.y, q3.y);
			v2 = vec4f(q0.z, q1.z, q2.z, q3.z);
			v3 = vec4f(q0.w, q1.w, q2.w, q3.w);
			advance(4, taps);
		} else {
			v0 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps);
			v1 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps);
			v2 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps);
			v3 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps);
		}
		let w = eight(weights, mine);
		if (QUADS == 2) {
			multiplyTwo(v0, v1, w.low);
			multiplyTwo(v2, v3, w.high);
		} else if (QUADS == 4) {
			let later = eight(weights + 8, mine);
			multiplyFour(0, v0, w.low);
			multiplyFour(0, v1, w.high);
			multiplyFour(0, v2, later.low);
			multiplyFour(0, v3, later.high);
		} else {
			multiplyEight(v0, w);
			multiplyEight(v1, eight(weights + 8, mine));
			multiplyEight(v2, eight(weights + 16, mine));
			multiplyEight(v3, eight(weights + 24, mine));
		}
		weights += 4 * QUADS;
	}
}

fn activate(sum: vec4f) -> vec4f {
	return select(params.slope * sum, sum, sum > vec4f()); // so that a NaN stays one
}

const NOWHERE = 0xffffffffu;

// The first element of a pixel in y; none where the grid of a phase is larger than the image, or past its end.
fn destination(at: Place, p: vec3u) -> u32 {
	let out = p.yz * params.outStride + at.phase;
	let alive = p.x < params.batch && all(out < params.outSize);
	return select(NOWHERE, ((p.x * params.outSize.x + out.x) * params.outSize.y + out.y) * params.outChannels, alive);
}

fn put4(at: Place, to: u32, quad: u32, pixel: u32) {
	let channel = (at.panel * QUADS + quad) * 4;
	if (channel < params.outChannels) {
		y4[(to + channel) / 4] = activate(sums[quad][pixel]);
	}
}

fn put(at: Place, to: u32, quad: u32, pixel: u32) {
	let channel = (at.panel * QUADS + quad) * 4;
	let value = activate(sums[quad][pixel]);
	for (var i = 0u; i < 4; i++) {
		if (channel + i < params.outChannels) {
			y[to + channel + i] = value[i];
		}
	}
}

fn store4(at: Place, pixel: u32) {
	let to = destination(at, locate(at.firstPixel + 64 * pixel));
	if (to != NOWHERE) {
		put4(at, to, 0, pixel);
		put4(at, to, 1, pixel);
		if (QUADS > 2) {
			put4(at, to, 2, pixel);
			put4(at, to, 3, pixel);
		}
		if (QUADS > 4) {
			put4(at, to, 4, pixel);
			put4(at, to, 5, pixel);
			put4(at, to, 6, pixel);
			put4(at, to, 7, pixel);
		}
	}
}

fn store(at: Place, pixel: u32) {
	let to = destination(at, locate(at.firstPixel + 64 * pixel));
	if (to != NOWHERE) {
		put(at, to, 0, pixel);
		put(at, to, 1, pixel);
		if (QUADS > 2) {
			put(at, to, 2, pixel);
			put(at, to, 3, pixel);
		}
		if (QUADS > 4) {
			put(at, to, 4, pixel);
			put(at, to, 5, pixel);
			put(at, to, 6, pixel);
			put(at, to, 7, pixel);
		}
	}
}

fn dead(at: Place) -> bool {
	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	return subgroupBroadcast(at.firstPixel, 0) >= params.batch * grid.x * grid.y;
}

@compute @workgroup_size(64)
fn convolve(
	@builtin(local_invocation_index) lane: u32,
	@builtin(subgroup_invocation_id) sub: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let at = place(group, groups, lane);
	if (dead(at)) {
		return;
	}
	accumulate(at, sub);
	store(at, 0);
	store(at, 1);
	store(at, 2);
	store(at, 3);
}

// outChannels is a multiple of 4.
@compute @workgroup_size(64)
fn convolveVector(
	@builtin(local_invocation_index) lane: u32,
	@builtin(subgroup_invocation_id) sub: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let at = place(group, groups, lane);
	if (dead(at)) {
		return;
	}
	accumulate(at, sub);
	store4(at, 0);
	store4(at, 1);
	store4(at, 2);
	store4(at, 3);
}
