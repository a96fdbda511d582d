enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Convolutions on the matrix units of GPUs ("tensor cores"): an implicit GEMM in tiles of 64 pixels x 64 output channels x 32 rows of the
// packed weights. Tiles become f16 when they are staged in workgroup memory, products are summed in f32, tensors stay f32. Each of 4 subgroups of
// 32 threads sums 32 x 32 in four matrices of 16 x 16. What is computed, and the names, are those of conv.wgsl.
// A value beyond 65504 becomes infinite in f16 where the adapter rounds to the nearest (WGSL leaves that open), which the loss scale notices (adam.wgsl).

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

override VECTOR = true; // inChannels is a multiple of 4

// Lines of 32 and 64 values, and 8 more so that a matrix's lines begin in different memory banks (and at multiples of 16 bytes).
const PIXEL = 40u;
const ROW = 72u;
var<workgroup> pixels: array<f16, 2560>; // [64 pixels, 32 rows]
var<workgroup> weights: array<f16, 2304>; // [32 rows, 64 channels]
var<workgroup> results: array<f32, 1024>; // [4 subgroups, 16 pixels, 16 channels]

// All that is said in matrices; a line each, which kernel.ts asks for. Sizes are columns first.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&pixels, at, PIXEL); }
fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&weights, at, ROW); }
fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn save(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&results, at, sum, 16u); }

// Workgroups count pixels by x and y, blocks of channels within phases by z.
fn phaseOf(group: vec3u) -> vec2u {
	let phase = group.z / ((params.outChannels + 63) / 64);
	return vec2u(phase / params.outStride.y, phase % params.outStride.y);
}

// The first of a workgroup's channels, in vectors of 4.
fn firstColumn(group: vec3u) -> u32 {
	return group.z % ((params.outChannels + 63) / 64) * 16;
}

fn firstPixel(group: vec3u, groups: vec3u) -> u32 {
	return (group.x + group.y * groups.x) * 64;
}

