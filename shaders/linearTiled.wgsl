// Dense layers with few rows: y[m, n] = sum_k x[m, k] w[n, k]. The weights are read once, and that is all there is to gain, so
// a thread keeps eight rows of x against each weight that it loads. K is a multiple of 4.

struct Params {
	m: u32,
	n: u32,
	k4: u32, // K / 4
	each: u32, // of the N that a slice of inputGradient sums
}

// import linear

/// Start of row i of a block; rows beyond the last repeat it, and are not stored.
fn row(first: u32, i: u32) -> u32 {
	return min(first + i, params.m - 1u);
}

fn products(at: array<u32, 8>, k: u32, b: vec4f) -> array<vec4f, 2> {
	return array<vec4f, 2>(
		vec4f(dot(x[at[0] + k], b), dot(x[at[1] + k], b), dot(x[at[2] + k], b), dot(x[at[3] + k], b)),
		vec4f(dot(x[at[4] + k], b), dot(x[at[5] + k], b), dot(x[at[6] + k], b), dot(x[at[7] + k], b)),
	);
}

fn starts(first: u32) -> array<u32, 8> {
	let k = params.k4;
	return array<u32, 8>(
		row(first, 0u) * k, row(first, 1u) * k, row(first, 2u) * k, row(first, 3u) * k,
		row(first, 4u) * k, row(first, 5u) * k, row(first, 6u) * k, row(first, 7u) * k,
	);
}

// A workgroup an output column, whose threads split the sum over k: a thread each would leave a GPU idle.
var<workgroup> partial: array<array<vec4f, 2>, 64>;

@compute @workgroup_size(64)
fn forward(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
	let first = group.y * ROWS;
	let at = starts(first);
	var low = vec4f();
	var high = vec4f();
	for (var k = lane; k < params.k4; k += 64u) {
		let p = products(at, k, w[group.x * params.k4 + k]);
		low += p[0];
		high += p[1];
	}
	partial[lane] = array<vec4f, 2>(low, high);
	for (var half = 32u; half > 0u; half /= 2u) {
		workgroupBarrier();
		if (lane < half) {
			partial[lane][0] += partial[lane + half][0];
			partial[lane][1] += partial[lane + half][1];
		}
	}
	if (lane == 0u) { store(first, group.x, partial[0][0], partial[0][1]); }
}

// dx[m, k] = sum_n dy[m, n] w[n, k]: a thread four columns of eight rows. There may be few of these, and many n: so workgroups in z sum a slice of n each.
@compute @workgroup_size(32)
fn inputGradient(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
	let first = group.y * ROWS;
	let k = min(id.x, params.k4 - 1u);
	let n = params.n;
	let r0 = row(first, 0u) * n;
	let r1 = row(first, 1u) * n;
	let r2 = row(first, 2u) * n;
	let r3 = row(first, 3u) * n;
	let r4 = row(first, 4u) * n;
	let r5 = row(first, 5u) * n;
	let r6 = row(first, 6u) * n;
	let r7 = row(first, 7u) * n;
	var s0 = vec4f();
	var s1 = vec4f();
	var s2 = vec4f();
	var s3 = vec4f();
	var s4 = vec4f();
	var s5 = vec4f();
	var s6 = vec4f();
	var s7 = vec4f();
	let begin = group.z * params.each;
	for (var i = begin; i < min(begin + params.each, n); i++) {
		let b = w[i * params.k4 + k];
		s0 = fma(vec4f(dy[r0 + i]), b, s0);
		s1 = fma(vec4f(dy[r1 + i]), b, s1);
		s2 = fma(vec4f(dy[r2 + i]), b, s2);
		s3 = fma(vec4f(dy[r3 + i]), b, s3);
		s4 = fma(vec4f(dy[r4 + i]), b, s4);
		s5 = fma(vec4f(dy[r5 + i]), b, s5);
		s6 = fma(vec4f(dy[r6 + i]), b, s6);
		s7 = fma(vec4f(dy[r7 + i]), b, s7);
	}
	if (id.x >= params.k4) { return; }
	storeInput(group.z, first, k, array<vec4f, 8>(s0, s1, s2, s3, s4, s5, s6, s7));
}

// dw[n, k] = sum_m dy[m, n] x[m, k]: a thread four columns of eight rows.
@compute @workgroup_size(32)
fn weightGradient(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
	let first = group.y * ROWS;
	let k = min(id.x, params.k4 - 1u);
	let last = params.n - 1u;
	let c0 = min(first, last);
	let c1 = min(first + 1u, last);
	let c2 = min(first + 2u, last);
	let c3 = min(first + 3u, last);
	let c4 = min(first + 4u, last);
	let c5 = min(first + 5u, last);
	let c6 = min(first + 6u, last);
	let c7 = min(first + 7u, last);
	var s0 = vec4f();
	var s1 = vec4f();
	var s2 = vec4f();
	var s3 = vec4f();
	var s4 = vec4f();
	var s5 = vec4f();
	var s6 = vec4f();
	var s7 = vec4f();
	for (var m = 0u; m < params.m; m++) {
		let b = x[m * params.k4 + k];
		let r = m * params.n;
		s0 = fma(vec4f(dy[r + c0]), b, s0);
		s1 = fma(vec4f(dy[r + c1]), b, s1);
		s2 = fma(vec4f(dy[r + c2]), b, s2);
		s3 = fma(vec4f(dy[r + c3]), b, s3);
		s4 = fma(vec4f(dy[r + c4]), b, s4);
		s5 = fma(vec4f(dy[r + c5]), b, s5);
		s6 = fma(vec4f(dy[r + c6]), b, s6);
		s7 = fma(vec4f(dy[r + c7]), b, s7);
	}
	if (id.x >= params.k4) { return; }
	storeWeight(first, k, array<vec4f, 8>(s0, s1, s2, s3, s4, s5, s6, s7));
}
