// Real images filtered by a spectrum, on a periodic grid of n x n, n = 2 M; and the spectrum of a set of points.
//
// An image is read as complex, two neighbours along y in one value: n x M values with a transform Z of n x M. With E and O the transforms of the even
// and the odd columns, Z = E + i O, E(k) = (Z(k) + Z(-k)*) / 2, i O(k) = (Z(k) - Z(-k)*) / 2, and a filter's spectrum S makes of them
//   E' = P E + Q w O,  O' = P O + Q w* E,  P, Q = (S(kx, ky) +- S(-kx, M - ky)*) / 2,  w = exp(-2 pi i ky / n).
// Three dispatches: rowsIn transforms along y, columns along x, filters and transforms back, rowsOut transforms back along y. Only rows and columns in
// use are touched. Two lines travel together as one of vec4f: neighbouring rows, or the columns ky and M - ky, which meet in the filter.
//
// A line is transformed in workgroup memory by length / 8 threads of eight values each. Lengths are parameters rather than constants so that
// loops stay loops: software drivers need half a minute to compile them unrolled.

struct Params {
	lines: u32,    // pairs of lines in the batch; for points: threads
	length: u32,   // of a line, a power of two from 8 to 512: M for rows, n for columns; n for points
	radix: u32,    // of a transform's first pass: 2, 4 or 8, so that length / radix is a power of 8
	filtering: u32, // spectrum taken as 0: S, 1: S*, 2: |S|^2
	side: u32,     // rows and columns of the image that comes in; points a sample
	start: u32,    // of the rows and columns before it in the grid
	sideOut: u32,  // the same of the image that goes out
	startOut: u32,
}

@group(0) @binding(0) var<storage, read> image: array<vec2f>;         // [B, side, side / 2]
@group(0) @binding(1) var<storage, read_write> rows: array<vec4f>;    // [B, M, side / 2], a pair of rows in each
@group(0) @binding(2) var<storage, read> z: array<vec2f>;             // the same as [B, M, side]
@group(0) @binding(3) var<storage, read> spectrum: array<vec2f>;      // [B, M + 1, n], first index ky
@group(0) @binding(4) var<storage, read_write> zOut: array<vec2f>;    // [B, M, sideOut]
@group(0) @binding(5) var<storage, read> rowsBack: array<vec4f>;      // the same as [B, M, sideOut / 2]
@group(0) @binding(6) var<storage, read_write> result: array<vec2f>;  // [B, sideOut, sideOut / 2]; S of points
@group(0) @binding(7) var<storage, read> points: array<f32>;          // [B, J, 3]: shift along x and y, weight
@group(0) @binding(8) var<storage, read_write> waves: array<vec4f>;   // [B, J, 2, quads, 2]: cosines, sines
@group(0) @binding(9) var<storage, read> wavesIn: array<vec4f>;
@group(0) @binding(10) var<uniform> params: Params;

var<workgroup> line: array<vec4f, 512>;
var<private> v: array<vec4f, 8>;

// exp(-2 pi i t) for |t| < 2. WGSL's own sine and cosine need only be good to 2^-11.
fn root(t: f32) -> vec2f {
	let quarter = round(4.0 * t);
	let x = 6.283185307179586 * (t - 0.25 * quarter);
	let y = x * x;
	let s = x * (1.0 + y * (-0.16666667 + y * (8.3333333e-3 + y * (-1.9841270e-4 + y * 2.7557319e-6))));
	let c = 1.0 + y * (-0.5 + y * (4.1666667e-2 + y * (-1.3888889e-3 + y * (2.4801587e-5 - y * 2.7557319e-7))));
	switch i32(quarter) & 3 {
		case 0: { return vec2f(c, -s); }
		case 1: { return vec2f(-s, -c); }
		case 2: { return vec2f(-c, s); }
		default: { return vec2f(s, c); }
	}
}

fn conjugate(a: vec2f) -> vec2f { return vec2f(a.x, -a.y); }
fn product(a: vec2f, b: vec2f) -> vec2f { return a.x * b + a.y * vec2f(-b.y, b.x); }
fn times(a: vec4f, b: vec2f) -> vec4f { return a * b.x + a.yxwz * vec4f(-b.y, b.y, -b.y, b.y); }
fn turned(a: vec4f) -> vec4f { return vec4f(a.y, -a.x, a.w, -a.z); } // times -i

fn two(a: u32, b: u32) {
	let difference = v[a] - v[b];
	v[a] += v[b];
	v[b] = difference;
}

const H = 0.7071067811865476; // cos(pi / 4)

