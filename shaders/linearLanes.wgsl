enable subgroups;

// Dense layers with few rows on software adapters: what linearTiled.wgsl computes (its gradients sum in the same order, forward does not). There a load costs the same whether or not
// lanes share its address (see convLanes.wgsl), so of the eight values that all lanes need each lane loads one, and they are handed round.

struct Params {
	m: u32,
	n: u32,
	k4: u32, // K / 4
}

// import linear

override LANES = 8u; // of a subgroup

// What lanes 0 to 3, and 4 to 7, hold; with four lanes the latter come from a second load.
fn low(v: f32) -> vec4f {
	return vec4f(subgroupBroadcast(v, 0), subgroupBroadcast(v, 1), subgroupBroadcast(v, 2), subgroupBroadcast(v, 3));
}

fn high(v: f32, later: f32) -> vec4f {
	if (LANES >= 8) {
		return vec4f(subgroupBroadcast(v, 4), subgroupBroadcast(v, 5), subgroupBroadcast(v, 6), subgroupBroadcast(v, 7));
	}
	return low(later);
}

// Rows beyond the last repeat it, and are not stored.
fn clamped(first: u32, i: u32, count: u32) -> u32 {
	return min(first + i, count - 1);
}

// The products of row i of the lanes' x with w, as low() and high() order them.
fn lowProducts(v: vec4f, b: vec4f) -> vec4f {
	return vec4f(
		dot(subgroupBroadcast(v, 0), b),
		dot(subgroupBroadcast(v, 1), b),
		dot(subgroupBroadcast(v, 2), b),
		dot(subgroupBroadcast(v, 3), b),
	);
}

fn highProducts(v: vec4f, later: vec4f, b: vec4f) -> vec4f {
	if (LANES >= 8) {
		return vec4f(
			dot(subgroupBroadcast(v, 4), b),
			dot(subgroupBroadcast(v, 5), b),
			dot(subgroupBroadcast(v, 6), b),
			dot(subgroupBroadcast(v, 7), b),
		);
	}
	return lowProducts(later, b);
}

// A thread an output column.
@compute @workgroup_size(32)
fn forward(
	@builtin(global_invocation_id) id: vec3u,
	@builtin(workgroup_id) group: vec3u,
	@builtin(subgroup_invocation_id) sub: u32,
) {
	let first = group.y * ROWS;
	let n = min(id.x, params.n - 1);
	let mine = clamped(first, sub % min(LANES, 8), params.m) * params.k4;
	let second = clamped(first, sub % min(LANES, 8) + 4, params.m) * params.k4;
	var sum = vec4f();
	var more = vec4f();
	for (var k = 0u; k < params.k4; k++) {
		let b = w[n * params.k4 + k];
		let v = x[mine + k];
		var later: vec4f;
		if (LANES < 8) {
			later = x[second + k];
		}
		sum += lowProducts(v, b);
		more += highProducts(v, later, b);
	}
	if (id.x < params.n) {
		store(first, n, sum, more);
	}
}

// dx[m, k] = sum_n dy[m, n] w[n, k]: a thread four columns of eight rows.
@compute @workgroup_size(32)
fn inputGradient(
	@builtin(global_invocation_id) id: vec3u,
	@builtin(workgroup_id) group: vec3u,
	@builtin(subgroup_invocation_id) sub: u32,
) {
	let first = group.y * ROWS;
	let k = min(id.x, params.k4 - 1);
	let mine = clamped(first, sub % min(LANES, 8), params.m) * params.n;
	let second = clamped(first, sub % min(LANES, 8) + 4, params.m) * params.n;
	for (var n = 0u; n < params.n; n++) {
		let b = w[n * params.k4 + k];
		let v = dy[mine + n];
		var later: f32;
		if (LANES < 8) {
			later = dy[second + n];
		}
		addProducts(0, low(v), b);
		addProducts(1, high(v, later), b);
	}
	if (id.x < params.k4) {
		storeInput(0, first, k, finished());
	}
}

// dw[n, k] = sum_m dy[m, n] x[m, k]: a thread four columns of eight rows.
@compute @workgroup_size(32)
fn weightGradient(
	@builtin(global_invocation_id) id: vec3u,
	@builtin(workgroup_id) group: vec3u,
	@builtin(subgroup_invocation_id) sub: u32,
) {
	let first = group.y * ROWS;
	let k = min(id.x, params.k4 - 1);
	let mine = clamped(first, sub % min(LANES, 8), params.n);
	let second = clamped(first, sub % min(LANES, 8) + 4, params.n);
	for (var m = 0u; m < params.m; m++) {
		let b = x[m * params.k4 + k];
		let v = dy[m * params.n + mine];
		var later: f32;
		if (LANES < 8) {
			later = dy[m * params.n + second];
		}
		addProducts(0, low(v), b);
		addProducts(1, high(v, later), b);
	}
	if (id.x < params.k4) {
		storeWeight(first, k, finished());
	}
}
