// Gradient to the weight on software adapters:
//   dw[o, ky, kx, c] = sum over b, q of dy[b, q, o] * x[b, q * stride + (ky, kx) - pad, c]
// The pixels are cut into slices, summed apart and added by convGradient.wgsl in a fixed order. Lanes take different (ky, kx, c)
// and the same output channels.

struct Params {
	size: vec2u, // height, width of x
	outSize: vec2u, // of dy
	kernel: vec2u,
	stride: vec2u,
	pad: vec2u,
	pixels: u32, // batch * height * width of dy
	channels: u32,
	outChannels: u32,
	slices: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn weightGradient(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let n = group.x * 64 + lane;
	let c = n % params.channels;
	let tap = n / params.channels;
	let shift = vec2i(vec2u(tap / params.kernel.y, tap % params.kernel.y)) - vec2i(params.pad);
	let first = group.y * 8;
	let each = (params.pixels + params.slices - 1) / params.slices;

	var s0 = vec4f();
	var s1 = vec4f();
	let begin = group.z * each;
	var q = vec2u(begin / params.outSize.y % params.outSize.x, begin % params.outSize.y);
	var b = begin / (params.outSize.x * params.outSize.y);
	for (var pixel = begin; pixel < min(begin + each, params.pixels); pixel++) {
		let at = vec2u(vec2i(q * params.stride) + shift);
		let inside = all(at < params.size);
		let place = ((b * params.size.x + at.x) * params.size.y + at.y) * params.channels + c;
		let v = select(0.0, x[select(0, place, inside)], inside);
		let source = pixel * params.outChannels + first;
		s0 = fma(vec4f(v), vec4f(dy[source], dy[source + 1], dy[source + 2], dy[source + 3]), s0);
		s1 = fma(vec4f(v), vec4f(dy[source + 4], dy[source + 5], dy[source + 6], dy[source + 7]), s1);
		q.y++;
		if (q.y == params.outSize.y) {
			q = vec2u(q.x + 1, 0);
			if (q.x == params.outSize.x) {
				q.x = 0;
				b++;
			}
		}
	}
	if (n < columns) {
		for (var i = 0u; i < min(8, params.outChannels - first); i++) {
			let sum = select(s0, s1, i >= 4);
			partial[(group.z * params.outChannels + first + i) * columns + n] = sum[i % 4];
		}
	}
}
