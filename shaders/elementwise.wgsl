// y = f(x) and its gradient, and y = a op b with b repeated along the leading dimensions. Four elements a thread. OP is the index of
// the op's name in UNARY and BINARY of src/engine/ops/elementwise.ts.

override OP: u32 = 0u;

struct Params {
	n: u32,      // elements
	period: u32, // elements of b
	p: f32,      // leakyRelu: slope, clamp: low, scale: factor, affine: factor, pow: exponent
	q: f32,      // clamp: high, affine: summand
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

// import thread

// Never the exponential of a large positive number, which would overflow.
fn logistic(x: vec4f) -> vec4f {
	let e = exp(-abs(x));
	return select(e, vec4f(1.0), x >= vec4f(0.0)) / (1.0 + e);
}

// clamp() and max() drop a NaN, which must reach the loss to be noticed: comparisons let it through.
fn within(v: vec4f, low: f32, high: f32) -> vec4f {
	return select(select(v, vec4f(high), v > vec4f(high)), vec4f(low), v < vec4f(low));
}

fn even(t: vec4f) -> vec4f { return 1.0 + t * (4.0 / 9.0) + t * t * (1.0 / 63.0); }

// tanh. Near 0 its continued fraction to the fifth term, odd and good to 1e-10 of the value: the driver's own has an absolute error there.
fn hyperbolic(x: vec4f) -> vec4f {
	let t = x * x;
	let near = x * (1.0 + t * (1.0 / 9.0) + t * t * (1.0 / 945.0)) / even(t);
	let far = tanh(clamp(x, vec4f(-10.0), vec4f(10.0))); // 1 beyond; some drivers overflow
	return select(near, far, abs(x) >= vec4f(0.5)); // so that a NaN stays one
}

// 1 - tanh^2, without the difference that loses all digits where tanh is nearly 1.
fn hyperbolicSlope(x: vec4f) -> vec4f {
	let e = exp(-2.0 * abs(x));
	let h = hyperbolic(x);
	return select(1.0 - h * h, 4.0 * e / ((1.0 + e) * (1.0 + e)), abs(x) >= vec4f(0.5));
}

// x to the power of p >= 0. pow() knows no negative x, and is rough where a product is exact.
fn raised(x: vec4f, p: f32) -> vec4f {
	if (p == 0.0) { return vec4f(1.0); }
	if (p == 1.0) { return x; }
	if (p == 2.0) { return x * x; }
	if (p == 3.0) { return x * x * x; }
	if (p == 0.5) { return sqrt(x); }
	let whole = floor(p) == p;
	let odd = whole && floor(p * 0.5) * 2.0 != p;
	let size = pow(abs(x), vec4f(p));
	let negative = select(size, -size, odd);
	// 0 / 0 where it is not real, of what the compiler does not know.
	let nothing = (x - x) / (x - x);
	return select(size, select(nothing, negative, whole), x < vec4f(0.0));
}

// Negative exponents by a division: some drivers' pow() gives 0 for them at 0.
fn power(x: vec4f, p: f32) -> vec4f {
	if (p < 0.0) { return 1.0 / raised(x, -p); }
	return raised(x, p);
}

// The pad behind the last element is written as zeros: in a packed gradient buffer it must stay so.
fn store(i: u32, value: vec4f) {
	y[i] = select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let v = x[i];
	var r = v * params.p; // scale
	switch OP {
		case 0u: { r = select(v, vec4f(0.0), v < vec4f(0.0)); }
		case 1u: { r = select(params.p * v, v, v > vec4f(0.0)); }
		case 2u: { r = v * logistic(v); }
		case 3u: { r = logistic(v); }
		case 4u: { r = hyperbolic(v); }
		case 5u: { r = exp(v); }
		case 6u: { r = within(v, params.p, params.q); }
		case 8u: { r = abs(v); }
		case 9u: { r = sqrt(v); }
		case 10u: { r = log(v); }
		case 11u: { r = power(v, params.p); }
		case 12u: { r = v * params.p + params.q; }
		default: {}
	}
	store(i, r);
}

// Here x is what the gradient is made of: the op's output (relu, leakyRelu, exp, sqrt), else its input. What relu and clamp cut off gets 0 even where dy is infinite, as in
// sqrt(relu(x)) at 0: there 0 * dy would be NaN.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let v = x[i];
	var r = vec4f(params.p); // scale, affine
	switch OP {
		case 0u: { store(i, select(dy[i], vec4f(0.0), v <= vec4f(0.0))); return; }
		case 1u: { r = select(vec4f(params.p), vec4f(1.0), v > vec4f(0.0)); }
		case 2u: { let s = logistic(v); r = s * (1.0 + v * (1.0 - s)); }
		case 3u: { r = logistic(v) * logistic(-v); }
		case 4u: { r = hyperbolicSlope(v); }
		case 5u: { r = v; }
		case 6u: { store(i, select(vec4f(0.0), dy[i], (v >= vec4f(params.p)) & (v <= vec4f(params.q)))); return; }
		case 8u: { r = sign(v); }
		case 9u: { r = 0.5 / v; }
		case 10u: { r = 1.0 / v; }
		case 11u: { r = select(params.p * power(v, params.p - 1.0), vec4f(0.0), params.p == 0.0); } // not 0 / 0 at 0
		default: {}
	}
	store(i, r * dy[i]);
}

@compute @workgroup_size(64)
fn combine(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	var v: vec4f;
	if (params.period % 4u == 0u || params.period == params.n) {
		v = b[i % ((params.period + 3u) / 4u)];
	} else {
		for (var k = 0u; k < 4u; k++) {
			let at = (4u * i + k) % params.period;
			v[k] = b[at / 4u][at % 4u];
		}
	}
	var r = a[i] + v;
	switch OP {
		case 1u: { r = a[i] - v; }
		case 2u: { r = a[i] * v; }
		case 3u: { r = a[i] / v; }
		default: {}
	}
	store(i, r);
}
