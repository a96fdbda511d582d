// Group normalisation of x [B, HW, C], with SiLU on top if asked for. A quad is four channels of one pixel, ceil(C / 4) of them a pixel; the last is
// filled with zeros. Moments are taken in one pass over x (moments: by chunk of pixels and channel, around the chunk's first value, so
// that a large mean costs no digits) and joined by group (join); then everything is elementwise again.
//
// Backward: with g = dy * act'(z), z = xhat gamma + beta, the sums of g and g xhat by sample and channel (partial, fold) give dgamma and dbeta
// (parameterGradients), and weighted by gamma and averaged over the group (average) they give dx = rstd (g gamma - mean(g gamma) - xhat mean(g gamma xhat)).

// import thread

struct Params {
	batch: u32,
	pixels: u32,
	channels: u32,
	groups: u32,
	chunks: u32, // of a sample's pixels
	each: u32,   // pixels of a chunk; the last may have fewer
	eps: f32,
	silu: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(3) var<storage, read> beta: array<vec4f>;
@group(0) @binding(4) var<storage, read> stats: array<vec4f>;      // [B, quads, 2]: mean, rstd of the channels' groups
@group(0) @binding(5) var<storage, read> averages: array<vec4f>;   // [B, quads, 2]
@group(0) @binding(6) var<storage, read> partials: array<f32>;     // [B, chunks, quads, 2, 4]
@group(0) @binding(7) var<storage, read> sums: array<f32>;         // [B, quads, 2, 4]
@group(0) @binding(8) var<storage, read> weight: array<f32>;       // gamma
@group(0) @binding(9) var<storage, read_write> y: array<vec4f>;    // y, or dx
@group(0) @binding(10) var<storage, read_write> pairs: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> table: array<f32>; // [B, quads, 2, 4]; y, or dx, of forwardAny and backwardAny
@group(0) @binding(12) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(13) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(14) var<uniform> params: Params;

fn quads() -> u32 { return (params.channels + 3u) / 4u; }

fn loadX(pixel: u32, quad: u32) -> vec4f {
	if (params.channels % 4u == 0u) { return x[pixel * quads() + quad]; }
	let first = pixel * params.channels + 4u * quad;
	var v: vec4f;
	for (var k = 0u; k < 4u && 4u * quad + k < params.channels; k++) {
		v[k] = x[(first + k) / 4u][(first + k) % 4u];
	}
	return v;
}

fn loadDy(pixel: u32, quad: u32) -> vec4f {
	if (params.channels % 4u == 0u) { return dy[pixel * quads() + quad]; }
	let first = pixel * params.channels + 4u * quad;
	var v: vec4f;
	for (var k = 0u; k < 4u && 4u * quad + k < params.channels; k++) {
		v[k] = dy[(first + k) / 4u][(first + k) % 4u];
	}
	return v;
}

// A thread's share where C is a multiple of 4: the vec4s first, first + quads, ... before end.
struct Chunk { quad: u32, row: u32, first: u32, end: u32 }

fn chunkOf(t: u32) -> Chunk {
	let quad = t % quads();
	let sample = t / (quads() * params.chunks);
	let first = t / quads() % params.chunks * params.each;
	let base = sample * params.pixels;
	return Chunk(
		quad,
		sample * quads() + quad,
		(base + first) * quads() + quad,
		(base + min(first + params.each, params.pixels)) * quads(),
	);
}

// Row of the tables that belongs to an element of x.
fn rowOf(i: u32) -> u32 {
	return i / (params.pixels * params.channels) * quads() + i % params.channels / 4u;
}

fn size() -> u32 { return params.batch * params.pixels * params.channels; }

fn logistic(z: vec4f) -> vec4f {
	let e = exp(-abs(z));
	return select(e, vec4f(1.0), z >= vec4f(0.0)) / (1.0 + e);
}

// g = dy * act'(z).
fn through(z: vec4f, dy: vec4f) -> vec4f {
	if (params.silu == 0u) { return dy; }
	let s = logistic(z);
	return dy * s * (1.0 + z * (1.0 - s));
}

// Threads (b, chunk, quad): mean of the chunk and sum of squares around it.
@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.batch * params.chunks * quads()) { return; }
	let quad = t % quads();
	let chunk = t / quads() % params.chunks;
	let first = chunk * params.each;
	let count = min(params.each, params.pixels - first);
	let base = t / (quads() * params.chunks) * params.pixels + first;
	let origin = loadX(base, quad);
	var linear = vec4f();
	var square = vec4f();
	for (var p = 1u; p < count; p++) {
		let d = loadX(base + p, quad) - origin;
		linear += d;
		square += d * d;
	}
	let offset = linear / f32(count);
	pairs[2u * t] = origin + offset;
	pairs[2u * t + 1u] = max(square - linear * offset, vec4f(0.0));
}

