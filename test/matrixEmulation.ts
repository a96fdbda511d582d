/**
 * Subgroup matrices in plain WGSL, so that all of the f16 shaders but their matrix instructions runs on adapters without matrix units. The
 * lines that speak of matrices are replaced; which memory they read, in what order and at what stride, is taken from them.
 */
export function emulateMatrices(
	source: string,
	/** What tiles hold; f32 for adapters without f16, and to see indexing without rounding. */
	component: "f16" | "f32",
): string {
	const access = (what: string) => {
		const match = new RegExp(
			`${what}\\(at: u32.*<(?:\\w+, )?(row|col)_major>\\(&(\\w+), at, (?:sum, )?(\\w+)\\)`,
		).exec(source);
		if (!match) throw new Error(`no ${what}() to emulate`);
		const [, major, buffer, stride] = match;
		return (at: string, row: string, column: string) =>
			major === "row"
				? `${buffer}[${at} + ${row} * ${stride} + ${column}]`
				: `${buffer}[${at} + ${column} * ${stride} + ${row}]`;
	};
	const [left, right, result] = ["loadLeft", "loadRight", "save"].map(access);
	const code = source
		.replace(/^enable .*$/gm, "")
		.replace(/^.*subgroup_?matrix.*$/gim, "")
		.replace(
			/(@compute[^{]*)@builtin\(subgroup_id\) subgroup: u32,([^{]*\{)/g,
			"$1$2\n\tlane = thread % 32;\n\tdepth = 16 + thread / 1024;\n\tlet subgroup = thread / 32;",
		);
	const matrices = `
// Loading keeps the place only: nothing is written there before the matrix has been multiplied.
alias Left = u32;
alias Right = u32;
// A thread of the 32 holds 8 neighbours of its row.
alias Sum = array<f32, 8>;
var<private> lane: u32;
// 16, but no compiler knows: unrolled, the loops took minutes to compile.
var<private> depth: u32;
fn loadLeft(at: u32) -> Left { return at; }
fn loadRight(at: u32) -> Right { return at; }
fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum {
	var next = sum;
	for (var e = 0u; e < 8; e++) {
		for (var k = 0u; k < depth; k++) {
			next[e] += f32(${left("left", "(lane / 2)", "k")}) * f32(${right("right", "k", "(lane % 2 * 8 + e)")});
		}
	}
	return next;
}
fn save(at: u32, sum: Sum) {
	for (var e = 0u; e < 8; e++) {
		${result("at", "(lane / 2)", "(lane % 2 * 8 + e)")} = sum[e];
	}
}
`;
	return component === "f16"
		? `enable f16;\n${code}${matrices}`
		: `${code}${matrices}`.replace(/\bf16\b/g, "f32");
}
