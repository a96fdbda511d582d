// Attention with one head, y = softmax(scale Q Kᵀ) V for Q [B, R, C] and K, V [B, N, C], without a matrix of R x N in memory. A workgroup takes 32 rows and walks
// along the columns, 64 at a time: it finds their weights, keeps them in workgroup memory, and adds to its rows what these weigh. In the forward pass the rows are
// queries and the columns keys, and what was added fades as larger scores turn up (Milakov and Gimelshein 2018; Dao et al. 2022). The gradients find the
// weights again from the logarithm of each query's sum of exponentials:
//   P = exp(scale Q Kᵀ - lse),  dS = scale P (dY Vᵀ - delta),  delta = sum over channels of dY Y
//   dQ = dS K,  dK = dSᵀ Q,  dV = Pᵀ dY
// Each has passes of its own and a fixed order of sums. C is a multiple of 4.

// import thread

struct Params {
	batch: u32,
	rows: u32,
	columns: u32,
	quads: u32, // C / 4
	slabs: u32, // of 128 quads, which one workgroup can sum
	scale: f32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>; // [B, rows, C]: Q; of dK and dV, K
@group(0) @binding(1) var<storage, read> b: array<vec4f>; // [B, columns, C]: K; of dK and dV, Q
@group(0) @binding(2) var<storage, read> a2: array<vec4f>; // [B, rows, C]: dY; of dK and dV, V
@group(0) @binding(3) var<storage, read> b2: array<vec4f>; // [B, columns, C]: V; of dK and dV, dY
@group(0) @binding(4) var<storage, read> sums: array<f32>; // lse [B, queries]
@group(0) @binding(5) var<storage, read> delta: array<f32>; // [B, queries]
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>; // [B, rows, C]: Y, dQ, dK or dV
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<storage, read_write> dots: array<f32>; // delta
@group(0) @binding(9) var<uniform> params: Params;

const QUADS = 4u; // of channels that a thread sums at most

override GRADIENT = 0u; // 0 to Q, 1 to K, 2 to V

const LOWEST = -3.4e38;

// 16 channels of the rows and columns: [4 quads, 32 rows], [4 quads, 64 columns].
var<workgroup> tileA: array<vec4f, 128>;
var<workgroup> tileB: array<vec4f, 256>;
// Of 4 rows each: [8, 64 columns].
var<workgroup> weights: array<vec4f, 512>;

// Of this thread's 4 rows, QUADS quads each.
var<private> total: array<vec4f, 16>;

struct Place {
	sample: u32,
	top: u32, // first row
	slab: u32,
	inside: bool,
}

fn placeOf(group: vec3u, groups: vec3u) -> Place {
	let blocks = (params.rows + 31) / 32;
	let t = group.x + group.y * groups.x;
	let sample = t / (blocks * params.slabs);
	return Place(sample, t / params.slabs % blocks * 32, t % params.slabs, sample < params.batch);
}

// Products of rows with columns; `second`: of a2 and b2.
fn fetchA(second: bool, at: u32) -> vec4f {
	if (second) { return a2[at]; }
	return a[at];
}

fn fetchB(second: bool, at: u32) -> vec4f {
	if (second) { return b2[at]; }
	return b[at];
}

// A thread's 4 rows are those of thread / 32, its columns thread % 32 and 32 more.
fn products(second: bool, p: Place, left: u32, thread: u32) -> array<vec4f, 2> {
	let rowA = (p.sample * params.rows + min(p.top + thread / 4 % 32, params.rows - 1)) * params.quads;
	let rowB = (p.sample * params.columns + min(left + thread / 4, params.columns - 1)) * params.quads;
	let mine = thread / 32 * 4;
	let lane = thread % 32;
	var s0: vec4f;
	var s1: vec4f;
	for (var c = 0u; c < params.quads; c += 4) {
		let quad = c + thread % 4;
		// Dawn clears a variable that is given no value at the first turn only.
		var fromA = vec4f();
		var fromB = vec4f();
		if (quad < params.quads) {
			if (thread < 128) { fromA = fetchA(second, rowA + quad); }
			fromB = fetchB(second, rowB + quad);
		}
		workgroupBarrier();
		if (thread < 128) { tileA[thread % 4 * 32 + thread / 4] = fromA; }
		tileB[thread % 4 * 64 + thread / 4] = fromB;
		workgroupBarrier();
		for (var q = 0u; q < 4; q++) {
			let u0 = tileA[q * 32 + mine];
			let u1 = tileA[q * 32 + mine + 1];
			let u2 = tileA[q * 32 + mine + 2];
			let u3 = tileA[q * 32 + mine + 3];
			let v0 = tileB[q * 64 + lane];
			let v1 = tileB[q * 64 + lane + 32];
			s0 += vec4f(dot(u0, v0), dot(u1, v0), dot(u2, v0), dot(u3, v0));
			s1 += vec4f(dot(u0, v1), dot(u1, v1), dot(u2, v1), dot(u3, v1));
		}
	}
	return array<vec4f, 2>(s0, s1);
}

// Adds b, or b2, of 64 columns, by the weights, which all threads have written.
fn accumulate(second: bool, p: Place, left: u32, thread: u32) {
	workgroupBarrier();
	for (var c = 0u; c < min(64, params.columns - left); c++) {
		let w = weights[thread / 32 * 64 + c];
		let row = (p.sample * params.columns + left + c) * params.quads;
		for (var j = 0u; j < QUADS; j++) {
			if (p.slab * 128 + j * 32 < params.quads) {
				let v = fetchB(second, row + min(quadOf(p, j, thread), params.quads - 1));
				total[j] = fma(vec4f(w.x), v, total[j]);
				total[4 + j] = fma(vec4f(w.y), v, total[4 + j]);
				total[8 + j] = fma(vec4f(w.z), v, total[8 + j]);
				total[12 + j] = fma(vec4f(w.w), v, total[12 + j]);
			}
		}
	}
}

fn quadOf(p: Place, j: u32, thread: u32) -> u32 {
	return p.slab * 128 + j * 32 + thread % 32;
}

fn store(p: Place, factor: vec4f, thread: u32) {
	for (var i = 0u; i < 4; i++) {
		let row = p.top + thread / 32 * 4 + i;
		for (var j = 0u; j < QUADS; j++) {
			let quad = quadOf(p, j, thread);
			if (row < params.rows && quad < params.quads) {
				y[(p.sample * params.rows + row) * params.quads + quad] = factor[i] * total[4 * i + j];
			}
		}
	}
}

// Keeps a value for the 32 threads of the same rows to see, in the memory of the weights.
fn share(thread: u32, value: vec4f) {
	workgroupBarrier();
	weights[thread / 32 * 64 + thread % 32] = value;
	workgroupBarrier();
}

fn largest(thread: u32, value: vec4f) -> vec4f {
	share(thread, value);
	var most = value;
	let first = thread / 32 * 64;
	for (var i = first; i < first + 32; i++) {
		most = max(most, weights[i]);
	}
	workgroupBarrier();
	return most;
}

fn summed(thread: u32, value: vec4f) -> vec4f {
	share(thread, value);
	var sum: vec4f;
	let first = thread / 32 * 64;
	for (var i = first; i < first + 32; i++) {
		sum += weights[i];
	}
	return sum;
}

// The weights of columns beyond the last are zero.
fn keep(thread: u32, left: u32, low: vec4f, high: vec4f) {
	let lane = thread % 32;
	let at = thread / 32 * 64 + lane;
	weights[at] = select(vec4f(), low, left + lane < params.columns);
	weights[at + 32] = select(vec4f(), high, left + lane + 32 < params.columns);
}

// Workgroups (b, 32 rows, slab): y, and lse, from a = Q, b = K, b2 = V.
@compute @workgroup_size(256)
fn forward(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let p = placeOf(group, groups);
	if (!p.inside) { return; }
	let lane = thread % 32;
	var most = vec4f(LOWEST);
	var sum: vec4f; // of the exponentials of this thread's columns
	for (var left = 0u; left < params.columns; left += 64) {
		let s = products(false, p, left, thread);
		let low = select(vec4f(LOWEST), s[0] * params.scale, left + lane < params.columns);
		let high = select(vec4f(LOWEST), s[1] * params.scale, left + lane + 32 < params.columns);
		let next = max(most, largest(thread, max(low, high)));
		let fade = exp(most - next);
		most = next;
		let e = array<vec4f, 2>(exp(low - most), exp(high - most));
		sum = sum * fade + e[0] + e[1];
		for (var j = 0u; j < QUADS; j++) {
			total[j] *= fade.x;
			total[4 + j] *= fade.y;
			total[8 + j] *= fade.z;
			total[12 + j] *= fade.w;
		}
		keep(thread, left, e[0], e[1]);
		accumulate(true, p, left, thread);
	}
	sum = summed(thread, sum);
	store(p, 1 / sum, thread);
	let row = p.top + thread / 32 * 4 + lane;
	if (p.slab == 0 && lane < 4 && row < params.rows) {
		lse[p.sample * params.rows + row] = most[lane] + log(sum[lane]);
	}
}

// Threads (b, query): a = dY, b = Y.
@compute @workgroup_size(64)
fn dotRows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let row = threadOf(id, groups);
	if (row >= params.batch * params.rows) { return; }
	var sum = 0.0;
	for (var i = row * params.quads; i < (row + 1) * params.quads; i++) {
		sum += dot(a[i], b[i]);
	}
	dots[row] = sum;
}

