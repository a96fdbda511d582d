enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Gradient to the weight on the matrix units of GPUs, in tiles of 64 output channels x 64 places (ky, kx, c) x 32 pixels, as in convMatrix.wgsl: f16 tiles
// in workgroup memory, sums in f32, 32 x 32 in each of 4 subgroups. What is computed, and the names, are those of convWeightLanes.wgsl.

// import convWeightPixels

const LINE = 72u; // 64 values, and 8 more as in convMatrix.wgsl
var<workgroup> gradients: array<f16, 2304>; // [32 pixels, 64 output channels]
var<workgroup> inputs: array<f16, 2304>; // [32 pixels, 64 places]
var<workgroup> results: array<f32, 1024>; // [4 subgroups, 16 output channels, 16 places]

// All that is said in matrices; a line each, which test/matrixEmulation.ts replaces. The left one is output channels x pixels.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, col_major>(&gradients, at, LINE); }
fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&inputs, at, LINE); }
fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn save(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&results, at, sum, 16u); }

@compute @workgroup_size(128)
fn weightGradient(
	@builtin(local_invocation_index) thread: u32,
	@builtin(subgroup_id) subgroup: u32,
	@builtin(workgroup_id) group: vec3u,
) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let each = (params.pixels + params.slices - 1) / params.slices;
	let begin = group.z * each;
	let end = min(begin + each, params.pixels);
	// This thread fetches 4 places and 4 output channels of 4 pixels that lie 8 apart.
	let n = group.x * 64 + thread % 16 * 4;
	let o = group.y * 64 + thread % 16 * 4;
	let start = begin + thread / 16;
	let row = start / params.outSize.y;
	let b = row / params.outSize.x;
	var q = vec3u(b, row - b * params.outSize.x, start - row * params.outSize.y);
	let p0 = locate(n);
	let p1 = locate(n + 1);
	let p2 = locate(n + 2);
	let p3 = locate(n + 3);

	var sum: array<Sum, 4>;
	for (var k = begin; k < end; k += 32) {
		var v: array<vec4f, 4>;
		var d: array<vec4f, 4>;
		for (var i = 0u; i < 4; i++) {
			let pixel = k + thread / 16 + i * 8;
			let alive = pixel < end;
			v[i] = fetch(q, p0, p1, p2, p3, alive);
			q = advance(q, 8);
			d[i] = gradient(pixel, o, alive);
		}
		workgroupBarrier();
		for (var i = 0u; i < 4; i++) {
			let line = (thread / 16 + i * 8) * LINE + thread % 16 * 4;
			for (var e = 0u; e < 4; e++) {
				inputs[line + e] = f16(v[i][e]);
				gradients[line + e] = f16(d[i][e]);
			}
		}
		workgroupBarrier();
		for (var r = 0u; r < 32; r += 16) {
			let right0 = loadRight(r * LINE + subgroup % 2 * 32);
			let right1 = loadRight(r * LINE + subgroup % 2 * 32 + 16);
			for (var i = 0u; i < 2; i++) {
				let left = loadLeft(r * LINE + subgroup / 2 * 32 + i * 16);
				sum[i * 2] = multiplyAdd(left, right0, sum[i * 2]);
				sum[i * 2 + 1] = multiplyAdd(left, right1, sum[i * 2 + 1]);
			}
		}
	}
	for (var i = 0u; i < 4; i++) {
		workgroupBarrier();
		save(subgroup * 256, sum[i]);
		workgroupBarrier();
		for (var e = thread; e < 1024; e += 128) {
			let quarter = e / 256;
			let channel = group.y * 64 + quarter / 2 * 32 + i / 2 * 16 + e / 16 % 16;
			let place = group.x * 64 + quarter % 2 * 32 + i % 2 * 16 + e % 16;
			if (channel < params.outChannels && place < columns) {
				partial[(group.z * params.outChannels + channel) * columns + place] = results[e];
			}
		}
	}
}