// Transforms of v[q], v[q + 8/radix], v[q + 2 * 8/radix], ... in place, for each q < 8/radix: a transform of eight, or its first layers with other factors. The
// frequencies come out with their bits reversed.
fn butterflies(radix: u32) {
	for (var i = 0u; i < 4u; i++) { two(i, i + 4u); }
	if (radix == 2u) { return; }
	if (radix == 4u) {
		v[6] = turned(v[6]);
		v[7] = turned(v[7]);
	} else {
		v[5] = times(v[5], vec2f(H, -H));
		v[6] = turned(v[6]);
		v[7] = times(v[7], vec2f(-H, -H));
	}
	two(0u, 2u);
	two(1u, 3u);
	two(4u, 6u);
	two(5u, 7u);
	if (radix == 4u) { return; }
	v[3] = turned(v[3]);
	v[7] = turned(v[7]);
	for (var i = 0u; i < 8u; i += 2u) { two(i, i + 1u); }
}

// Transforms a line in workgroup memory (Stockham's form: the order stays natural). Before a pass there are interleaved transforms of length `span`.
fn transform(at: Place) {
	var radix = params.radix;
	for (var span = 1u; span < params.length;) {
		let k = at.lane & (span - 1u);
		let w = root(f32(k) / f32(8u * span)); // 1 in the first pass; the others have radix 8
		var power = vec2f(1.0, 0.0);
		for (var i = 0u; i < 8u; i++) {
			v[i] = times(line[at.base + at.lane + i * at.threads], power);
			power = product(power, w);
		}
		butterflies(radix);
		workgroupBarrier();
		let first = at.base + (at.lane - k) * radix + k;
		for (var i = 0u; i < 8u; i++) {
			let reversed = (i & 1u) * 4u + (i & 2u) + i / 4u;
			let q = i & (8u / radix - 1u);
			line[first + q * at.threads * radix + (reversed & (radix - 1u)) * span] = v[i];
		}
		workgroupBarrier();
		span *= radix;
		radix = 8u;
	}
}

struct Place {
	threads: u32, // that share a line
	lane: u32,    // of this one among them
	base: u32,    // of the line in workgroup memory
	pair: u32,    // of lines in the batch; those beyond the last do it once more, and are not stored
	stored: bool,
}

fn place(thread: u32, group: vec3u, groups: vec3u) -> Place {
	let threads = params.length / 8u;
	let shift = firstTrailingBit(threads);
	let pair = ((group.x + group.y * groups.x) * 64u + thread) >> shift;
	return Place(
		threads,
		thread & (threads - 1u),
		(thread >> shift) * params.length,
		min(pair, params.lines - 1u),
		pair < params.lines,
	);
}

@compute @workgroup_size(64)
fn rowsIn(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let at = place(thread, group, groups);
	let width = params.side / 2u;
	for (var i = at.lane; i < params.length; i += at.threads) {
		let c = i - params.start / 2u; // left of the image it wraps around
		let source = 2u * at.pair * width + min(c, width - 1u);
		line[at.base + i] = select(vec4f(), vec4f(image[source], image[source + width]), c < width);
	}
	workgroupBarrier();
	transform(at);
	if (!at.stored) { return; }
	let to = at.pair / width * params.length * width + at.pair % width;
	for (var i = at.lane; i < params.length; i += at.threads) { rows[to + i * width] = line[at.base + i]; }
}

fn response(s: vec2f) -> vec2f {
	switch params.filtering {
		case 1u: { return conjugate(s); }
		case 2u: { return vec2f(dot(s, s), 0.0); }
		default: { return s; }
	}
}

// Z'(k) and Z'(-k) from Z(k), Z(-k), S(kx, ky), S(-kx, M - ky) and w. Real and imaginary part change places, here and at the end: that makes the
// inverse transform of the forward one.
fn filtered(value: vec2f, mate: vec2f, s: vec2f, sMate: vec2f, w: vec2f) -> vec4f {
	let e = value + conjugate(mate);
	let io = value - conjugate(mate);
	let plus = response(s);
	let minus = conjugate(response(sMate));
	let we = product(conjugate(w), e);
	let wio = product(w, io);
	let even = product(plus + minus, e) + product(plus - minus, vec2f(wio.y, -wio.x));
	let iOdd = product(plus + minus, io) + product(plus - minus, vec2f(-we.y, we.x));
	let forth = even + iOdd;
	let back = even - iOdd;
	return vec4f(forth.yx, -back.y, back.x) * 0.5 / f32(params.length * params.length);
}

