// Philox4x32-10 (Salmon et al., SC'11) exactly as in src/random.ts: thread i draws four numbers from the counter (i, step, stream, DOMAIN) under the key
// of the seed; the host's streams have 0 there, so no two are ever the same. Normal numbers by Box and Muller.

// import thread

const DOMAIN = 0x6c656e73u; // "lens"

struct Params {
	n: u32,
	step: u32,
	stream: u32,
	seed: vec2u, // low and high 32 bits
	p: f32,      // dropout: the part that goes
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
	return philox(vec4u(i, params.step, params.stream, DOMAIN), params.seed);
}

fn store(i: u32, value: vec4f) {
	y[i] = select(vec4f(0.0), value, 4u * i + vec4u(0u, 1u, 2u, 3u) < vec4u(params.n));
}

@compute @workgroup_size(64)
fn bits(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i < params.n) { words[i] = draw(i); }
}

// Logarithm, cosine and sine by series, good to a few last digits: WGSL lets a driver's own be far off, and some are, by 2e-4.

// ln u of normal numbers, as e ln 2 + 2 artanh((m - 1) / (m + 1)) with u = 2^e m and m between the roots of 1/2 and 2.
fn logarithm(u: vec2f) -> vec2f {
	let bits = bitcast<vec2i>(u);
	let e = (bits - 0x3f3504f3) >> vec2u(23u);
	let m = bitcast<vec2f>(bits - (e << vec2u(23u)));
	let s = (m - 1.0) / (m + 1.0);
	let t = s * s;
	let series = 1.0 + t * (1.0 / 3.0 + t * (1.0 / 5.0 + t * (1.0 / 7.0 + t * (1.0 / 9.0))));
	return vec2f(e) * 0.69314718 + 2.0 * s * series;
}

// Of an angle in turns, between -1/2 and 1/2.
struct Direction { cos: vec2f, sin: vec2f }

fn direction(turns: vec2f) -> Direction {
	let quarter = round(4.0 * turns);
	let r = 6.2831853 * (turns - 0.25 * quarter); // at most pi / 4; the difference is exact
	let t = r * r;
	let s = r * (1.0 + t * (-1.0 / 6.0 + t * (1.0 / 120.0 + t * (-1.0 / 5040.0 + t * (1.0 / 362880.0)))));
	let c = 1.0 + t * (-0.5 + t * (1.0 / 24.0 + t * (-1.0 / 720.0 + t * (1.0 / 40320.0 - t * (1.0 / 3628800.0)))));
	let q = vec2i(quarter) & vec2i(3);
	let swapped = (q & vec2i(1)) != vec2i(0);
	let cosine = select(c, s, swapped);
	let sine = select(s, c, swapped);
	return Direction(
		select(cosine, -cosine, (q == vec2i(1)) | (q == vec2i(2))),
		select(sine, -sine, q >= vec2i(2)),
	);
}

@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	// 24 bits, half a step away from 0 and from 1; rounded to f32 the largest is 1.
	let u = (vec4f(draw(i) >> vec4u(8u)) + 0.5) / 16777216.0;
	let radius = sqrt(-2.0 * logarithm(u.xz));
	let d = direction(u.yw - 0.5);
	store(i, vec4f(radius.x * d.cos.x, radius.x * d.sin.x, radius.y * d.cos.y, radius.y * d.sin.y));
}

// y = mean / (1 - p) where it stays, else 0 times that, which a NaN survives. The gradient is the same of dy.
@compute @workgroup_size(64)
fn dropout(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let u = (vec4f(draw(i) >> vec4u(8u)) + 0.5) / 16777216.0;
	store(i, mean[i] * select(vec4f(0.0), vec4f(1.0 / (1.0 - params.p)), u >= vec4f(params.p)));
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
	let i = threadOf(id, groups);
	if (4u * i < params.n) { store(i, mean[i] + deviation(i) * noise[i]); }
}

// Gradient to logvar.
@compute @workgroup_size(64)
fn reparameteriseBackward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (4u * i >= params.n) { return; }
	let kept = (logvar[i] >= LOW) & (logvar[i] <= HIGH);
	store(i, select(vec4f(0.0), 0.5 * dy[i] * noise[i] * deviation(i), kept));
}
