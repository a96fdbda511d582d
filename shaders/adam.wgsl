// One step of Adam over a range of a pack of parameters. Sizes are multiples of 4; what lies between two parameters has gradient 0 and stays 0.

// import clipping
// import thread

struct Params {
	n: u32,       // vec4s
	clip: f32,    // largest norm, or 0: any
	size: f32,    // learning rate / (1 - beta1^t); with a loss scale the learning rate
	root: f32,    // sqrt(1 - beta2^t); with a loss scale unused
	eps: f32,
	decay: f32,
	keep: vec2f,  // beta1, beta2
	take: vec2f,  // 1 - beta1, 1 - beta2
	shrink: f32,  // of the weights themselves, before the step (AdamW)
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> square: array<f32>; // [1], sum of all squares
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> scale: array<f32>; // [1], of the loss (lossScale.ts)
@group(0) @binding(7) var<storage, read_write> scaling: Scaling;

struct Scaling {
	good: f32,    // steps since the scale changed
	first: f32,   // 1 - beta1^t, where t counts the steps that were not skipped
	second: f32,  // 1 - beta2^t
	unscale: f32, // 1 / the scale of this step's gradients, or 0: the step is skipped
}

@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n) { return; }
	update(i, gradients[i] * clipping(sqrt(square[0]), params.clip), params.size, params.root);
}

fn update(i: u32, gradient: vec4f, size: f32, root: f32) {
	let value = values[i] * (1.0 - params.shrink);
	let g = gradient + params.decay * value;
	let first = params.keep.x * m[i] + params.take.x * g;
	let second = params.keep.y * v[i] + params.take.y * g * g;
	m[i] = first;
	v[i] = second;
	values[i] = value - size * first / (sqrt(second) / root + params.eps);
}

const GROW_AFTER = 2000.0;
const LARGEST = 16777216.0;

// One thread decides whether the step counts, and what the next loss is multiplied by.
@compute @workgroup_size(1)
fn settle() {
	// By its bits: a compiler may take it that a float is finite.
	let finite = (bitcast<u32>(square[0]) & 0x7f800000u) != 0x7f800000u;
	scaling.unscale = select(0.0, 1.0 / scale[0], finite);
	scaling.good = select(0.0, scaling.good + 1.0, finite);
	if (!finite) {
		scale[0] = max(1.0, scale[0] * 0.5);
		return;
	}
	// 1 - beta^t from 1 - beta^(t - 1), without a difference that loses digits.
	scaling.first = params.keep.x * scaling.first + params.take.x;
	scaling.second = params.keep.y * scaling.second + params.take.y;
	if (scaling.good == GROW_AFTER) {
		scale[0] = min(LARGEST, scale[0] * 2.0);
		scaling.good = 0.0;
	}
}

// The step where gradients and square are those of a scaled loss.
@compute @workgroup_size(64)
fn stepScaled(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.n || scaling.unscale == 0.0) { return; }
	let g = gradients[i] * scaling.unscale;
	update(i, g * clipping(sqrt(square[0]) * scaling.unscale, params.clip), params.size / scaling.first, sqrt(scaling.second));
}
