// Convolutions on GPUs: an implicit GEMM in tiles of 16 PIXELS x 64 output channels x 16 rows of the packed weights, staged in workgroup
// memory; each of 256 threads sums PIXELS x 4. What it computes, and the names, are those of conv.wgsl.

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

override PIXELS = 4u; // of a thread: 4 or 8
override VECTOR = true; // inChannels is a multiple of 4

var<workgroup> pixels: array<vec4f, 512>; // [16 PIXELS, 4 quads of rows]
var<workgroup> weights: array<vec4f, 256>; // [16 rows, 16 quads of channels]

// Sums of the pixels, 4 channels each.
var<private> sum: array<vec4f, 8>;

// Workgroups count pixels by x and y, blocks of channels within phases by z.
fn phaseOf(group: vec3u) -> vec2u {
	let phase = group.z / ((params.outChannels + 63) / 64);
	return vec2u(phase / params.outStride.y, phase % params.outStride.y);
}

// This thread's 4 channels, in vectors.
fn columnOf(group: vec3u, thread: u32) -> u32 {
	return group.z % ((params.outChannels + 63) / 64) * 16 + thread % 16;
}

// (batch, vertical, horizontal) on the grid of one phase.
fn locate(pixel: u32) -> vec3u {
	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	let row = pixel / grid.y;
	let b = row / grid.x;
	return vec3u(b, row - b * grid.x, pixel - row * grid.y);
}

// Which tap and channel a row of the weights belongs to.
struct Row {
	j: vec2u,
	c: u32,
}

fn advance(row: Row, channels: u32, columns: u32) -> Row {
	var next = row;
	next.c += channels;
	while (next.c >= params.inChannels) {
		next.c -= params.inChannels;
		next.j.y++;
		if (next.j.y >= columns) {
			next.j = vec2u(next.j.x + 1, 0);
		}
	}
	return next;
}

// Index in x of pixel `corner`, moved by the tap, and whether it is in the image.
fn source(corner: vec3i, row: Row, taps: vec2u) -> vec2u {
	let shift = select(vec2i(row.j), -vec2i(row.j), params.transposed != 0);
	let at = vec2u(corner.yz + shift); // a negative one becomes huge
	let inside = all(at < params.inSize) && row.j.x < taps.x && u32(corner.x) < params.batch;
	let index = ((u32(corner.x) * params.inSize.x + at.x) * params.inSize.y + at.y) * params.inChannels + row.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn one(corner: vec3i, row: Row, taps: vec2u) -> f32 {
	let s = source(corner, row, taps);
	return select(0, x[s.x], s.y != 0);
}

// The 4 rows that begin with `row`, at a pixel.
fn fetch(corner: vec3i, row: Row, taps: vec2u) -> vec4f {
	if (VECTOR) {
		let s = source(corner, row, taps);
		return select(vec4f(), x4[s.x / 4], s.y != 0);
	}
	let second = advance(row, 1, taps.y);
	let third = advance(second, 1, taps.y);
	let fourth = advance(third, 1, taps.y);
	return vec4f(one(corner, row, taps), one(corner, second, taps), one(corner, third, taps), one(corner, fourth, taps));
}

fn accumulate(group: vec3u, groups: vec3u, thread: u32) {
	let phase = phaseOf(group);
	let column = columnOf(group, thread);
	var taps = params.kernel;
	var base = -vec2i(params.pad);
	if (params.transposed != 0) {
		let first = (phase + params.pad) % params.outStride;
		base = vec2i((phase + params.pad) / params.outStride);
		taps = (max(params.kernel, first) - first + params.outStride - 1) / params.outStride;
	}
	// This thread fetches 4 rows (a quad) of one pixel in 64, and 4 channels (a column) of one row of weights.
	let mine = (group.x + group.y * groups.x) * 16 * PIXELS + thread / 4;
	let scale = vec3u(1, params.inStride);
	let corner = vec3i(locate(mine) * scale) + vec3i(0, base);
	let later = vec3i(locate(mine + 64) * scale) + vec3i(0, base);
	var row = advance(Row(), thread % 4 * 4, taps.y);
	let columns = (params.outChannels + 7) / 8 * 2;
	let phases = params.outStride.x * params.outStride.y;
	let rows = taps.x * taps.y * params.inChannels;
	let fetched = (phase.x * params.outStride.y + phase.y) * params.rows * columns + column;

	if (column < columns) {
		sum[0] = packed[phases * params.rows * columns + column];
	}
	for (var i = 1u; i < PIXELS; i++) {
		sum[i] = sum[0];
	}
	for (var k = 0u; k < rows; k += 16) {
		let quad = fetch(corner, row, taps);
		var second: vec4f;
		if (PIXELS == 8) {
			second = fetch(later, row, taps);
		}
		row = advance(row, 16, taps.y);
		let r = k + thread / 16;
		let known = r < rows && column < columns;
		let weight = select(vec4f(), packed[select(0, fetched + r * columns, known)], known);
		workgroupBarrier();
		pixels[thread] = quad;
		if (PIXELS == 8) {
			pixels[256 + thread] = second;
		}
		weights[thread] = weight;
		workgroupBarrier();
		let first = thread / 16 * 4 * PIXELS;
		for (var q = 0u; q < 4; q++) {
			let w0 = weights[q * 64 + thread % 16];
			let w1 = weights[q * 64 + 16 + thread % 16];
			let w2 = weights[q * 64 + 32 + thread % 16];
			let w3 = weights[q * 64 + 48 + thread % 16];
			for (var i = 0u; i < PIXELS; i++) {
				let v = pixels[first + i * 4 + q];
				sum[i] = fma(vec4f(v.x), w0, sum[i]);
				sum[i] = fma(vec4f(v.y), w1, sum[i]);
				sum[i] = fma(vec4f(v.z), w2, sum[i]);
				sum[i] = fma(vec4f(v.w), w3, sum[i]);
			}
		}
	}
}

fn activate(z: vec4f) -> vec4f {
	return select(params.slope * z, z, z > vec4f()); // so that a NaN stays one
}

const NOWHERE = 0xffffffffu;

// The first element of a pixel in y; none where the grid of a phase is larger than the image, or past its end.
fn destination(pixel: u32, phase: vec2u, column: u32) -> u32 {
	let p = locate(pixel);
	let out = p.yz * params.outStride + phase;
	let alive = p.x < params.batch && all(out < params.outSize) && column * 4 < params.outChannels;
	return select(NOWHERE, ((p.x * params.outSize.x + out.x) * params.outSize.y + out.y) * params.outChannels, alive);
}

@compute @workgroup_size(256)
fn convolve(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	accumulate(group, groups, thread);
	let column = columnOf(group, thread);
	let first = ((group.x + group.y * groups.x) * 16 + thread / 16) * PIXELS;
	for (var i = 0u; i < PIXELS; i++) {
		let to = destination(first + i, phaseOf(group), column);
		if (to != NOWHERE) {
			let value = activate(sum[i]);
			for (var e = 0u; e < min(4, params.outChannels - column * 4); e++) {
				y[to + column * 4 + e] = value[e];
			}
		}
	}
}

// outChannels is a multiple of 4.
@compute @workgroup_size(256)
fn convolveVector(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	accumulate(group, groups, thread);
	let column = columnOf(group, thread);
	let first = ((group.x + group.y * groups.x) * 16 + thread / 16) * PIXELS;
	for (var i = 0u; i < PIXELS; i++) {
		let to = destination(first + i, phaseOf(group), column);
		if (to != NOWHERE) {
			y4[to / 4 + column] = activate(sum[i]);
		}
	}
}