alias Value = f32;
// import team

// Teams (b, group): joins the chunks' and channels' moments (Chan, Golub and LeVeque 1979), means as differences from the first one, and writes mean and rstd for each channel of
// the group. Teams beyond the last take that one too, and store nothing.
@compute @workgroup_size(64)
fn join(
	@builtin(workgroup_id) group: vec3u,
	@builtin(num_workgroups) groups: vec3u,
	@builtin(local_invocation_index) lane: u32,
) {
	let number = (group.x + group.y * groups.x) * (64 / TEAM) + lane / TEAM;
	let count = params.batch * params.groups;
	let t = min(number, count - 1);
	let member = lane % TEAM;
	let sample = t / params.groups;
	let width = params.channels / params.groups;
	let firstChannel = t % params.groups * width;
	let entries = params.chunks * width;
	let origin = partials[partialAt(sample, 0, firstChannel)];
	var sum = 0.0;
	for (var k = member; k < entries; k += TEAM) {
		let chunk = k / width;
		let size = min(params.each, params.pixels - chunk * params.each);
		sum += f32(size) * (partials[partialAt(sample, chunk, firstChannel + k % width)] - origin);
	}
	let n = f32(params.pixels * width);
	let mean = origin + total(lane, sum) / n;
	sum = 0.0;
	for (var k = member; k < entries; k += TEAM) {
		let chunk = k / width;
		let size = min(params.each, params.pixels - chunk * params.each);
		let at = partialAt(sample, chunk, firstChannel + k % width);
		let d = partials[at] - mean;
		sum += partials[at + 4u] + f32(size) * d * d;
	}
	let rstd = 1.0 / sqrt(total(lane, sum) / n + params.eps);
	if (number >= count) { return; }
	for (var c = firstChannel + member; c < firstChannel + width; c += TEAM) {
		let at = 8u * (sample * quads() + c / 4u) + c % 4u;
		table[at] = mean;
		table[at + 4u] = rstd;
	}
}

fn partialAt(sample: u32, chunk: u32, channel: u32) -> u32 {
	return 8u * ((sample * params.chunks + chunk) * quads() + channel / 4u) + channel % 4u;
}

// Threads (b, chunk, quad), C a multiple of 4.
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.batch * params.chunks * quads()) { return; }
	let at = chunkOf(t);
	let mean = stats[2u * at.row];
	let slope = stats[2u * at.row + 1u] * gamma[at.quad];
	let shift = beta[at.quad];
	for (var i = at.first; i < at.end; i += quads()) {
		let z = (x[i] - mean) * slope + shift;
		if (params.silu != 0u) { y[i] = z * logistic(z); } else { y[i] = z; }
	}
}

// Threads (element), any C.
@compute @workgroup_size(64)
fn forwardAny(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= size()) { return; }
	let row = rowOf(i);
	let quad = row % quads();
	let lane = i % params.channels % 4u;
	let xhat = (x[i / 4u][i % 4u] - stats[2u * row][lane]) * stats[2u * row + 1u][lane];
	let z = xhat * gamma[quad][lane] + beta[quad][lane];
	table[i] = select(z, (z * logistic(vec4f(z))).x, params.silu != 0u);
}

