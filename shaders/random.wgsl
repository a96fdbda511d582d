// Philox4x32-10 (Salmon et al., SC'11) exactly as in src/random.ts: thread i draws four numbers from the counter (i, step, stream, 0) under the key of
// the seed. Normal numbers by Box and Muller.

struct Params {
	n: u32,
	step: u32,
	stream: u32,
	seed: vec2u, // low and high 32 bits
}

@group(0) @binding(0) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read> logvar: array<vec4f>;
@group(0) @binding(4) var<storage, read> noise: array<vec4f>;
@group(0) @binding(5) var<storage, read> dy: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

// High 32 bits of a product, by halves of 16 bits.
fn mulhi(a: u32, b: u32) -> u32 {
	let al = a & 0xffffu;
	let ah = a >> 16u;
	let bl = b & 0xffffu;
	let bh = b >> 16u;
	let first = ah * bl + ((al * bl) >> 16u);
	let second = al * bh + (first & 0xffffu);
	return ah * bh + (first >> 16u) + (second >> 16u);
}

fn philox(start: vec4u, seed: vec2u) -> vec4u {
	var c = start;
	var k = seed;
	for (var round = 0u; round < 10u; round++) {
		let h0 = mulhi(0xd2511f53u, c.x);
		let h1 = mulhi(0xcd9e8d57u, c.z);
		c = vec4u(h1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, h0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
		k += vec2u(0x9e3779b9u, 0xbb67ae85u);
	}
	return c;
}

fn draw(i: u32) -> vec4u {
	return philox(vec4u(i, params.step, params.stream, 0u), params.seed);
}

fn store(i: u32, value: vec4f) {
	y[i] = select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn bits(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (4u * i < params.n) { words[i] = draw(i); }
}

@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (4u * i >= params.n) { return; }
	// 24 bits, half a step away from 0 and from 1; rounded to f32 the largest is 1, where a logarithm may be a little above 0.
	let u = (vec4f(draw(i) >> vec4u(8u)) + 0.5) / 16777216.0;
	let radius = sqrt(max(-2.0 * log(u.xz), vec2f(0.0)));
	let angle = 6.283185307 * (u.yw - 0.5); // WGSL's sine and cosine are only good on [-pi, pi]
	store(i, vec4f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y)));
}

const LOW = vec4f(-30.0);
const HIGH = vec4f(20.0);

// clamp() that lets a NaN through: it must reach the loss to be noticed.
fn within(v: vec4f) -> vec4f {
	return select(select(v, HIGH, v > HIGH), LOW, v < LOW);
}

fn deviation(i: u32) -> vec4f { return exp(0.5 * within(logvar[i])); }

@compute @workgroup_size(64)
fn reparameterise(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (4u * i < params.n) { store(i, mean[i] + deviation(i) * noise[i]); }
}

// Gradient to logvar.
@compute @workgroup_size(64)
fn reparameteriseBackward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = id.x + id.y * groups.x * 64u;
	if (4u * i >= params.n) { return; }
	let kept = (logvar[i] >= LOW) & (logvar[i] <= HIGH);
	store(i, select(vec4f(0.0), 0.5 * dy[i] * noise[i] * deviation(i), kept));
}
