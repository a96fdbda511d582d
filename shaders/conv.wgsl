enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Convolutions on software adapters. There an invocation is one SIMD lane and every load is a loop over the lanes, dear beside
// arithmetic, whether or not they share the address. So tiles live in registers, and what all lanes need is loaded once by
// all of them together and handed round by broadcasts. A lane computes 4 pixels x 8 output channels.
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
@group(0) @binding(2) var<storage, read> packed: array<vec4f>; // [phases, rows, outChannels / 4], then the bias
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

override LANES = 8u; // of a subgroup
override VECTOR = true; // inChannels is a multiple of 4

// Sums of pixel 0 to 3: output channels 0 to 3 and 4 to 7.
var<private> s00: vec4f;
var<private> s10: vec4f;
var<private> s20: vec4f;
var<private> s30: vec4f;
var<private> s01: vec4f;
var<private> s11: vec4f;
var<private> s21: vec4f;
var<private> s31: vec4f;

// The pixels, as (batch, vertical, horizontal) on the grid of the phase.
var<private> p0: vec3u;
var<private> p1: vec3u;
var<private> p2: vec3u;
var<private> p3: vec3u;

// What is read now: tap and channel.
var<private> j: vec2u;
var<private> c: u32;

struct Place {
	phase: vec2u,
	firstColumn: u32,
	firstPixel: u32,
}

fn place(group: vec3u, groups: vec3u, lane: u32) -> Place {
	let blocks = (params.outChannels + 7) / 8;
	let phase = group.z / blocks;
	return Place(
		vec2u(phase / params.outStride.y, phase % params.outStride.y),
		(group.z - phase * blocks) * 2,
		(group.x + group.y * groups.x) * 256 + lane,
	);
}

fn locate(pixel: u32) -> vec3u {
	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	let row = pixel / grid.y;
	let b = row / grid.x;
	return vec3u(b, row - b * grid.x, pixel - row * grid.y);
}

// Index of pixel `corner`, moved by the tap, in x; the second is 0 outside of it.
fn source(corner: vec3i) -> vec2u {
	let shift = select(vec2i(j), -vec2i(j), params.transposed != 0);
	let at = vec2u(corner.yz + shift); // a negative one becomes huge
	let inside = all(at < params.inSize) && u32(corner.x) < params.batch;
	let index = ((u32(corner.x) * params.inSize.x + at.x) * params.inSize.y + at.y) * params.inChannels + c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn quad(corner: vec3i) -> vec4f {
	let s = source(corner);
	return select(vec4f(), x4[s.x / 4], s.y != 0);
}

fn one(corner: vec3i) -> f32 {
	let s = source(corner);
	return select(0, x[s.x], s.y != 0);
}

fn advance(channels: u32, columns: u32) {
	c += channels;
	let nextTap = c >= params.inChannels;
	c = select(c, 0, nextTap);
	j.y += u32(nextTap);
	let nextRow = j.y >= columns;
	j.y = select(j.y, 0, nextRow);
	j.x += u32(nextRow);
}

fn multiply(v: vec4f, w0: vec4f, w1: vec4f) {
	s00 = fma(vec4f(v.x), w0, s00);
	s10 = fma(vec4f(v.y), w0, s10);
	s20 = fma(vec4f(v.z), w0, s20);
	s30 = fma(vec4f(v.w), w0, s30);
	s01 = fma(vec4f(v.x), w1, s01);
	s11 = fma(vec4f(v.y), w1, s11);
	s21 = fma(vec4f(v.z), w1, s21);
	s31 = fma(vec4f(v.w), w1, s31);
}

fn accumulate(at: Place, sub: u32) {
	var taps = params.kernel;
	var base = -vec2i(params.pad);
	if (params.transposed != 0) {
		let first = (at.phase + params.pad) % params.outStride;
		base = vec2i((at.phase + params.pad) / params.outStride);
		taps = (max(params.kernel, first) - first + params.outStride - 1) / params.outStride;
	}
	p0 = locate(at.firstPixel);
	p1 = locate(at.firstPixel + 64);
	p2 = locate(at.firstPixel + 128);
	p3 = locate(at.firstPixel + 192);
	let start = vec3i(0, base);
	let scale = vec3u(1, params.inStride);
	let c0 = vec3i(p0 * scale) + start;
	let c1 = vec3i(p1 * scale) + start;
	let c2 = vec3i(p2 * scale) + start;
	let c3 = vec3i(p3 * scale) + start;

	let columns = (params.outChannels + 7) / 8 * 2;
	let phases = params.outStride.x * params.outStride.y;
	let bias = phases * params.rows * columns + at.firstColumn;
	s00 = packed[bias];
	s01 = packed[bias + 1];
	s10 = s00;
	s20 = s00;
	s30 = s00;
	s11 = s01;
	s21 = s01;
	s31 = s01;
	j = vec2u();
	c = 0;
	// Lane i of the first eight loads row i / 2, column i % 2, of the 4 x 2 vectors that a step needs.
	let phase = at.phase.x * params.outStride.y + at.phase.y;
	var mine = (phase * params.rows + sub % 8 / 2) * columns + at.firstColumn + sub % 2;
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
			advance(4, taps.y);
		} else {
			v0 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.y);
			v1 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.y);
			v2 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.y);
			v3 = vec4f(one(c0), one(c1), one(c2), one(c3));
			advance(1, taps.y);
		}
		let w = packed[mine];
		multiply(v0, subgroupBroadcast(w, 0), subgroupBroadcast(w, 1));
		multiply(v1, subgroupBroadcast(w, 2), subgroupBroadcast(w, 3));
		if (LANES >= 8) {
			multiply(v2, subgroupBroadcast(w, 4), subgroupBroadcast(w, 5));
			multiply(v3, subgroupBroadcast(w, 6), subgroupBroadcast(w, 7));
		} else {
			let later = packed[mine + 2 * columns];
			multiply(v2, subgroupBroadcast(later, 0), subgroupBroadcast(later, 1));
			multiply(v3, subgroupBroadcast(later, 2), subgroupBroadcast(later, 3));
		}
		mine += 4 * columns;
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

fn store4(at: Place, pixel: vec3u, a: vec4f, b: vec4f) {
	let to = destination(at, pixel);
	if (to != NOWHERE) {
		y4[to / 4 + at.firstColumn] = activate(a);
		if (at.firstColumn * 4 + 4 < params.outChannels) {
			y4[to / 4 + at.firstColumn + 1] = activate(b);
		}
	}
}

fn store(at: Place, pixel: vec3u, a: vec4f, b: vec4f) {
	let to = destination(at, pixel);
	if (to != NOWHERE) {
		var values = array(activate(a), activate(b));
		for (var i = 0u; i < min(8, params.outChannels - at.firstColumn * 4); i++) {
			y[to + at.firstColumn * 4 + i] = values[i / 4][i % 4];
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
	store(at, p0, s00, s01);
	store(at, p1, s10, s11);
	store(at, p2, s20, s21);
	store(at, p3, s30, s31);
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
	store4(at, p0, s00, s01);
	store4(at, p1, s10, s11);
	store4(at, p2, s20, s21);
	store4(at, p3, s30, s31);
}
