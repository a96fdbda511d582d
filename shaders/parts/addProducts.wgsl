// Sums in registers, by quads.

// Adds to a quad's sums, a column for each of `a`, the products of that with the quad `b`. Here and wherever sums are touched, `quad` is a constant: a
// single access by a variable keeps all sums in memory on SwiftShader, at twice the time.
fn addProducts(quad: u32, a: vec4f, b: vec4f) {
	sums[quad] = mat4x4f(
		fma(vec4f(a.x), b, sums[quad][0]),
		fma(vec4f(a.y), b, sums[quad][1]),
		fma(vec4f(a.z), b, sums[quad][2]),
		fma(vec4f(a.w), b, sums[quad][3]),
	);
}
