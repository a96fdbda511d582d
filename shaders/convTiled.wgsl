// Convolutions on GPUs: an implicit GEMM in tiles of 16 PIXELS x 64 output channels x 16 rows of the packed weights, staged in workgroup
// memory; each of 256 threads sums PIXELS x 4. What it computes, and the names, are those of convLanes.wgsl.

// import convRows

override PIXELS = 4u; // of a thread: 4 or 8

var<workgroup> pixels: array<vec4f, 512>; // [16 PIXELS, 4 quads of rows]
var<workgroup> weights: array<vec4f, 256>; // [16 rows, 16 quads of channels]

// Sums of the pixels, 4 channels each.
var<private> sum: array<vec4f, 8>;

// This thread's 4 channels, in vectors.
fn columnOf(group: vec3u, thread: u32) -> u32 {
	return group.z % ((params.outChannels + 63) / 64) * 16 + thread % 16;
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
	let taps = tapsOf(phase);
	// This thread fetches 4 rows (a quad) of one pixel in 64, and 4 channels (a column) of one row of weights.
	let mine = (group.x + group.y * groups.x) * 16 * PIXELS + thread / 4;
	let scale = vec3u(1, params.inStride);
	let corner = vec3i(locate(mine) * scale) + vec3i(0, taps.base);
	let later = vec3i(locate(mine + 64) * scale) + vec3i(0, taps.base);
	var row = advance(Row(), thread % 4 * 4, taps.count.y);
	let columns = (params.outChannels + 7) / 8 * 2;
	let phases = params.outStride.x * params.outStride.y;
	let rows = taps.count.x * taps.count.y * params.inChannels;
	let fetched = (phase.x * params.outStride.y + phase.y) * params.rows * columns + column;

	if (column < columns) {
		sum[0] = packed[phases * params.rows * columns + column];
	}
	for (var i = 1u; i < PIXELS; i++) {
		sum[i] = sum[0];
	}
	for (var k = 0u; k < rows; k += 16) {
		let quad = fetch(corner, row, taps.count);
		var second: vec4f;
		if (PIXELS == 8) {
			second = fetch(later, row, taps.count);
		}
		row = advance(row, 16, taps.count.y);
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
		let to = destination(locate(first + i), phaseOf(group));
		if (to != NOWHERE && column * 4 < params.outChannels) {
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
		let to = destination(locate(first + i), phaseOf(group));
		if (to != NOWHERE && column * 4 < params.outChannels) {
			y4[to / 4 + column] = activate(sum[i]);
		}
	}
}