@compute @workgroup_size(64)
fn columns(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let at = place(thread, group, groups);
	let n = params.length;
	let M = n / 2u;
	let sample = at.pair / (M / 2u);
	// The columns of a pair are each other's mirror images; 0 and M / 2, their own ones, make a pair too.
	let a = at.pair % (M / 2u);
	let own = a == 0u;
	let b = select(M - a, M / 2u, own);
	let fromA = (sample * M + a) * params.side;
	let fromB = (sample * M + b) * params.side;
	for (var i = at.lane; i < n; i += at.threads) {
		let x = min(i - params.start, params.side);
		let inside = x < params.side;
		line[at.base + i] = vec4f(
			select(vec2f(), z[fromA + min(x, params.side - 1u)], inside),
			select(vec2f(), z[fromB + min(x, params.side - 1u)], inside),
		);
	}
	workgroupBarrier();
	transform(at);

	let s = sample * (M + 1u) * n;
	let sa = s + a * n;
	let sb = s + b * n;
	let mirrorA = s + (M - a) * n;
	let mirrorB = s + (M - b) * n;
	let wa = root(f32(a) / f32(n));
	let wb = root(f32(b) / f32(n));
	for (var i = at.lane; i <= M; i += at.threads) {
		let j = (n - i) & (n - 1u); // -i
		let u = line[at.base + i];
		let second = line[at.base + j];
		// The mirror image of u's first value is m's second; in the columns that are their own, m's first.
		let m = select(second.zwxy, second, own);
		let za = filtered(u.xy, m.xy, spectrum[sa + i], spectrum[mirrorA + j], wa);
		let zb = filtered(u.zw, m.zw, spectrum[sb + i], spectrum[mirrorB + j], wb);
		let there = vec4f(za.zw, zb.zw);
		line[at.base + i] = vec4f(za.xy, zb.xy);
		line[at.base + j] = select(there.zwxy, there, own);
	}
	workgroupBarrier();
	transform(at);
	if (!at.stored) { return; }
	let toA = (sample * M + a) * params.sideOut;
	let toB = (sample * M + b) * params.sideOut;
	for (var i = at.lane; i < params.sideOut; i += at.threads) {
		let value = line[at.base + params.startOut + i];
		zOut[toA + i] = value.xy;
		zOut[toB + i] = value.zw;
	}
}

@compute @workgroup_size(64)
fn rowsOut(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let at = place(thread, group, groups);
	let width = params.sideOut / 2u;
	let source = at.pair / width * params.length * width + at.pair % width;
	for (var i = at.lane; i < params.length; i += at.threads) { line[at.base + i] = rowsBack[source + i * width]; }
	workgroupBarrier();
	transform(at);
	if (!at.stored) { return; }
	for (var i = at.lane; i < width; i += at.threads) {
		let value = line[at.base + params.startOut / 2u + i];
		result[2u * at.pair * width + i] = value.yx;
		result[(2u * at.pair + 1u) * width + i] = value.wz;
	}
}

// exp(2 pi i k s / n) for four k from 0 to M, of the points' x and y: the spectrum is a sum of products of them. The phase is taken modulo whole turns before
// it is rounded. At k = M its real part only. The weight goes with y.
@compute @workgroup_size(64)
fn pointWaves(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	let quads = params.length / 8u + 1u;
	if (t >= params.lines) { return; }
	let point = t / (2u * quads);
	let axis = t / quads % 2u;
	let shift = points[3u * point + axis];
	let whole = round(shift);
	let weight = select(1.0, points[3u * point + 2u], axis == 1u);
	var cosine = vec4f();
	var sine = vec4f();
	for (var i = 0u; i < 4u; i++) {
		let k = t % quads * 4u + i;
		let turns = (i32(k) * i32(whole)) & i32(params.length - 1u);
		let r = root((f32(turns) + f32(k) * (shift - whole)) / f32(params.length));
		cosine[i] = weight * r.x;
		sine[i] = select(-weight * r.y, 0.0, 2u * k == params.length);
	}
	waves[2u * t] = cosine;
	waves[2u * t + 1u] = sine;
}

// Threads (b, four ky, four kx): S(kx, ky) and S(-kx, ky) of J = side points.
@compute @workgroup_size(64)
fn pointSpectrum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = id.x + id.y * groups.x * 64u;
	if (t >= params.lines) { return; }
	let M = params.length / 2u;
	let quads = params.length / 8u + 1u;
	let qx = t % quads;
	let qy = t / quads % quads;
	let sample = t / (quads * quads);
	var cc: array<vec4f, 4>; // sums of cos(x) cos(y), for kx in the vector and ky in the array; and so on
	var ss: array<vec4f, 4>;
	var cs: array<vec4f, 4>;
	var sc: array<vec4f, 4>;
	for (var j = 0u; j < params.side; j++) {
		let x = ((sample * params.side + j) * 2u * quads + qx) * 2u;
		let y = ((sample * params.side + j) * 2u * quads + quads + qy) * 2u;
		let xc = wavesIn[x];
		let xs = wavesIn[x + 1u];
		let yc = wavesIn[y];
		let ys = wavesIn[y + 1u];
		for (var i = 0u; i < 4u; i++) {
			cc[i] += xc * yc[i];
			ss[i] += xs * ys[i];
			cs[i] += xc * ys[i];
			sc[i] += xs * yc[i];
		}
	}
	for (var i = 0u; i < 4u; i++) {
		let row = (sample * (M + 1u) + 4u * qy + i) * params.length;
		for (var l = 0u; l < 4u; l++) {
			let kx = 4u * qx + l;
			if (kx > M || 4u * qy + i > M) { continue; }
			result[row + kx] = vec2f(cc[i][l] - ss[i][l], cs[i][l] + sc[i][l]);
			if (kx > 0u && kx < M) { result[row + params.length - kx] = vec2f(cc[i][l] + ss[i][l], cs[i][l] - sc[i][l]); }
		}
	}
}
