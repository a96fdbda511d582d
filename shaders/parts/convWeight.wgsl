// What the gradients to the weight of a convolution are given, and how they read it.

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

struct Place {
	shift: vec2i,
	c: u32,
}

fn locate(n: u32) -> Place {
	let tap = n / params.channels;
	let ky = tap / params.kernel.y;
	return Place(vec2i(vec2u(ky, tap - ky * params.kernel.y)) - vec2i(params.pad), n - tap * params.channels);
}

// Channels first to first + 3 of a pixel of dy; 0 where it is not alive.
fn gradient(pixel: u32, first: u32, alive: bool) -> vec4f {
	let at = select(0, pixel * params.outChannels + first, alive);
	if (VECTOR_DY) {
		return select(vec4f(), dy4[at / 4], alive);
	}
	return select(vec4f(), vec4f(dy[at], dy[at + 1], dy[at + 2], dy[at + 3]), alive);
}
