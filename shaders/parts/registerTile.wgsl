// The convolutions of software adapters, whose tiles lie in registers: the products of what a lane has loaded, four vectors, with what all lanes share, QUADS
// vectors for each. A shader declares
//   struct Shared: where the shared vectors lie,
//   fn eight(at: Shared, i: u32) -> Eight: the i-th eight of them, that all lanes load together,
//   fn multiply(quad: u32, own: vec4f, shared: vec4f): one product.

// import addProducts

override LANES = 8u; // of a subgroup
override QUADS = 4u; // of output channels in a lane: 2, 4 or 8

var<private> sums: array<mat4x4f, 8>;

// What lanes 0 to 3, and 4 to 7, of a subgroup hold.
fn low(w: vec4f) -> mat4x4f {
	if (LANES == 4) { // the same, and faster
		return mat4x4f(quadBroadcast(w, 0), quadBroadcast(w, 1), quadBroadcast(w, 2), quadBroadcast(w, 3));
	}
	return mat4x4f(subgroupBroadcast(w, 0), subgroupBroadcast(w, 1), subgroupBroadcast(w, 2), subgroupBroadcast(w, 3));
}

fn high(w: vec4f) -> mat4x4f {
	return mat4x4f(subgroupBroadcast(w, 4), subgroupBroadcast(w, 5), subgroupBroadcast(w, 6), subgroupBroadcast(w, 7));
}

struct Eight {
	low: mat4x4f,
	high: mat4x4f,
}

fn multiplyTwo(v0: vec4f, v1: vec4f, w: mat4x4f) {
	multiply(0, v0, w[0]);
	multiply(1, v0, w[1]);
	multiply(0, v1, w[2]);
	multiply(1, v1, w[3]);
}

fn multiplyFour(first: u32, v: vec4f, w: mat4x4f) {
	multiply(first, v, w[0]);
	multiply(first + 1, v, w[1]);
	multiply(first + 2, v, w[2]);
	multiply(first + 3, v, w[3]);
}

fn multiplyEight(v: vec4f, w: Eight) {
	multiplyFour(0, v, w.low);
	multiplyFour(4, v, w.high);
}

fn multiplyStep(v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f, at: Shared) {
	let w = eight(at, 0);
	if (QUADS == 2) {
		multiplyTwo(v0, v1, w.low);
		multiplyTwo(v2, v3, w.high);
	} else if (QUADS == 4) {
		let later = eight(at, 1);
		multiplyFour(0, v0, w.low);
		multiplyFour(0, v1, w.high);
		multiplyFour(0, v2, later.low);
		multiplyFour(0, v3, later.high);
	} else {
		multiplyEight(v0, w);
		multiplyEight(v1, eight(at, 1));
		multiplyEight(v2, eight(at, 2));
		multiplyEight(v3, eight(at, 3));
	}
}
