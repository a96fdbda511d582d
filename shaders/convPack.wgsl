// Weights as the convolution kernels read them: [kernel, inChannels, outChannels padded to vec4], then one row of biases.

struct Params {
	taps: u32,
	inChannels: u32,
	outChannels: u32,
	transposed: u32,
	biased: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = id.x + id.y * groups.x * 64;
	let columns = (params.outChannels + 3) / 4;
	let row = index / columns;
	let rows = params.taps * params.inChannels;
	if (row > rows) {
		return;
	}
	var value = vec4f();
	for (var i = 0u; i < 4; i++) {
		let n = index % columns * 4 + i;
		if (n < params.outChannels) {
			if (row == rows) {
				value[i] = select(0.0, bias[n], params.biased != 0);
			} else if (params.transposed != 0) {
				let k = row % params.inChannels;
				value[i] = w[(k * params.taps + row / params.inChannels) * params.outChannels + n];
			} else {
				value[i] = w[n * rows + row];
			}
		}
	}
	packed[index] = value;
}
