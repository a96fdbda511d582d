enable subgroups;
// Whole subgroups leave early, which the uniformity analysis cannot know.
diagnostic(off, subgroup_uniformity);

// Batches of matrix products on software adapters: what bmmTiled.wgsl computes, without workgroup memory. A lane sums 8 rows of 4 columns; of the elements of A,
// which all lanes of a subgroup need, each loads a part, and they are handed round (see convLanes.wgsl).

// import bmm

override LANES = 8u; // of a subgroup
const ROWS = 8u;

// What one of 8 lanes brings: 4 of K of its row; where A is stored transposed, 4 rows of one of K.
fn partOfA(sample: u32, top: u32, k: u32, lane: u32) -> vec4f {
	if (TRANSPOSE_A) {
		return quadA(sample, k + lane / 2, params.k, top + lane % 2 * 4, params.m);
	}
	return quadA(sample, top + lane, params.m, k, params.k);
}

// Elements of B by rows: 4 of K, and 4 columns.
fn partOfB(sample: u32, k: u32, n: u32) -> mat4x4f {
	if (TRANSPOSE_B) {
		return transpose(mat4x4f(
			quadB(sample, n, params.n, k, params.k),
			quadB(sample, n + 1, params.n, k, params.k),
			quadB(sample, n + 2, params.n, k, params.k),
			quadB(sample, n + 3, params.n, k, params.k),
		));
	}
	return mat4x4f(
		quadB(sample, k, params.k, n, params.n),
		quadB(sample, k + 1, params.k, n, params.n),
		quadB(sample, k + 2, params.k, n, params.n),
		quadB(sample, k + 3, params.k, n, params.n),
	);
}

var<private> sum: array<vec4f, 8>;

fn add(i: u32, u: vec4f, v: mat4x4f) {
	sum[i] = fma(vec4f(u.x), v[0], sum[i]);
	sum[i] = fma(vec4f(u.y), v[1], sum[i]);
	sum[i] = fma(vec4f(u.z), v[2], sum[i]);
	sum[i] = fma(vec4f(u.w), v[3], sum[i]);
}

// Four rows of A, from the first on, 4 of K of each.
fn addRows(first: u32, u0: vec4f, u1: vec4f, u2: vec4f, u3: vec4f, v: mat4x4f) {
	add(first, u0, v);
	add(first + 1, u1, v);
	add(first + 2, u2, v);
	add(first + 3, u3, v);
}

// All eight rows of A, one of K.
fn addTurned(low: vec4f, high: vec4f, v: vec4f) {
	sum[0] = fma(vec4f(low.x), v, sum[0]);
	sum[1] = fma(vec4f(low.y), v, sum[1]);
	sum[2] = fma(vec4f(low.z), v, sum[2]);
	sum[3] = fma(vec4f(low.w), v, sum[3]);
	sum[4] = fma(vec4f(high.x), v, sum[4]);
	sum[5] = fma(vec4f(high.y), v, sum[5]);
	sum[6] = fma(vec4f(high.z), v, sum[6]);
	sum[7] = fma(vec4f(high.w), v, sum[7]);
}

// Subgroups (b, 8 rows, LANES quads of columns).
@compute @workgroup_size(32)
fn multiply(
	@builtin(local_invocation_index) thread: u32,
	@builtin(subgroup_invocation_id) sub: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let across = (params.n + 4 * LANES - 1) / (4 * LANES);
	let down = (params.m + ROWS - 1) / ROWS;
	let t = (group.x + group.y * groups.x) * (32 / LANES) + thread / LANES;
	let sample = t / (across * down);
	if (sample >= params.batch) { return; }
	let top = t / across % down * ROWS;
	let n = (t % across * LANES + sub) * 4;
	let lane = sub % min(LANES, 8);
	for (var k = 0u; k < params.k; k += 4) {
		let v = partOfB(sample, k, n);
		let part = partOfA(sample, top, k, lane);
		var later: vec4f;
		if (LANES < 8) {
			later = partOfA(sample, top, k, lane + 4);
		}
		if (TRANSPOSE_A) {
			addTurned(subgroupBroadcast(part, 0), subgroupBroadcast(part, 1), v[0]);
			addTurned(subgroupBroadcast(part, 2), subgroupBroadcast(part, 3), v[1]);
			if (LANES < 8) {
				addTurned(subgroupBroadcast(later, 0), subgroupBroadcast(later, 1), v[2]);
				addTurned(subgroupBroadcast(later, 2), subgroupBroadcast(later, 3), v[3]);
			} else {
				addTurned(subgroupBroadcast(part, 4), subgroupBroadcast(part, 5), v[2]);
				addTurned(subgroupBroadcast(part, 6), subgroupBroadcast(part, 7), v[3]);
			}
		} else {
			addRows(
				0,
				subgroupBroadcast(part, 0),
				subgroupBroadcast(part, 1),
				subgroupBroadcast(part, 2),
				subgroupBroadcast(part, 3),
				v,
			);
			if (LANES < 8) {
				addRows(
					4,
					subgroupBroadcast(later, 0),
					subgroupBroadcast(later, 1),
					subgroupBroadcast(later, 2),
					subgroupBroadcast(later, 3),
					v,
				);
			} else {
				addRows(
					4,
					subgroupBroadcast(part, 4),
					subgroupBroadcast(part, 5),
					subgroupBroadcast(part, 6),
					subgroupBroadcast(part, 7),
					v,
				);
			}
		}
	}
	for (var i = 0u; i < ROWS && top + i < params.m; i++) {
		for (var e = 0u; e < 4 && n + e < params.n; e++) {
			y[(sample * params.m + top + i) * params.n + n + e] = sum[i][e];
		}
	}
}
