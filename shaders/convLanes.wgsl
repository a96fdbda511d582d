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

// import conv
// import registerTile

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

// `quad` and `pixel` are constants where these are called (see addProducts.wgsl).
fn start(quad: u32, bias: vec4f) {
	sums[quad] = mat4x4f(bias, bias, bias, bias); // a column for each pixel
}

// The products of a row, its values at 4 pixels, with its weights for a quad.
fn multiply(quad: u32, v: vec4f, w: vec4f) {
	addProducts(quad, v, w);
}

// Vectors of weights from `first` on, of which this lane loads number `mine`, and where lanes are few one more.
struct Shared {
	first: u32,
	mine: u32,
}

fn eight(at: Shared, i: u32) -> Eight {
	let first = at.first + 8 * i + at.mine;
	let w = packed[first];
	if (LANES >= 8) {
		return Eight(low(w), high(w));
	}
	return Eight(low(w), low(packed[first + 4]));
}

fn accumulate(at: Place, sub: u32) {
	let taps = tapsOf(at.phase);
	let c0 = begin(locate(at.firstPixel), taps.base);
	let c1 = begin(locate(at.firstPixel + 64), taps.base);
	let c2 = begin(locate(at.firstPixel + 128), taps.base);
	let c3 = begin(locate(at.firstPixel + 192), taps.base);

	let phases = params.outStride.x * params.outStride.y;
	let bias = phases * panels() * params.rows * QUADS + at.panel * QUADS;
	let mine = sub % min(LANES, 8);
	let biases = eight(Shared(bias, mine), 0);
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
	let steps = (taps.count.x * taps.count.y * params.inChannels + 3) / 4;
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
			advance(4, taps.count);
		} else {
			v0 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.count);
			v1 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.count);
			v2 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.count);
			v3 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.count);
		}
		multiplyStep(v0, v1, v2, v3, Shared(weights, mine));
		weights += 4 * QUADS;
	}
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
	let to = destination(locate(at.firstPixel + 64 * pixel), at.phase);
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
	let to = destination(locate(at.firstPixel + 64 * pixel), at.phase);
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
