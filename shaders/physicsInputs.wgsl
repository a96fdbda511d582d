// The five channels of src/extraction/gpuInputs.ts: what is not a product with the forward operator. Images are [B, N, N], four pixels along y at a time.

struct Params {
	side: u32,   // N
	places: u32, // J, points a sample
	quads: u32,  // vec4s a sample, N N / 4
	threads: u32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> standard: array<vec4f>; // y, mean zero and standard deviation one
@group(0) @binding(2) var<storage, read_write> deviation: array<f32>;  // [B]: of y
@group(0) @binding(3) var<storage, read> points: array<f32>;           // [B, J, 3]: N - 1/2 - pixel along x and y, weight
@group(0) @binding(4) var<storage, read_write> map: array<vec4f>;
@group(0) @binding(5) var<storage, read> kernel: array<vec4f>;
@group(0) @binding(6) var<storage, read> counts: array<f32>;           // [B]: scatterers
@group(0) @binding(7) var<storage, read_write> sizes: array<vec2f>;    // [B]: the kernel's root mean square, and the count, at least 1
@group(0) @binding(8) var<storage, read_write> scale: array<f32>;      // [B]: that root mean square in y's units
@group(0) @binding(9) var<storage, read> back: array<vec4f>;
@group(0) @binding(10) var<storage, read> overlap: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> inputs: array<f32>;    // [B, N, N, 5]
@group(0) @binding(12) var<uniform> params: Params;

// Activation map and overlap are sparse: see src/qpi/inputs.ts.
const GAIN = 8.0;
const THREADS = 64u;
var<workgroup> scratch: array<f32, THREADS>;

// Sum over the workgroup, for all of its threads; each adds them up, for barriers cost more.
fn total(thread: u32, value: vec4f) -> f32 {
	scratch[thread] = (value.x + value.y) + (value.z + value.w);
	workgroupBarrier();
	var sum = 0.0;
	for (var i = 0u; i < THREADS; i++) { sum += scratch[i]; }
	workgroupBarrier();
	return sum;
}

@compute @workgroup_size(THREADS)
fn standardise(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	let end = base + params.quads;
	let pixels = f32(4u * params.quads);
	// About the first pixel: a constant image gives zeros without rounding, and a large constant costs no digits.
	let origin = y[base].x;
	var sum = vec4f();
	for (var i = base + thread; i < end; i += THREADS) { sum += y[i] - origin; }
	let mean = total(thread, sum) / pixels;
	sum = vec4f();
	for (var i = base + thread; i < end; i += THREADS) {
		let d = (y[i] - origin) - mean;
		sum += d * d;
	}
	let spread = sqrt(total(thread, sum) / pixels);
	for (var i = base + thread; i < end; i += THREADS) {
		standard[i] = select(vec4f(0.0), ((y[i] - origin) - mean) / spread, spread > 0.0);
	}
	if (thread == 0u) { deviation[group.x] = spread; }
}

struct Pixels { sample: u32, x: f32, ys: vec4f }

fn pixels(t: u32) -> Pixels {
	let first = t % params.quads * 4u;
	return Pixels(
		t / params.quads,
		f32(first / params.side),
		f32(first % params.side) + vec4f(0.0, 1.0, 2.0, 3.0),
	);
}

// The scatterers as an image, each shared bilinearly among the pixels around it; those beyond the outermost pixels are left out.
@compute @workgroup_size(64)
fn activation(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.threads) { return; }
	let at = pixels(t);
	let last = f32(params.side) - 1.0;
	var sum = vec4f();
	for (var j = 0u; j < params.places; j++) {
		let point = 3u * (at.sample * params.places + j);
		let px = last + 0.5 - points[point];
		let py = last + 0.5 - points[point + 1u];
		let inField = px >= 0.0 && px <= last && py >= 0.0 && py <= last;
		let weight = select(0.0, points[point + 2u], inField);
		sum += weight * max(0.0, 1.0 - abs(px - at.x)) * max(vec4f(0.0), 1.0 - abs(py - at.ys));
	}
	map[t] = sum;
}

// For each pixel of the kernel image, how many scatterers have a pixel of the image at that lag.
fn coverage(at: Pixels) -> vec4f {
	let last = f32(params.side) - 1.0;
	var sum = vec4f();
	for (var j = 0u; j < params.places; j++) {
		let point = 3u * (at.sample * params.places + j);
		let x = 0.5 * last + 0.5 - points[point] + at.x;
		let ys = 0.5 * last + 0.5 - points[point + 1u] + at.ys;
		let weight = select(0.0, points[point + 2u], x >= -0.5 && x <= last + 0.5);
		sum += select(vec4f(0.0), vec4f(weight), (ys >= vec4f(-0.5)) & (ys <= vec4f(last + 0.5)));
	}
	return sum;
}

@compute @workgroup_size(THREADS)
fn measure(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	var sum = vec4f();
	for (var i = base + thread; i < base + params.quads; i += THREADS) { sum += kernel[i] * kernel[i]; }
	let rms = sqrt(total(thread, sum) / f32(4u * params.quads));
	if (thread == 0u) {
		sizes[group.x] = vec2f(rms, max(1.0, counts[group.x]));
		scale[group.x] = rms * deviation[group.x];
	}
}

@compute @workgroup_size(64)
fn assemble(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.threads) { return; }
	let at = pixels(t);
	let size = sizes[at.sample];
	let channels = array<vec4f, 5>(
		y[t],
		GAIN * map[t],
		back[t] / max(coverage(at), vec4f(1.0)),
		GAIN / size.y * overlap[t],
		select(vec4f(0.0), kernel[t] / size.x, size.x > 0.0),
	);
	for (var i = 0u; i < 4u; i++) {
		for (var c = 0u; c < 5u; c++) { inputs[20u * t + 5u * i + c] = channels[c][i]; }
	}
}
