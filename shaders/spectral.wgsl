// Real images filtered by a spectrum on a periodic grid of n x m: three dispatches of one-dimensional transforms (see ops/spectral.ts).
//
// rowsIn transforms pairs of rows, which travel as one complex line a + i b and are told apart afterwards; of their spectra frequencies 0 to m/2 are kept.
// columns transforms along x, multiplies by the filter, and transforms back; rowsOut puts pairs of rows together again and transforms them back. Only rows
// and columns in use are touched.
//
// Lines lie in workgroup memory, as many as fit, and are transformed in place: decimation in frequency on the way there, which leaves frequency k at order(k),
// decimation in time on the way back, which takes it from there, with real and imaginary part exchanged, for that conjugates. Lengths are parameters
// rather than constants so that loops stay loops: software drivers need half a minute to compile them unrolled.

struct Params {
	lines: u32,      // of the batch: pairs of rows, or columns
	length: u32,     // of a line, at most CAPACITY: m for rows, n for columns
	factors: u32,    // of the length, each 2 to 5, four bits each, the first lowest
	passes: u32,     // number of factors
	together: u32,   // lines in a workgroup
	frequencies: u32, // along y that are kept, m/2 + 1
	conjugated: u32, // 1: the filter's conjugate
	oneFilter: u32,  // 1: one filter for all of the batch
	rows: u32,       // of the image that comes in
	columns: u32,
	rowsAfter: u32,  // of the image that goes out
	columnsAfter: u32,
}

@group(0) @binding(0) var<storage, read> plan: array<vec4f>;         // [length]: exp(-2 pi i k / length), order(k), 0
@group(0) @binding(1) var<storage, read> image: array<f32>;          // [B, rows, columns]
@group(0) @binding(2) var<storage, read_write> z: array<vec2f>;      // [B, frequencies, rows]
@group(0) @binding(3) var<storage, read> zIn: array<vec2f>;          // the same
@group(0) @binding(4) var<storage, read> spectrum: array<vec2f>;     // [B or 1, frequencies, n], kx at order(kx)
@group(0) @binding(5) var<storage, read_write> zOut: array<vec2f>;   // [B, frequencies, rowsAfter]
@group(0) @binding(6) var<storage, read> zBack: array<vec2f>;        // the same
@group(0) @binding(7) var<storage, read_write> result: array<f32>;   // [B, rowsAfter, columnsAfter]
@group(0) @binding(8) var<uniform> params: Params;

const THREADS = 128u;
const CAPACITY = 2048u;
var<workgroup> line: array<vec2f, CAPACITY>;

var<private> v: array<vec2f, 5>;