// Threads (b, chunk, quad): sums of g and of g xhat.
@compute @workgroup_size(64)
fn partial(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.batch * params.chunks * quads()) { return; }
	let quad = t % quads();
	let chunk = t / quads() % params.chunks;
	let sample = t / (quads() * params.chunks);
	let first = chunk * params.each;
	let count = min(params.each, params.pixels - first);
	let row = sample * quads() + quad;
	let mean = stats[2u * row];
	let rstd = stats[2u * row + 1u];
	let slope = gamma[quad];
	let shift = beta[quad];
	var plain = vec4f();
	var weighted = vec4f();
	for (var p = 0u; p < count; p++) {
		let pixel = sample * params.pixels + first + p;
		let xhat = (loadX(pixel, quad) - mean) * rstd;
		let g = through(xhat * slope + shift, loadDy(pixel, quad));
		plain += g;
		weighted += g * xhat;
	}
	pairs[2u * t] = plain;
	pairs[2u * t + 1u] = weighted;
}

// Threads (b, 8 quads): adds the chunks.
@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	let width = 8u * quads();
	if (t >= params.batch * width) { return; }
	var sum = 0.0;
	for (var chunk = 0u; chunk < params.chunks; chunk++) {
		sum += partials[(t / width * params.chunks + chunk) * width + t % width];
	}
	table[t] = sum;
}

@compute @workgroup_size(64)
fn parameterGradients(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let channel = threadOf(id, groups);
	if (channel >= params.channels) { return; }
	var plain = 0.0;
	var weighted = 0.0;
	for (var sample = 0u; sample < params.batch; sample++) {
		let at = 8u * (sample * quads() + channel / 4u) + channel % 4u;
		plain += sums[at];
		weighted += sums[at + 4u];
	}
	dbeta[channel] = plain;
	dgamma[channel] = weighted;
}

// Threads (b, group): means over the group of g gamma and of g gamma xhat, written for each of its channels.
@compute @workgroup_size(64)
fn average(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.batch * params.groups) { return; }
	let sample = t / params.groups;
	let width = params.channels / params.groups;
	let first = t % params.groups * width;
	var plain = 0.0;
	var weighted = 0.0;
	for (var c = first; c < first + width; c++) {
		let at = 8u * (sample * quads() + c / 4u) + c % 4u;
		plain += weight[c] * sums[at];
		weighted += weight[c] * sums[at + 4u];
	}
	let n = f32(params.pixels * width);
	for (var c = first; c < first + width; c++) {
		let at = 8u * (sample * quads() + c / 4u) + c % 4u;
		table[at] = plain / n;
		table[at + 4u] = weighted / n;
	}
}

// Threads (b, chunk, quad), C a multiple of 4.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let t = threadOf(id, groups);
	if (t >= params.batch * params.chunks * quads()) { return; }
	let at = chunkOf(t);
	let mean = stats[2u * at.row];
	let rstd = stats[2u * at.row + 1u];
	let slope = gamma[at.quad];
	let shift = beta[at.quad];
	let plain = averages[2u * at.row];
	let weighted = averages[2u * at.row + 1u];
	for (var i = at.first; i < at.end; i += quads()) {
		let xhat = (x[i] - mean) * rstd;
		let g = through(xhat * slope + shift, dy[i]) * slope;
		y[i] = rstd * (g - plain - xhat * weighted);
	}
}

// Threads (element), any C.
@compute @workgroup_size(64)
fn backwardAny(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let i = threadOf(id, groups);
	if (i >= size()) { return; }
	let row = rowOf(i);
	let quad = row % quads();
	let lane = i % params.channels % 4u;
	let rstd = stats[2u * row + 1u][lane];
	let xhat = (x[i / 4u][i % 4u] - stats[2u * row][lane]) * rstd;
	let slope = gamma[quad][lane];
	let g = through(vec4f(xhat * slope + beta[quad][lane]), vec4f(dy[i / 4u][i % 4u])).x * slope;
	table[i] = rstd * (g - averages[2u * row][lane] - xhat * averages[2u * row + 1u][lane]);
}