// Of a query: lse and delta.
fn known(at: u32) -> vec2f {
	return vec2f(sums[at], delta[at]);
}

// dQ, dK or dV. What belongs to a query is a row's in the first, a column's in the others.
@compute @workgroup_size(256)
fn gradient(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let p = placeOf(group, groups);
	if (!p.inside) { return; }
	let lane = thread % 32;
	let row = p.top + thread / 32 * 4;
	var known0: mat2x4f;
	if (GRADIENT == 0) {
		let first = p.sample * params.rows;
		let last = params.rows - 1;
		known0 = transpose(mat4x2f(
			known(first + min(row, last)),
			known(first + min(row + 1, last)),
			known(first + min(row + 2, last)),
			known(first + min(row + 3, last)),
		));
	}
	var known1 = known0;
	for (var left = 0u; left < params.columns; left += 64) {
		if (GRADIENT != 0) {
			let first = p.sample * params.columns;
			let last = params.columns - 1;
			let low = known(first + min(left + lane, last));
			let high = known(first + min(left + lane + 32, last));
			known0 = mat2x4f(vec4f(low.x), vec4f(low.y));
			known1 = mat2x4f(vec4f(high.x), vec4f(high.y));
		}
		let s = products(false, p, left, thread);
		var low = exp(s[0] * params.scale - known0[0]);
		var high = exp(s[1] * params.scale - known1[0]);
		if (GRADIENT != 2) {
			let dp = products(true, p, left, thread);
			low *= params.scale * (dp[0] - known0[1]);
			high *= params.scale * (dp[1] - known1[1]);
		}
		keep(thread, left, low, high);
		accumulate(GRADIENT == 2, p, left, thread);
	}
	store(p, vec4f(1), thread);
}