// Vectors in a row of packed weights.
fn packedColumns() -> u32 {
	return (params.outChannels + 7) / 8 * 2;
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

fn accumulate(group: vec3u, groups: vec3u, thread: u32, subgroup: u32, sum: ptr<function, array<Sum, 4>>) {
	let phase = phaseOf(group);
	var taps = params.kernel;
	var base = -vec2i(params.pad);
	if (params.transposed != 0) {
		let first = (phase + params.pad) % params.outStride;
		base = vec2i((phase + params.pad) / params.outStride);
		taps = (max(params.kernel, first) - first + params.outStride - 1) / params.outStride;
	}
	// This thread fetches 4 rows (a quad) of 4 pixels that lie 16 apart, and 4 channels (a column) of 4 rows of weights that lie 8 apart.
	var corners: array<vec3i, 4>;
	for (var i = 0u; i < 4; i++) {
		let mine = locate(firstPixel(group, groups) + thread / 8 + i * 16);
		corners[i] = vec3i(mine * vec3u(1, params.inStride)) + vec3i(0, base);
	}
	var row = advance(Row(), thread % 8 * 4, taps.y);
	let column = firstColumn(group) + thread % 16;
	let columns = packedColumns();
	let rows = taps.x * taps.y * params.inChannels;
	let fetched = (phase.x * params.outStride.y + phase.y) * params.rows * columns + column;

	for (var k = 0u; k < rows; k += 32) {
		var quads: array<vec4f, 4>;
		var weight: array<vec4f, 4>;
		let second = advance(row, 1, taps.y);
		let third = advance(second, 1, taps.y);
		let fourth = advance(third, 1, taps.y);
		for (var i = 0u; i < 4; i++) {
			let corner = corners[i];
			if (VECTOR) {
				let s = source(corner, row, taps);
				quads[i] = select(vec4f(), x4[s.x / 4], s.y != 0);
			} else {
				quads[i] = vec4f(one(corner, row, taps), one(corner, second, taps), one(corner, third, taps), one(corner, fourth, taps));
			}
			let r = k + thread / 16 + i * 8;
			let known = r < rows && column < columns;
			weight[i] = select(vec4f(), packed[select(0, fetched + r * columns, known)], known);
		}
		row = advance(row, 32, taps.y);
		workgroupBarrier();
		for (var i = 0u; i < 4; i++) {
			for (var e = 0u; e < 4; e++) {
				pixels[(thread / 8 + i * 16) * PIXEL + thread % 8 * 4 + e] = f16(quads[i][e]);
				weights[(thread / 16 + i * 8) * ROW + thread % 16 * 4 + e] = f16(weight[i][e]);
			}
		}
		workgroupBarrier();
		for (var r = 0u; r < 32; r += 16) {
			let right0 = loadRight(r * ROW + subgroup % 2 * 32);
			let right1 = loadRight(r * ROW + subgroup % 2 * 32 + 16);
			for (var i = 0u; i < 2; i++) {
				let left = loadLeft((subgroup / 2 * 32 + i * 16) * PIXEL + r);
				(*sum)[i * 2] = multiplyAdd(left, right0, (*sum)[i * 2]);
				(*sum)[i * 2 + 1] = multiplyAdd(left, right1, (*sum)[i * 2 + 1]);
			}
		}
	}
}

const NOWHERE = 0xffffffffu;

// Four finished channels of a pixel, their place among the vectors of y's row, and that row's first element in y: NOWHERE where the grid
// of a phase is larger than the image, or past its end.
struct Quad {
	value: vec4f,
	column: u32,
	row: u32,
}

// The e-th of the 256 quads of matrix i of all subgroups.
fn finish(group: vec3u, groups: vec3u, i: u32, e: u32) -> Quad {
	let quarter = e / 64;
	let column = firstColumn(group) + quarter % 2 * 8 + i % 2 * 4 + e % 4;
	let p = locate(firstPixel(group, groups) + quarter / 2 * 32 + i / 2 * 16 + e / 4 % 16);
	let out = p.yz * params.outStride + phaseOf(group);
	if (p.x >= params.batch || any(out >= params.outSize) || column * 4 >= params.outChannels) {
		return Quad(vec4f(), 0, NOWHERE);
	}
	let bias = packed[params.outStride.x * params.outStride.y * params.rows * packedColumns() + column];
	let z = vec4f(results[e * 4], results[e * 4 + 1], results[e * 4 + 2], results[e * 4 + 3]) + bias;
	let row = ((p.x * params.outSize.x + out.x) * params.outSize.y + out.y) * params.outChannels;
	return Quad(select(params.slope * z, z, z > vec4f()), column, row); // so that a NaN stays one
}

@compute @workgroup_size(128)
fn convolve(
	@builtin(local_invocation_index) thread: u32,
	@builtin(subgroup_id) subgroup: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	var sum: array<Sum, 4>;
	accumulate(group, groups, thread, subgroup, &sum);
	for (var i = 0u; i < 4; i++) {
		workgroupBarrier();
		save(subgroup * 256, sum[i]);
		workgroupBarrier();
		for (var e = thread; e < 256; e += 128) {
			let quad = finish(group, groups, i, e);
			if (quad.row != NOWHERE) {
				for (var c = 0u; c < min(4, params.outChannels - quad.column * 4); c++) {
					y[quad.row + quad.column * 4 + c] = quad.value[c];
				}
			}
		}
	}
}

// outChannels is a multiple of 4.
@compute @workgroup_size(128)
fn convolveVector(
	@builtin(local_invocation_index) thread: u32,
	@builtin(subgroup_id) subgroup: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	var sum: array<Sum, 4>;
	accumulate(group, groups, thread, subgroup, &sum);
	for (var i = 0u; i < 4; i++) {
		workgroupBarrier();
		save(subgroup * 256, sum[i]);
		workgroupBarrier();
		for (var e = thread; e < 256; e += 128) {
			let quad = finish(group, groups, i, e);
			if (quad.row != NOWHERE) {
				y4[quad.row / 4 + quad.column] = quad.value;
			}
		}
	}
}
