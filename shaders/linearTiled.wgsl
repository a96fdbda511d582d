// Dense layers with few rows: y[m, n] = sum_k x[m, k] w[n, k]. The weights are read once, and that is all there is to gain, so
// a thread keeps eight rows of x against each weight that it loads. K is a multiple of 4.

struct Params {
	m: u32,
	n: u32,
	k4: u32, // K / 4
	each: u32, // of the N that a slice of inputGradient sums
}

// import linear

// Where eight rows from the first on begin; those beyond the last repeat it, and are not stored.
fn starts(first: u32, count: u32, stride: u32) -> array<u32, 8> {
	let last = count - 1;
	return array(
		min(first, last) * stride, min(first + 1, last) * stride, min(first + 2, last) * stride, min(first + 3, last) * stride,
		min(first + 4, last) * stride, min(first + 5, last) * stride, min(first + 6, last) * stride, min(first + 7, last) * stride,
	);
}

fn products(at: array<u32, 8>, k: u32, b: vec4f) -> array<vec4f, 2> {
	return array<vec4f, 2>(
		vec4f(dot(x[at[0] + k], b), dot(x[at[1] + k], b), dot(x[at[2] + k], b), dot(x[at[3] + k], b)),
		vec4f(dot(x[at[4] + k], b), dot(x[at[5] + k], b), dot(x[at[6] + k], b), dot(x[at[7] + k], b)),
	);
}

// Adds the products of b with what dy has in eight rows.
fn addRows(at: array<u32, 8>, i: u32, b: vec4f) {
	addProducts(0, vec4f(dy[at[0] + i], dy[at[1] + i], dy[at[2] + i], dy[at[3] + i]), b);
	addProducts(1, vec4f(dy[at[4] + i], dy[at[5] + i], dy[at[6] + i], dy[at[7] + i]), b);
}

// A workgroup an output column, whose threads split the sum over k: a thread each would leave a GPU idle.
var<workgroup> partial: array<array<vec4f, 2>, 64>;

@compute @workgroup_size(64)
fn forward(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
	let first = group.y * ROWS;
	let at = starts(first, params.m, params.k4);
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
	let at = starts(first, params.m, params.n);
	let begin = group.z * params.each;
	for (var i = begin; i < min(begin + params.each, params.n); i++) {
		addRows(at, i, w[i * params.k4 + k]);
	}
	if (id.x >= params.k4) { return; }
	storeInput(group.z, first, k, finished());
}

// dw[n, k] = sum_m dy[m, n] x[m, k]: a thread four columns of eight rows.
@compute @workgroup_size(32)
fn weightGradient(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
	let first = group.y * ROWS;
	let k = min(id.x, params.k4 - 1u);
	let at = starts(first, params.n, 1);
	for (var m = 0u; m < params.m; m++) {
		addRows(at, m * params.n, x[m * params.k4 + k]);
	}
	if (id.x >= params.k4) { return; }
	storeWeight(first, k, finished());
}
