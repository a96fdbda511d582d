enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Convolutions on the matrix units of GPUs ("tensor cores"): an implicit GEMM in tiles of 64 pixels x 64 output channels x 32 rows of the
// packed weights. Tiles become f16 when they are staged in workgroup memory, products are summed in f32, tensors stay f32. Each of 4 subgroups of
// 32 threads sums 32 x 32 in four matrices of 16 x 16. What is computed, and the names, are those of convLanes.wgsl.
// A value beyond 65504 becomes infinite in f16 where the adapter rounds to the nearest (WGSL leaves that open), which the loss scale notices (adam.wgsl).

// import convRows

// Lines of 32 and 64 values, and 8 more so that a matrix's lines begin in different memory banks (and at multiples of 16 bytes).
const PIXEL = 40u;
const ROW = 72u;
var<workgroup> pixels: array<f16, 2560>; // [64 pixels, 32 rows]
var<workgroup> weights: array<f16, 2304>; // [32 rows, 64 channels]
var<workgroup> results: array<f32, 1024>; // [4 subgroups, 16 pixels, 16 channels]

// All that is said in matrices; a line each, which test/matrixEmulation.ts replaces. Sizes are columns first.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&pixels, at, PIXEL); }
fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&weights, at, ROW); }
fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn save(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&results, at, sum, 16u); }

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

fn accumulate(group: vec3u, groups: vec3u, thread: u32, subgroup: u32, sum: ptr<function, array<Sum, 4>>) {
	let phase = phaseOf(group);
	let taps = tapsOf(phase);
	// This thread fetches 4 rows (a quad) of 4 pixels that lie 16 apart, and 4 channels (a column) of 4 rows of weights that lie 8 apart.
	var corners: array<vec3i, 4>;
	for (var i = 0u; i < 4; i++) {
		let mine = locate(firstPixel(group, groups) + thread / 8 + i * 16);
		corners[i] = vec3i(mine * vec3u(1, params.inStride)) + vec3i(0, taps.base);
	}
	var row = advance(Row(), thread % 8 * 4, taps.count.y);
	let column = firstColumn(group) + thread % 16;
	let columns = packedColumns();
	let rows = taps.count.x * taps.count.y * params.inChannels;
	let fetched = (phase.x * params.outStride.y + phase.y) * params.rows * columns + column;

	for (var k = 0u; k < rows; k += 32) {
		var quads: array<vec4f, 4>;
		var weight: array<vec4f, 4>;
		let second = advance(row, 1, taps.count.y);
		let third = advance(second, 1, taps.count.y);
		let fourth = advance(third, 1, taps.count.y);
		for (var i = 0u; i < 4; i++) {
			let corner = corners[i];
			if (VECTOR) {
				let s = source(corner, row, taps.count);
				quads[i] = select(vec4f(), x4[s.x / 4], s.y != 0);
			} else {
				quads[i] = vec4f(one(corner, row, taps.count), one(corner, second, taps.count), one(corner, third, taps.count), one(corner, fourth, taps.count));
			}
			let r = k + thread / 16 + i * 8;
			let known = r < rows && column < columns;
			weight[i] = select(vec4f(), packed[select(0, fetched + r * columns, known)], known);
		}
		row = advance(row, 32, taps.count.y);
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
	let row = destination(p, phaseOf(group));
	if (row == NOWHERE || column * 4 >= params.outChannels) {
		return Quad(vec4f(), 0, NOWHERE);
	}
	let bias = packed[params.outStride.x * params.outStride.y * params.rows * packedColumns() + column];
	let z = vec4f(results[e * 4], results[e * 4 + 1], results[e * 4 + 2], results[e * 4 + 3]) + bias;
	return Quad(activate(z), column, row);
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
