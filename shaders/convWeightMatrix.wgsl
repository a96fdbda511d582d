enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Gradient to the weight on the matrix units of GPUs, in tiles of 64 output channels x 64 places (ky, kx, c) x 32 pixels, as in convMatrix.wgsl: f16 tiles
// in workgroup memory, sums in f32, 32 x 32 in each of 4 subgroups. What is computed, and the names, are those of convWeight.wgsl.

struct Params {
	size: vec2u, // height, width of x
	outSize: vec2u, // of dy
	kernel: vec2u,
	stride: vec2u,
	pad: vec2u,
	pixels: u32, // batch * height * width of dy
	channels: u32,
	outChannels: u32,
	slices: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>; // the same
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4f>; // the same
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

override VECTOR = true; // channels is a multiple of 4
override VECTOR_DY = true; // outChannels is

const LINE = 72u; // 64 values, and 8 more as in convMatrix.wgsl
var<workgroup> gradients: array<f16, 2304>; // [32 pixels, 64 output channels]
var<workgroup> inputs: array<f16, 2304>; // [32 pixels, 64 places]
var<workgroup> results: array<f32, 1024>; // [4 subgroups, 16 output channels, 16 places]

// All that is said in matrices; a line each, which kernel.ts asks for. The left one is output channels x pixels.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, col_major>(&gradients, at, LINE); }
fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&inputs, at, LINE); }
fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn save(at: u32, sum: Sum) { subgroupMatrixStore<row_major>(&results, at, sum, 16u); }

struct Place {
	shift: vec2i,
	c: u32,
}

fn locate(n: u32) -> Place {
	let tap = n / params.channels;
	let ky = tap / params.kernel.y;
	return Place(vec2i(vec2u(ky, tap - ky * params.kernel.y)) - vec2i(params.pad), n - tap * params.channels);
}

// A pixel of dy: (batch, vertical, horizontal).
fn advance(q: vec3u, pixels: u32) -> vec3u {
	var next = q;
	next.z += pixels;
	while (next.z >= params.outSize.y) {
		next.z -= params.outSize.y;
		next.y++;
		if (next.y == params.outSize.x) {
			next.y = 0;
			next.x++;
		}
	}
	return next;
}

// Index of a place in x, and whether it is in the image.
fn source(q: vec3u, p: Place, alive: bool) -> vec2u {
	let at = vec2u(vec2i(q.yz * params.stride) + p.shift); // a negative one becomes huge
	let inside = alive && all(at < params.size);
	let index = ((q.x * params.size.x + at.x) * params.size.y + at.y) * params.channels + p.c;
	return vec2u(select(0, index, inside), u32(inside));
}

fn one(q: vec3u, p: Place, alive: bool) -> f32 {
	let s = source(q, p, alive);
	return select(0, x[s.x], s.y != 0);
}

@compute @workgroup_size(128)
fn weightGradient(
	@builtin(local_invocation_index) thread: u32,
	@builtin(subgroup_id) subgroup: u32,
	@builtin(workgroup_id) group: vec3u,
) {
	let columns = params.kernel.x * params.kernel.y * params.channels;
	let each = (params.pixels + params.slices - 1) / params.slices;
	let begin = group.z * each;
	let end = min(begin + each, params.pixels);
	// This thread fetches 4 places and 4 output channels of 4 pixels that lie 8 apart.
	let n = group.x * 64 + thread % 16 * 4;
	let o = group.y * 64 + thread % 16 * 4;
	let start = begin + thread / 16;
	let row = start / params.outSize.y;
	let b = row / params.outSize.x;
	var q = vec3u(b, row - b * params.outSize.x, start - row * params.outSize.y);
	let p0 = locate(n);
	let p1 = locate(n + 1);
	let p2 = locate(n + 2);
	let p3 = locate(n + 3);

	var sum: array<Sum, 4>;
	for (var k = begin; k < end; k += 32) {
		var v: array<vec4f, 4>;
		var d: array<vec4f, 4>;
		for (var i = 0u; i < 4; i++) {
			let pixel = k + thread / 16 + i * 8;
			let alive = pixel < end;
			if (VECTOR) {
				let s = source(q, p0, alive);
				v[i] = select(vec4f(), x4[s.x / 4], s.y != 0);
			} else {
				v[i] = vec4f(one(q, p0, alive), one(q, p1, alive), one(q, p2, alive), one(q, p3, alive));
			}
			q = advance(q, 8);
			let at = select(0, pixel * params.outChannels + o, alive);
			if (VECTOR_DY) {
				d[i] = select(vec4f(), dy4[at / 4], alive);
			} else {
				d[i] = select(vec4f(), vec4f(dy[at], dy[at + 1], dy[at + 2], dy[at + 3]), alive);
			}
		}
		workgroupBarrier();
		for (var i = 0u; i < 4; i++) {
			let line = (thread / 16 + i * 8) * LINE + thread % 16 * 4;
			for (var e = 0u; e < 4; e++) {
				inputs[line + e] = f16(v[i][e]);
				gradients[line + e] = f16(d[i][e]);
			}
		}
		workgroupBarrier();
		for (var r = 0u; r < 32; r += 16) {
			let right0 = loadRight(r * LINE + subgroup % 2 * 32);
			let right1 = loadRight(r * LINE + subgroup % 2 * 32 + 16);
			for (var i = 0u; i < 2; i++) {
				let left = loadLeft(r * LINE + subgroup / 2 * 32 + i * 16);
				sum[i * 2] = multiplyAdd(left, right0, sum[i * 2]);
				sum[i * 2 + 1] = multiplyAdd(left, right1, sum[i * 2 + 1]);
			}
		}
	}
	for (var i = 0u; i < 4; i++) {
		workgroupBarrier();
		save(subgroup * 256, sum[i]);
		workgroupBarrier();
		for (var e = thread; e < 1024; e += 128) {
			let quarter = e / 256;
			let channel = group.y * 64 + quarter / 2 * 32 + i / 2 * 16 + e / 16 % 16;
			let place = group.x * 64 + quarter % 2 * 32 + i % 2 * 16 + e % 16;
			if (channel < params.outChannels && place < columns) {
				partial[(group.z * params.outChannels + channel) * columns + place] = results[e];
			}
		}
	}
}
