// Conjugate gradients for (N C + lambda) u = b in the inner product x^T C y, for a batch (see ops/conjugateGradients.ts). Vectors are [B, length], four values at
// a time; those that only belong to one sample are summed by one workgroup, every sum in one order.

struct Params {
	quads: u32,   // vec4s of a vector
	threads: u32, // vec4s of all vectors
	fours: u32,   // polynomials, four together
	oneSeen: u32, // 1: the same polynomials for all of the batch
	lambda: f32,
}

@group(0) @binding(0) var<storage, read> r: array<vec4f>;              // residual b - (N C + lambda) u
@group(0) @binding(1) var<storage, read> cr: array<vec4f>;             // C r
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;        // direction
@group(0) @binding(3) var<storage, read_write> cp: array<vec4f>;       // C p
@group(0) @binding(4) var<storage, read> u: array<vec4f>;              // solution
@group(0) @binding(5) var<storage, read> cu: array<vec4f>;             // C u
@group(0) @binding(6) var<storage, read_write> state: array<vec4f>;    // [B]: |r|^2, |b|^2, |u|^2, step length; zero before the first step, as p and C p
@group(0) @binding(7) var<storage, read> seen: array<vec4f>;           // [B or 1, fours, length], four polynomials in each
@group(0) @binding(8) var<storage, read> direction: array<vec4f>;      // p
@group(0) @binding(9) var<storage, read> image: array<vec4f>;          // C p
@group(0) @binding(10) var<storage, read_write> w: array<vec4f>;       // comes as A^T W A C p, goes as (N C + lambda) p
@group(0) @binding(11) var<storage, read> slope: array<vec4f>;         // w
@group(0) @binding(12) var<storage, read> states: array<vec4f>;        // state
@group(0) @binding(13) var<storage, read_write> residual: array<vec4f>; // r
@group(0) @binding(14) var<storage, read_write> solution: array<vec4f>; // u
@group(0) @binding(15) var<storage, read_write> kernels: array<vec4f>;  // C u
@group(0) @binding(16) var<uniform> params: Params;

const THREADS = 64u;
var<workgroup> scratch: array<vec4f, THREADS>;

// Sum over the workgroup, for all of its threads; each adds them up, for barriers cost more.
fn total(thread: u32, value: vec4f) -> vec4f {
	scratch[thread] = value;
	workgroupBarrier();
	var sum = vec4f();
	for (var i = 0u; i < THREADS; i++) { sum += scratch[i]; }
	workgroupBarrier();
	return sum;
}

// The next direction: what is left, and of the last one what keeps the new one conjugate to it.
@compute @workgroup_size(THREADS)
fn turn(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	let end = base + params.quads;
	var sums = vec4f();
	for (var i = base + thread; i < end; i += THREADS) { sums += vec4f(dot(r[i], cr[i]), dot(u[i], cu[i]), 0.0, 0.0); }
	sums = total(thread, sums);
	let left = max(sums.x, 0.0);
	let before = state[group.x];
	let start = select(left, before.y, before.y > 0.0);
	let beta = select(0.0, left / before.x, before.x > 0.0);
	for (var i = base + thread; i < end; i += THREADS) {
		p[i] = r[i] + beta * p[i];
		cp[i] = cr[i] + beta * cp[i];
	}
	workgroupBarrier();
	if (thread == 0u) { state[group.x] = vec4f(left, start, max(sums.y, 0.0), 0.0); }
}

// What the system makes of the direction, polynomials projected out, and how far to go along it.
@compute @workgroup_size(THREADS)
fn measure(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	let length = 4u * params.quads;
	let own = select(group.x, 0u, params.oneSeen == 1u) * params.fours * length;
	for (var i = thread; i < params.quads; i += THREADS) { w[base + i] += params.lambda * direction[base + i]; }
	for (var f = 0u; f < params.fours; f++) {
		let terms = own + f * length;
		var along = vec4f();
		for (var i = thread; i < params.quads; i += THREADS) {
			let k = image[base + i];
			for (var c = 0u; c < 4u; c++) { along += k[c] * seen[terms + 4u * i + c]; }
		}
		along = total(thread, along);
		for (var i = thread; i < params.quads; i += THREADS) {
			let at = terms + 4u * i;
			w[base + i] -= vec4f(
				dot(along, seen[at]), dot(along, seen[at + 1u]), dot(along, seen[at + 2u]), dot(along, seen[at + 3u]),
			);
		}
	}
	var curvature = 0.0;
	for (var i = thread; i < params.quads; i += THREADS) { curvature += dot(image[base + i], w[base + i]); }
	let sum = total(thread, vec4f(curvature, 0.0, 0.0, 0.0)).x;
	if (thread > 0u) { return; }
	let now = state[group.x];
	// What is left below this is rounding; to go on would pile it up.
	let useful = now.x > 1e-12 * now.y && sum > 0.0;
	state[group.x].w = select(0.0, now.x / sum, useful);
}

@compute @workgroup_size(THREADS)
fn advance(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * THREADS;
	if (i >= params.threads) { return; }
	let length = states[i / params.quads].w;
	solution[i] += length * direction[i];
	kernels[i] += length * image[i];
	residual[i] -= length * slope[i];
}
