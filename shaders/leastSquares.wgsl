// Conjugate gradients for damped, weighted least squares with a free constant, carried out on the data's side (see ops/leastSquares.ts). A workgroup a
// sample; every sum is taken in one order. Four values at a time.

struct Params {
	quads: u32, // vec4s a sample
	first: u32, // 1: the first step, nothing is there yet
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;            // data
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> lambda: array<f32>;         // [B]
@group(0) @binding(3) var<storage, read> gr: array<vec4f>;           // G r
@group(0) @binding(4) var<storage, read_write> r: array<vec4f>;      // residual
@group(0) @binding(5) var<storage, read_write> p: array<vec4f>;      // direction
@group(0) @binding(6) var<storage, read_write> gp: array<vec4f>;     // G p
@group(0) @binding(7) var<storage, read_write> u: array<vec4f>;      // solution
@group(0) @binding(8) var<storage, read_write> square: array<vec2f>; // [B]: r G r of the step before, and of the first
@group(0) @binding(9) var<storage, read> model: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> offset: array<f32>;  // [B]
@group(0) @binding(11) var<uniform> params: Params;

const THREADS = 64u;
var<workgroup> scratch: array<vec2f, THREADS>;

// Sum over the workgroup, for all of its threads; each adds them up, for barriers cost more.
fn total(thread: u32, value: vec2f) -> vec2f {
	scratch[thread] = value;
	workgroupBarrier();
	var sum = vec2f();
	for (var i = 0u; i < THREADS; i++) { sum += scratch[i]; }
	workgroupBarrier();
	return sum;
}

fn sum4(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn mean(sums: vec2f) -> f32 { return select(0.0, sums.x / sums.y, sums.y > 0.0); }

// Where the weight is zero the data may be anything, NaN too.
fn counted(value: vec4f, weight: vec4f) -> vec4f { return select(vec4f(0.0), value, weight > vec4f(0.0)); }

// r = W (y - mean), u = 0.
@compute @workgroup_size(THREADS)
fn begin(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	var sums = vec2f();
	for (var i = base + thread; i < base + params.quads; i += THREADS) {
		let w = weights[i];
		sums += vec2f(sum4(w * counted(y[i], w)), sum4(w));
	}
	let m = mean(total(thread, sums));
	// Once more about that mean: a large constant must not leave its rounding error behind.
	sums.x = 0.0;
	for (var i = base + thread; i < base + params.quads; i += THREADS) {
		let w = weights[i];
		sums.x += sum4(w * counted(y[i] - m, w));
	}
	let rest = mean(total(thread, sums));
	for (var i = base + thread; i < base + params.quads; i += THREADS) {
		let w = weights[i];
		r[i] = w * (counted(y[i] - m, w) - rest);
		u[i] = vec4f();
	}
}

@compute @workgroup_size(THREADS)
fn advance(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	let end = base + params.quads;
	var sums = vec2f();
	for (var i = base + thread; i < end; i += THREADS) {
		sums.x += dot(r[i], gr[i]);
	}
	let left = max(total(thread, sums).x, 0.0);
	var before = square[group.x];
	if (params.first == 1u) { before = vec2f(0.0, left); }
	// What is left below this is rounding; to go on would pile it up.
	let now = select(0.0, left, left > 1e-12 * before.y);
	let beta = select(0.0, now / before.x, before.x > 0.0);

	sums = vec2f();
	for (var i = base + thread; i < end; i += THREADS) {
		var direction = r[i];
		var image = gr[i];
		if (params.first == 0u) {
			direction += beta * p[i];
			image += beta * gp[i];
		}
		p[i] = direction;
		gp[i] = image;
		let w = weights[i];
		sums += vec2f(sum4(w * image), sum4(w));
	}
	let m = mean(total(thread, sums));

	let damping = lambda[group.x];
	sums = vec2f();
	for (var i = base + thread; i < end; i += THREADS) {
		let d = gp[i] - m;
		sums += vec2f(dot(weights[i] * d, d), dot(p[i], gp[i]));
	}
	let curvature = total(thread, sums);
	let slope = curvature.x + damping * max(curvature.y, 0.0);
	// Nothing left, or nothing to explain it with.
	let alpha = select(0.0, now / slope, slope > 0.0);
	for (var i = base + thread; i < end; i += THREADS) {
		u[i] += alpha * p[i];
		r[i] -= alpha * (weights[i] * (gp[i] - m) + damping * p[i]);
	}
	if (thread == 0u) { square[group.x] = vec2f(now, before.y); }
}

// offset = weighted mean of y - model.
@compute @workgroup_size(THREADS)
fn constant(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
	let base = group.x * params.quads;
	var sums = vec2f();
	for (var i = base + thread; i < base + params.quads; i += THREADS) {
		let w = weights[i];
		sums += vec2f(sum4(w * (counted(y[i], w) - model[i])), sum4(w));
	}
	let m = mean(total(thread, sums));
	if (thread == 0u) { offset[group.x] = m; }
}