fn product(a: vec2f, b: vec2f) -> vec2f { return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
fn turned(a: vec2f) -> vec2f { return vec2f(a.y, -a.x); } // times -i
fn conjugate(a: vec2f) -> vec2f { return vec2f(a.x, -a.y); }

fn two() {
	let a = v[0];
	v[0] = a + v[1];
	v[1] = a - v[1];
}

fn three() {
	let middle = v[0] - 0.5 * (v[1] + v[2]);
	let side = 0.8660254037844386 * turned(v[1] - v[2]);
	v[0] += v[1] + v[2];
	v[1] = middle + side;
	v[2] = middle - side;
}

fn four() {
	let sum = v[0] + v[2];
	let other = v[1] + v[3];
	let middle = v[0] - v[2];
	let side = turned(v[1] - v[3]);
	v[0] = sum + other;
	v[1] = middle + side;
	v[2] = sum - other;
	v[3] = middle - side;
}

fn five() {
	let inner = v[1] + v[4];
	let outer = v[2] + v[3];
	let left = v[1] - v[4];
	let right = v[2] - v[3];
	// cosines and sines of 2 pi / 5 and 4 pi / 5
	let near = v[0] + 0.30901699437494745 * inner - 0.8090169943749475 * outer;
	let far = v[0] - 0.8090169943749475 * inner + 0.30901699437494745 * outer;
	let nearSide = turned(0.9510565162951535 * left + 0.5877852522924731 * right);
	let farSide = turned(0.5877852522924731 * left - 0.9510565162951535 * right);
	v[0] += inner + outer;
	v[1] = near + nearSide;
	v[2] = far + farSide;
	v[3] = far - farSide;
	v[4] = near - nearSide;
}

// The roots of unity that belong to a butterfly's values.
fn twiddle(radix: u32, turn: u32) {
	v[1] = product(v[1], plan[turn].xy);
	if (radix > 2u) { v[2] = product(v[2], plan[2u * turn].xy); }
	if (radix > 3u) { v[3] = product(v[3], plan[3u * turn].xy); }
	if (radix > 4u) { v[4] = product(v[4], plan[4u * turn].xy); }
}

// All lines of the workgroup. Ends with a barrier.
fn transform(thread: u32, back: bool) {
	let n = params.length;
	var span = select(n, 1u, back);
	for (var i = 0u; i < params.passes; i++) {
		let number = select(i, params.passes - 1u - i, back);
		let radix = (params.factors >> (4u * number)) & 15u;
		if (back) { span *= radix; }
		let apart = span / radix;
		let each = n / radix;
		for (var t = thread; t < params.together * each; t += THREADS) {
			let own = t % each;
			let j = own % apart;
			let base = t / each * n + own / apart * span + j;
			let turn = j * (n / span);
			v[0] = line[base];
			v[1] = line[base + apart];
			if (radix > 2u) { v[2] = line[base + 2u * apart]; }
			if (radix > 3u) { v[3] = line[base + 3u * apart]; }
			if (radix > 4u) { v[4] = line[base + 4u * apart]; }
			if (back) { twiddle(radix, turn); }
			switch radix {
				case 2u: { two(); }
				case 3u: { three(); }
				case 4u: { four(); }
				default: { five(); }
			}
			if (!back) { twiddle(radix, turn); }
			line[base] = v[0];
			line[base + apart] = v[1];
			if (radix > 2u) { line[base + 2u * apart] = v[2]; }
			if (radix > 3u) { line[base + 3u * apart] = v[3]; }
			if (radix > 4u) { line[base + 4u * apart] = v[4]; }
		}
		workgroupBarrier();
		if (!back) { span = apart; }
	}
}

fn order(k: u32) -> u32 { return u32(plan[k].z); }

fn firstLine(group: vec3u, groups: vec3u) -> u32 { return (group.x + group.y * groups.x) * params.together; }

@compute @workgroup_size(THREADS)
fn rowsIn(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let n = params.length;
	let first = firstLine(group, groups);
	let pairs = (params.rows + 1u) / 2u;
	for (var t = thread; t < params.together * n; t += THREADS) {
		let pair = first + t / n;
		let y = t % n;
		var value = vec2f();
		if (pair < params.lines && y < params.columns) {
			let row = pair % pairs * 2u;
			let at = (pair / pairs * params.rows + row) * params.columns + y;
			value.x = image[at];
			if (row + 1u < params.rows) { value.y = image[at + params.columns]; }
		}
		line[t] = value;
	}
	workgroupBarrier();
	transform(thread, false);
	// Neighbouring threads write neighbouring rows.
	for (var t = thread; t < params.together * params.frequencies; t += THREADS) {
		let k = t / params.together;
		let own = t % params.together;
		let pair = first + own;
		if (pair >= params.lines) { continue; }
		let here = line[own * n + order(k)];
		let mirror = conjugate(line[own * n + order(select(n - k, 0u, k == 0u))]);
		let row = pair % pairs * 2u;
		let to = (pair / pairs * params.frequencies + k) * params.rows + row;
		z[to] = 0.5 * (here + mirror);
		if (row + 1u < params.rows) { z[to + 1u] = 0.5 * turned(here - mirror); }
	}
}

@compute @workgroup_size(THREADS)
fn columns(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let n = params.length;
	let first = firstLine(group, groups);
	for (var t = thread; t < params.together * n; t += THREADS) {
		let column = first + t / n;
		let x = t % n;
		line[t] = vec2f();
		if (column < params.lines && x < params.rows) { line[t] = zIn[column * params.rows + x]; }
	}
	workgroupBarrier();
	// There and back in a loop: drivers that inline it compile it once.
	for (var way = 0u; way < 2u; way++) {
		transform(thread, way == 1u);
		for (var t = thread; way == 0u && t < params.together * n; t += THREADS) {
			let column = first + t / n;
			if (column >= params.lines) { continue; }
			let row = select(column, column % params.frequencies, params.oneFilter == 1u);
			let s = spectrum[row * n + t % n];
			line[t] = product(line[t], select(s, conjugate(s), params.conjugated == 1u)).yx;
		}
		workgroupBarrier();
	}
	for (var t = thread; t < params.together * params.rowsAfter; t += THREADS) {
		let own = t / params.rowsAfter;
		let x = t % params.rowsAfter;
		if (first + own < params.lines) { zOut[(first + own) * params.rowsAfter + x] = line[own * n + x].yx; }
	}
}

@compute @workgroup_size(THREADS)
fn rowsOut(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
	let n = params.length;
	let first = firstLine(group, groups);
	let pairs = (params.rowsAfter + 1u) / 2u;
	for (var t = thread; t < params.together * params.frequencies; t += THREADS) {
		let k = t / params.together;
		let own = t % params.together;
		let pair = first + own;
		var a = vec2f();
		var b = vec2f();
		if (pair < params.lines) {
			let row = pair % pairs * 2u;
			let source = (pair / pairs * params.frequencies + k) * params.rowsAfter + row;
			a = zBack[source];
			if (row + 1u < params.rowsAfter) { b = zBack[source + 1u]; }
		}
		// a + i b; at -k, which is at hand only here, a* + i b*
		if (k > 0u) { line[own * n + order(n - k)] = vec2f(b.x - a.y, a.x + b.y); }
		line[own * n + order(k)] = vec2f(a.y + b.x, a.x - b.y);
	}
	workgroupBarrier();
	transform(thread, true);
	for (var t = thread; t < params.together * params.columnsAfter; t += THREADS) {
		let own = t / params.columnsAfter;
		let y = t % params.columnsAfter;
		let pair = first + own;
		if (pair >= params.lines) { continue; }
		let row = pair % pairs * 2u;
		let to = (pair / pairs * params.rowsAfter + row) * params.columnsAfter + y;
		let value = line[own * n + y].yx;
		result[to] = value.x;
		if (row + 1u < params.rowsAfter) { result[to + params.columnsAfter] = value.y; }
	}
}
