// Weights in the order in which the convolution kernels read them: for every phase of a strided gradient the taps that reach it,
// [phases, panels of output channels, rows (taps, inChannels), outChannels in a panel], rows and channels padded with zeros; then the biases.

// import thread

struct Params {
	kernel: vec2u,
	outStride: vec2u,
	pad: vec2u,
	inChannels: u32,
	outChannels: u32,
	rows: u32, // of a phase
	quads: u32, // of output channels in a panel
	panels: u32,
	transposed: u32,
	biased: u32,
	vector: u32, // transposed, and outChannels is a multiple of 4
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> w4: array<vec4f>; // the same
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let index = threadOf(id, groups);
	let column = index % params.quads;
	let panel = index / params.quads / params.rows % params.panels;
	let row = index / params.quads % params.rows;
	let phaseIndex = index / params.quads / params.rows / params.panels;
	let phases = params.outStride.x * params.outStride.y;
	// Behind the last phase: the biases, in the order of the panels.
	let biases = phases * params.panels * params.rows * params.quads;
	if (index >= biases + params.panels * params.quads) {
		return;
	}
	let phase = vec2u(phaseIndex / params.outStride.y, phaseIndex % params.outStride.y);
	let first = (phase + params.pad * params.transposed) % params.outStride;
	let across = max(1, (max(params.kernel.y, first.y) - first.y + params.outStride.y - 1) / params.outStride.y);
	let j = row / params.inChannels;
	let k = row % params.inChannels;
	let tap = first + vec2u(j / across, j % across) * params.outStride;

	let isBias = index >= biases;
	let channel = 4 * select(panel * params.quads + column, index - biases, isBias);
	let place = tap.x * params.kernel.y + tap.y;
	let taps = params.kernel.x * params.kernel.y;
	if (params.vector != 0 && !isBias) {
		let known = all(tap < params.kernel) && channel < params.outChannels;
		packed[index] = select(vec4f(), w4[select(0, ((k * taps + place) * params.outChannels + channel) / 4, known)], known);
		return;
	}
	var value = vec4f();
	for (var i = 0u; i < 4; i++) {
		let n = channel + i;
		if (n < params.outChannels) {
			if (isBias) {
				value[i] = select(0.0, bias[n], params.biased != 0);
			} else if (all(tap < params.kernel)) {
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
