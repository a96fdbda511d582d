// Gradient to the weight on GPUs, in tiles of 64 output channels x 64 places (ky, kx, c) x 16 pixels, staged in workgroup memory; each of 256
// threads sums 4 x 4. What it computes, and the names, are those of convWeightLanes.wgsl.

// import convWeightPixels

var<workgroup> inputs: array<vec4f, 256>; // [16 pixels, 16 quads of places]
var<workgroup> gradients: array<vec4f, 256>; // [16 pixels, 16 quads of output channels]

@compute @workgroup_size(256)
fn weightGradient(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3u) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let n = group.x * 64 + thread % 16 * 4;
	let fetchedFirst = group.y * 64 + thread % 16 * 4;
	let first = group.y * 64 + thread / 16 * 4;
	let each = (params.pixels + params.slices - 1) / params.slices;
	let begin = group.z * each;
	let end = min(begin + each, params.pixels);
	// This thread fetches 4 places and 4 output channels of one pixel in 16.
	let start = begin + thread / 16;
	let row = start / params.outSize.y;
	let b = row / params.outSize.x;
	var q = vec3u(b, row - b * params.outSize.x, start - row * params.outSize.y);
	let p0 = locate(n);
	let p1 = locate(n + 1);
	let p2 = locate(n + 2);
	let p3 = locate(n + 3);

	var sum: array<vec4f, 4>;
	for (var k = begin; k < end; k += 16) {
		let pixel = k + thread / 16;
		let alive = pixel < end;
		let v = fetch(q, p0, p1, p2, p3, alive);
		q = advance(q, 16);
		let d = gradient(pixel, fetchedFirst, alive);
		workgroupBarrier();
		inputs[thread] = v;
		gradients[thread] = d;
		workgroupBarrier();
		for (var i = 0u; i < 16; i++) {
			let a = inputs[i * 16 + thread % 16];
			let g = gradients[i * 16 + thread / 16];
			sum[0] = fma(vec4f(g.x), a, sum[0]);
			sum[1] = fma(vec4f(g.y), a, sum[1]);
			sum[2] = fma(vec4f(g.z), a, sum[2]);
			sum[3] = fma(vec4f(g.w), a, sum[3]);
		}
	}
	for (var i = 0u; i < 4; i++) {
		for (var e = 0u; e < 4; e++) {
			if (first + i < params.outChannels && n + e < columns) {
				partial[(group.z * params.outChannels + first + i) * columns + n + e] = sum[i][e];
			}
		}
	}
}
