// Gradient to the weight on GPUs, in tiles of 64 output channels x 64 places (ky, kx, c) x 16 pixels, staged in workgroup memory; each of 256
// threads sums 4 x 4. What it computes, and the names, are those of convWeight.wgsl.

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
@group(0) @binding(1) var<storage, read> x4: array<vec4f>; // the same
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>; // the same
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

override VECTOR = true; // channels is a multiple of 4
override VECTOR_DY = true; // outChannels is

var<workgroup> inputs: array<vec4f, 256>; // [16 pixels, 16 quads of places]
var<workgroup> gradients: array<vec4f, 256>; // [16 pixels, 16 quads of output channels]

struct Place {
	shift: vec2i,
	c: u32,
}

fn locate(n: u32) -> Place {
	let tap = n / params.channels;
	let ky = tap / params.kernel.y;
	return Place(vec2i(vec2u(ky, tap - ky * params.kernel.y)) - vec2i(params.pad), n - tap * params.channels);
}

// A pixel of dy: (batch, vertical, horizontal).
fn advance(q: vec3u, pixels: u32) -> vec3u {
	var next = q;
	next.z += pixels;
	while (next.z >= params.outSize.y) {
		next.z -= params.outSize.y;
		next.y++;
		if (next.y == params.outSize.x) {
			next.y = 0;
			next.x++;
		}
	}
	return next;
}

// Index of a place in x, and whether it is in the image.
fn source(q: vec3u, p: Place, alive: bool) -> vec2u {
	let at = vec2u(vec2i(q.yz * params.stride) + p.shift); // a negative one becomes huge
	let inside = alive && all(at < params.size);
	let index = ((q.x * params.size.x + at.x) * params.size.y + at.y) * params.channels + p.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn one(q: vec3u, p: Place, alive: bool) -> f32 {
	let s = source(q, p, alive);
	return select(0, x[s.x], s.y != 0);
}

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
		var v: vec4f;
		if (VECTOR) {
			let s = source(q, p0, alive);
			v = select(vec4f(), x4[s.x / 4], s.y != 0);
		} else {
			v = vec4f(one(q, p0, alive), one(q, p1, alive), one(q, p2, alive), one(q, p3, alive));
		}
		q = advance(q, 16);
		let at = select(0, pixel * params.outChannels + fetchedFirst, alive);
		var d: vec4f;
		if (VECTOR_DY) {
			d = select(vec4f(), dy4[at / 4], alive);
		} else {
			d = select(vec4f(), vec4f(dy[at], dy[at + 1], dy[at + 2], dy[at + 3]), alive);
		}
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
