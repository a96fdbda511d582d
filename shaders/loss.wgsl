// First pass of the losses (each thread's share of the sum, which reduce.wgsl then adds up) and their gradients. Four elements
// at a time; what the last vec4 holds behind the end counts for nothing.

// import thread

struct Params {
	n: u32,       // elements
	threads: u32, // that share the sum
	factor: f32,  // of the gradient
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>; // klLoss: mean
@group(0) @binding(1) var<storage, read> b: array<vec4f>; // klLoss: logvar
@group(0) @binding(2) var<storage, read> dy: array<f32>;  // of the loss, [1]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

const LOW = vec4f(-30.0);
const HIGH = vec4f(20.0);

fn inside(i: u32, value: vec4f) -> vec4f {
	return select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn squares(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.threads) { return; }
	var total = vec4f();
	for (var i = t; 4u * i < params.n; i += params.threads) {
		let difference = inside(i, a[i] - b[i]);
		total += difference * difference;
	}
	y[t] = dot(total, vec4f(1.0));
}

@compute @workgroup_size(64)
fn squaresBackward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	dx[i] = inside(i, params.factor * dy[0] * (a[i] - b[i]));
}

// clamp() that lets a NaN through: it must reach the loss to be noticed.
fn within(v: vec4f) -> vec4f {
	return select(select(v, HIGH, v > HIGH), LOW, v < LOW);
}

@compute @workgroup_size(64)
fn divergence(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.threads) { return; }
	var total = vec4f();
	for (var i = t; 4u * i < params.n; i += params.threads) {
		let logvar = within(b[i]);
		total += inside(i, 1.0 + logvar - a[i] * a[i] - exp(logvar));
	}
	y[t] = dot(total, vec4f(1.0));
}

@compute @workgroup_size(64)
fn divergenceToMean(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	dx[i] = inside(i, params.factor * dy[0] * a[i]);
}

@compute @workgroup_size(64)
fn divergenceToLogvar(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let kept = (b[i] >= LOW) & (b[i] <= HIGH);
	let slope = 0.5 * (exp(within(b[i])) - 1.0);
	dx[i] = inside(i, select(vec4f(0.0), params.factor * dy[0] * slope, kept));
}
