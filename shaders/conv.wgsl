// Convolutions on software adapters (first version).

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
	slope: f32, // of the activation below zero; 1 for none
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>; // packed: [kernel, inChannels, outChannels / 4], then the bias
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

override BLOCK = 4; // of 4 output channels

@compute @workgroup_size(64)
fn convolve(
	@builtin(local_invocation_index) lane: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let columns = (params.outChannels + 3) / 4;
	let blocks = (columns + u32(BLOCK) - 1) / u32(BLOCK);
	let first = (group.z % blocks) * u32(BLOCK);
	let phaseIndex = group.z / blocks;
	let phase = vec2u(phaseIndex / params.outStride.y, phaseIndex % params.outStride.y);

	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	let pixel = (group.x + group.y * groups.x) * 64 + lane;
	let b = pixel / (grid.x * grid.y);
	let q = vec2u(pixel / grid.y % grid.x, pixel % grid.y);
	let out = q * params.outStride + phase;
	let alive = b < params.batch && all(out < params.outSize);

	var r = vec2u(0);
	var base = -vec2i(params.pad);
	var direction = 1;
	if (params.transposed != 0) {
		r = (phase + params.pad) % params.outStride;
		base = vec2i((phase + params.pad) / params.outStride);
		direction = -1;
	}
	let corner = vec2i(q * params.inStride) + base;

	var last = params.kernel.x * params.kernel.y * params.inChannels * columns + first;
	var s0 = w[last];
	var s1 = w[last + 1];
	var s2 = w[last + 2];
	var s3 = w[last + 3];
	var j = vec2i(0);
	for (var ky = r.x; ky < params.kernel.x; ky += params.outStride.x) {
		j.y = 0;
		for (var kx = r.y; kx < params.kernel.y; kx += params.outStride.y) {
			let at = vec2u(corner + direction * j); // a negative one becomes huge
			let inside = alive && all(at < params.inSize);
			let source = select(0, ((b * params.inSize.x + at.x) * params.inSize.y + at.y) * params.inChannels, inside);
			var row = (ky * params.kernel.y + kx) * params.inChannels * columns + first;
			for (var k = 0u; k < params.inChannels; k++) {
				let v = select(0.0, x[source + k], inside);
				s0 = fma(vec4f(v), w[row], s0);
				if (BLOCK > 1) {
					s1 = fma(vec4f(v), w[row + 1], s1);
				}
				if (BLOCK > 2) {
					s2 = fma(vec4f(v), w[row + 2], s2);
					s3 = fma(vec4f(v), w[row + 3], s3);
				}
				row += columns;
			}
			j.y++;
		}
		j.x++;
	}
	if (alive) {
		let to = ((b * params.outSize.x + out.x) * params.outSize.y + out.y) * params.outChannels;
		store(to, first * 4, s0);
		if (BLOCK > 1) {
			store(to, first * 4 + 4, s1);
		}
		if (BLOCK > 2) {
			store(to, first * 4 + 8, s2);
			store(to, first * 4 + 12, s3);
		}
	}
}

fn store(to: u32, n: u32, sum: vec4f) {
	// Written so that a NaN stays one.
	let value = select(params.slope * sum, sum, sum > vec4f(0));
	for (var i = 0u; i < min(4, max(n, params.outChannels) - n); i++) {
		y[to + n + i] = value[i];
	}
}
