// Normalisation of the rows of x [rows, columns]. A team of threads takes a row, each of them every TEAM-th element, and joins what its members found in
// workgroup memory. Teams beyond the last row take that one too, and store nothing. The variance is summed around the mean, in a second pass: a large
// mean costs no digits.
//
// Backward: with g = dy weight and xhat = (x - mean) rstd, dx = rstd (g - mean(g) - xhat mean(g xhat)).

// import thread

struct Params {
	rows: u32,
	columns: u32,
	each: u32, // rows that a thread of parameterGradients adds up
	eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> stats: array<vec2f>; // [rows]: mean, rstd
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec2f>; // stats
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;
@group(0) @binding(8) var<storage, read_write> dweight: array<f32>; // [slices, columns]
@group(0) @binding(9) var<storage, read_write> dbias: array<f32>; // [slices, columns]
@group(0) @binding(10) var<uniform> params: Params;

alias Value = vec2f;
// import team

fn rowOf(group: vec3u, groups: vec3u, lane: u32) -> u32 {
	return (group.x + group.y * groups.x) * (64 / TEAM) + lane / TEAM;
}

@compute @workgroup_size(64)
fn forward(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let row = rowOf(group, groups, lane);
	let first = min(row, params.rows - 1) * params.columns;
	let n = f32(params.columns);
	var sum = 0.0;
	for (var c = lane % TEAM; c < params.columns; c += TEAM) {
		sum += x[first + c];
	}
	let mean = total(lane, vec2f(sum, 0)).x / n;
	// The mean as it was rounded is off by a little; what is left of the sum tells by how much.
	var left: vec2f;
	for (var c = lane % TEAM; c < params.columns; c += TEAM) {
		let d = x[first + c] - mean;
		left += vec2f(d, d * d);
	}
	left = total(lane, left) / n;
	let centre = mean + left.x;
	let rstd = 1 / sqrt(max(left.y - left.x * left.x, 0) + params.eps);
	if (row >= params.rows) { return; }
	for (var c = lane % TEAM; c < params.columns; c += TEAM) {
		y[first + c] = (x[first + c] - centre) * rstd * weight[c] + bias[c];
	}
	if (lane % TEAM == 0) { moments[row] = vec2f(centre, rstd); }
}

@compute @workgroup_size(64)
fn inputGradient(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let row = rowOf(group, groups, lane);
	let safe = min(row, params.rows - 1);
	let first = safe * params.columns;
	let mean = stats[safe].x;
	let rstd = stats[safe].y;
	var sums: vec2f;
	for (var c = lane % TEAM; c < params.columns; c += TEAM) {
		let g = dy[first + c] * weight[c];
		sums += vec2f(g, g * (x[first + c] - mean) * rstd);
	}
	sums = total(lane, sums) / f32(params.columns);
	if (row >= params.rows) { return; }
	for (var c = lane % TEAM; c < params.columns; c += TEAM) {
		let xhat = (x[first + c] - mean) * rstd;
		dx[first + c] = rstd * (dy[first + c] * weight[c] - sums.x - xhat * sums.y);
	}
}

// Threads (slice of rows, column).
@compute @workgroup_size(64)
fn parameterGradients(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	let first = t / params.columns * params.each;
	if (first >= params.rows) { return; }
	var plain = 0.0;
	var weighted = 0.0;
	for (var row = first; row < min(first + params.each, params.rows); row++) {
		let i = row * params.columns + t % params.columns;
		plain += dy[i];
		weighted += dy[i] * (x[i] - stats[row].x) * stats[row].y;
	}
	dbias[t] = plain;
	dweight[t] = weighted;
}
