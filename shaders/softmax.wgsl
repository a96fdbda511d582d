// Softmax of the rows of x [rows, columns], the cross entropy of it, and the gradients. A team of threads takes a row, each of them every TEAM-th element, and joins what its
// members found in workgroup memory. Teams beyond the last row take that one too, and store nothing.

struct Params {
	rows: u32,
	columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> s: array<f32>; // the softmax, in backward
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read> labels: array<f32>;
@group(0) @binding(6) var<storage, read> logSums: array<f32>;        // ln of the sum of exp(x), of each row
@group(0) @binding(7) var<storage, read_write> logSumsOut: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

// import thread
alias Value = f32;
// import team

fn largest(lane: u32, value: f32) -> f32 {
	if (TEAM == 1) { return value; }
	scratch[lane] = value;
	for (var half = TEAM / 2; half > 0; half >>= 1u) {
		workgroupBarrier();
		if (lane % TEAM < half) { scratch[lane] = max(scratch[lane], scratch[lane + half]); }
	}
	workgroupBarrier();
	let most = scratch[lane - lane % TEAM];
	workgroupBarrier(); // total() writes there next
	return most;
}

fn rowOf(group: vec3u, groups: vec3u, lane: u32) -> u32 {
	return (group.x + group.y * groups.x) * (64 / TEAM) + lane / TEAM;
}

struct RowSum { most: f32, sum: f32 }

// The largest x of a row, and the sum of exp(x - most).
fn rowSum(lane: u32, first: u32, end: u32) -> RowSum {
	var most = x[first];
	for (var i = first + lane % TEAM; i < end; i += TEAM) {
		most = max(most, x[i]);
	}
	most = largest(lane, most);
	var sum = 0.0;
	for (var i = first + lane % TEAM; i < end; i += TEAM) {
		sum += exp(x[i] - most);
	}
	return RowSum(most, total(lane, sum));
}

@compute @workgroup_size(64)
fn forward(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let row = rowOf(group, groups, lane);
	let first = min(row, params.rows - 1) * params.columns;
	let end = first + params.columns;
	let r = rowSum(lane, first, end);
	if (row >= params.rows) { return; }
	for (var i = first + lane % TEAM; i < end; i += TEAM) {
		y[i] = exp(x[i] - r.most) / r.sum;
	}
}

// dx = s (dy - sum of s dy)
@compute @workgroup_size(64)
fn backward(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let row = rowOf(group, groups, lane);
	let first = min(row, params.rows - 1) * params.columns;
	let end = first + params.columns;
	var sum = 0.0;
	for (var i = first + lane % TEAM; i < end; i += TEAM) {
		sum += s[i] * dy[i];
	}
	sum = total(lane, sum);
	if (row >= params.rows) { return; }
	for (var i = first + lane % TEAM; i < end; i += TEAM) {
		dx[i] = s[i] * (dy[i] - sum);
	}
}

// The column of a label, and of one that is no class another.
fn columnOf(label: f32) -> u32 {
	return u32(clamp(label, 0.0, f32(params.columns - 1)));
}

// Compilers refuse a NaN that they can see.
fn notANumber() -> f32 {
	return bitcast<f32>(0x7fc00000u | params.rows);
}

// y: the loss of each row, ln(sum of exp(x)) - x[label].
@compute @workgroup_size(64)
fn crossEntropy(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let row = rowOf(group, groups, lane);
	let first = min(row, params.rows - 1) * params.columns;
	let end = first + params.columns;
	let r = rowSum(lane, first, end);
	if (row >= params.rows || lane % TEAM != 0) { return; }
	let label = labels[row];
	let column = columnOf(label);
	let rest = log(r.sum);
	logSumsOut[row] = r.most + rest;
	// The largest value is taken off first, so that little of a small loss is rounded away.
	let loss = rest - (x[first + column] - r.most);
	y[row] = select(notANumber(), loss, f32(column) == label);
}

// dx = (softmax - 1 at the label) dy / rows; NaN in a row whose label is no class, as its loss
@compute @workgroup_size(64)
fn crossEntropyBackward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= params.rows * params.columns) { return; }
	let row = i / params.columns;
	let label = labels[row];
	let hit = select(0.0, 1.0, f32(i % params.columns) == label);
	let slope = (exp(x[i] - logSums[row]) - hit) * dy[0] / f32(params.rows);
	dx[i] = select(notANumber(), slope, f32(columnOf(label)) == label);
}
