enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Gradient to the weight on software adapters (see convLanes.wgsl):
//   dw[o, ky, kx, c] = sum over b, q of dy[b, q, o] * x[b, q * stride + (ky, kx) - pad, c]
// The pixels (b, q) are cut into slices, summed apart and added by convGradient.wgsl in a fixed order. A lane computes 4
// consecutive places (ky, kx, c) x QUADS quads of output channels, 4 pixels a step.

// import convWeight
// import registerTile

// What is read now: image of the batch and pixel of dy.
var<private> b: u32;
var<private> q: vec2u;

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

// The products of 4 places at a pixel with its gradients of a quad, whose sums have a column for each channel.
fn multiply(quad: u32, v: vec4f, d: vec4f) {
	addProducts(quad, d, v);
}

// Which of 8 vectors of gradients, counted as [pixels, QUADS], this lane loads, as (pixel, channel); where lanes are few, a second one too.
var<private> mine: vec2u;
var<private> mineToo: vec2u;

fn locateGradient(t: u32) -> vec2u {
	return vec2u(t / QUADS, t % QUADS * 4);
}

// The vectors from a pixel and the first channel of the panel on, up to the end of the slice.
struct Shared {
	pixel: u32,
	first: u32,
	end: u32,
}

fn gradientAt(at: Shared, pixel: u32, channel: u32) -> vec4f {
	return gradient(at.pixel + pixel, at.first + channel, at.pixel + pixel < at.end);
}

fn eight(at: Shared, i: u32) -> Eight {
	let pixel = 8 / QUADS * i;
	let d = gradientAt(at, pixel + mine.x, mine.y);
	if (LANES >= 8) {
		return Eight(low(d), high(d));
	}
	return Eight(low(d), low(gradientAt(at, pixel + mineToo.x, mineToo.y)));
}

// Writes the sums of output channel o, a column of a quad, for places n to n + 3; both are constants where this is called (see addProducts.wgsl).
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
		multiplyStep(v0, v1, v2, v3, Shared(pixel, first, end));
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
