// What the convolutions are given, where they read and where they write.

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
@group(0) @binding(2) var<storage, read> packed: array<vec4f>; // [phases, panels, rows, quads of a panel], then a row of biases a panel (see convPack.wgsl)
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

override VECTOR = true; // inChannels is a multiple of 4

// (batch, vertical, horizontal) on the grid of one phase.
fn locate(pixel: u32) -> vec3u {
	let grid = (params.outSize + params.outStride - 1) / params.outStride;
	let row = pixel / grid.y;
	let b = row / grid.x;
	return vec3u(b, row - b * grid.x, pixel - row * grid.y);
}

// Taps that reach the pixels of a phase, and where in x its pixel (0, 0) begins.
struct Taps {
	count: vec2u,
	base: vec2i,
}

fn tapsOf(phase: vec2u) -> Taps {
	if (params.transposed == 0) {
		return Taps(params.kernel, -vec2i(params.pad));
	}
	let first = (phase + params.pad) % params.outStride;
	return Taps(
		(max(params.kernel, first) - first + params.outStride - 1) / params.outStride,
		vec2i((phase + params.pad) / params.outStride),
	);
}

fn activate(z: vec4f) -> vec4f {
	return select(params.slope * z, z, z > vec4f()); // so that a NaN stays one
}

const NOWHERE = 0xffffffffu;

// The first element of a pixel in y; none where the grid of a phase is larger than the image, or past its end.
fn destination(p: vec3u, phase: vec2u) -> u32 {
	let out = p.yz * params.outStride + phase;
	let alive = p.x < params.batch && all(out < params.outSize);
	return select(NOWHERE, ((p.x * params.outSize.x + out.x) * params.outSize.y + out.y) * params.outChannels, alive);
}
