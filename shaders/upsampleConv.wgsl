// Weights of a 3x3 convolution behind a nearest-neighbour upsampling by 2, as those of the transposed 4x4 convolution of stride 2 that is the same: at an
// even pixel two of the three taps of a row read the same pixel of the smaller image, at an odd one the other two. So tap a of four is the sum of taps
// max(0, 2 - a) to min(2, 3 - a) of three.

// import thread

struct Params {
	inputs: u32,
	outputs: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>; // [outputs, 3, 3, inputs]
@group(0) @binding(1) var<storage, read_write> folded: array<f32>; // [inputs, 4, 4, outputs]
@group(0) @binding(2) var<storage, read> dfolded: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = threadOf(id, groups);
	if (index >= params.inputs * 16 * params.outputs) {
		return;
	}
	let o = index % params.outputs;
	let rest = index / params.outputs;
	let tap = vec2u(rest / 4 % 4, rest % 4);
	let c = rest / 16;
	let first = max(vec2u(2), tap) - tap;
	let last = min(vec2u(2), 3 - tap);
	var sum = 0.0;
	for (var ky = first.x; ky <= last.x; ky++) {
		for (var kx = first.y; kx <= last.y; kx++) {
			sum += w[((o * 3 + ky) * 3 + kx) * params.inputs + c];
		}
	}
	folded[index] = sum;
}

@compute @workgroup_size(64)
fn foldGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = threadOf(id, groups);
	if (index >= params.inputs * 9 * params.outputs) {
		return;
	}
	let c = index % params.inputs;
	let rest = index / params.inputs;
	let tap = vec2u(rest / 3 % 3, rest % 3);
	let o = rest / 9;
	var sum = 0.0;
	for (var a = 0u; a < 2; a++) {
		for (var b = 0u; b < 2; b++) {
			let at = 2 - tap + vec2u(a, b);
			sum += dfolded[((c * 4 + at.x) * 4 + at.y) * params.outputs + o];
		}
	}
	dw[index] = sum;
}
