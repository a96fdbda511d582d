// Weights in the order in which the convolution kernels read them: for every phase of a strided gradient the taps that reach it,
// [phases, taps, inChannels, outChannels], rows and columns padded with zeros; then one row of biases.

struct Params {
	kernel: vec2u,
	outStride: vec2u,
	pad: vec2u,
	inChannels: u32,
	outChannels: u32,
	rows: u32, // of a phase
	columns: u32, // vectors in a row
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
	let row = index / params.columns;
	let phases = params.outStride.x * params.outStride.y;
	if (row > phases * params.rows) {
		return;
	}
	let phase = vec2u(row / params.rows / params.outStride.y, row / params.rows % params.outStride.y);
	let first = (phase + params.pad * params.transposed) % params.outStride;
	let across = max(1, (max(params.kernel.y, first.y) - first.y + params.outStride.y - 1) / params.outStride.y);
	let j = row % params.rows / params.inChannels;
	let k = row % params.rows % params.inChannels;
	let tap = first + vec2u(j / across, j % across) * params.outStride;

	let column = index % params.columns * 4;
	var value = vec4f();
	for (var i = 0u; i < 4; i++) {
		let n = column + i;
		if (n < params.outChannels) {
			if (row == phases * params.rows) {
				value[i] = select(0.0, bias[n], params.biased != 0);
			} else if (all(tap < params.kernel)) {
				let place = tap.x * params.kernel.y + tap.y;
				let taps = params.kernel.x * params.kernel.y;
				if (params.transposed != 0) {
					value[i] = w[(k * taps + place) * params.outChannels + n];
				} else {
					value[i] = w[(n * taps + place) * params.inChannels + k];
				}
			}
		}
	}
	packed[index] = value;
}
