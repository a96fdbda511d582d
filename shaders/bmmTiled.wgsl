// Batches of matrix products on GPUs: y[b] = A[b] B[b], where A [M, K] and B [K, N] are stored as they are or transposed. Tiles of 64 x 64 elements
// of y and 16 of K, staged in workgroup memory as they lie in a and b; each of 256 threads sums 4 x 4, and turns what is stored the other way round in its
// registers.

// import bmm

// Quads of 4 neighbours in memory: [64 or 16 rows, 4 or 16 quads]. A gap behind each 16 keeps threads that read down a column out of one bank.
var<workgroup> tileA: array<vec4f, 272>;
var<workgroup> tileB: array<vec4f, 272>;

fn gapped(i: u32) -> u32 {
	return i + i / 16;
}

// Elements of A by columns: rows m to m + 3 of y's tile, and 4 of K.
fn partOfA(thread: u32, q: u32) -> mat4x4f {
	let m = thread / 16;
	if (TRANSPOSE_A) {
		let at = q * 64 + m;
		return mat4x4f(tileA[gapped(at)], tileA[gapped(at + 16)], tileA[gapped(at + 32)], tileA[gapped(at + 48)]);
	}
	let at = m * 16 + q;
	return transpose(mat4x4f(tileA[gapped(at)], tileA[gapped(at + 4)], tileA[gapped(at + 8)], tileA[gapped(at + 12)]));
}

// Elements of B by rows: 4 of K, and columns n to n + 3.
fn partOfB(thread: u32, q: u32) -> mat4x4f {
	let n = thread % 16;
	if (TRANSPOSE_B) {
		let at = n * 16 + q;
		return transpose(mat4x4f(tileB[gapped(at)], tileB[gapped(at + 4)], tileB[gapped(at + 8)], tileB[gapped(at + 12)]));
	}
	let at = q * 64 + n;
	return mat4x4f(tileB[gapped(at)], tileB[gapped(at + 16)], tileB[gapped(at + 32)], tileB[gapped(at + 48)]);
}

// Workgroups (b, 64 rows, 64 columns).
@compute @workgroup_size(256)
fn multiply(
	@builtin(local_invocation_index) thread: u32,
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
) {
	let across = (params.n + 63) / 64;
	let down = (params.m + 63) / 64;
	let t = group.x + group.y * groups.x;
	let sample = t / (across * down);
	if (sample >= params.batch) { return; }
	let top = t / across % down * 64;
	let left = t % across * 64;
	// This thread fetches one quad of a tile: 4 to a row along K, 16 across it.
	let along = vec2u(thread / 4, thread % 4 * 4);
	let over = vec2u(thread / 16, thread % 16 * 4);
	var sum: array<vec4f, 4>;
	for (var k = 0u; k < params.k; k += 16) {
		var fromA: vec4f;
		var fromB: vec4f;
		if (TRANSPOSE_A) {
			fromA = quadA(sample, k + over.x, params.k, top + over.y, params.m);
		} else {
			fromA = quadA(sample, top + along.x, params.m, k + along.y, params.k);
		}
		if (TRANSPOSE_B) {
			fromB = quadB(sample, left + along.x, params.n, k + along.y, params.k);
		} else {
			fromB = quadB(sample, k + over.x, params.k, left + over.y, params.n);
		}
		workgroupBarrier();
		tileA[gapped(thread)] = fromA;
		tileB[gapped(thread)] = fromB;
		workgroupBarrier();
		for (var q = 0u; q < 4; q++) {
			let u = partOfA(thread, q);
			let v = partOfB(thread, q);
			for (var i = 0u; i < 4; i++) {
				sum[i] = fma(vec4f(u[0][i]), v[0], sum[i]);
				sum[i] = fma(vec4f(u[1][i]), v[1], sum[i]);
				sum[i] = fma(vec4f(u[2][i]), v[2], sum[i]);
				sum[i] = fma(vec4f(u[3][i]), v[3], sum[i]);
			}
		}
	}
	let row = top + thread / 16 * 4;
	let column = left + thread % 16 * 4;
	for (var i = 0u; i < 4 && row + i < params.m; i++) {
		for (var e = 0u; e < 4 && column + e < params.n; e++) {
			y[(sample * params.m + row + i) * params.n + column + e] = sum[i][e];
		}
	}
}
