/** Tables as text. */

/** A table of numbers: 7 digits, as many as a float32 has. */
export const csv = (rows: Iterable<readonly (string | number)[]>) =>
	[...rows]
		.map((row) =>
			row
				.map((v) => (typeof v === "number" ? Number(v.toPrecision(7)) : v))
				.join(","),
		)
		.join("\n")
		.concat("\n");

/** A square image with its axis: the first row holds y, the first column x. */
export function withAxes(
	values: ArrayLike<number>,
	axis: readonly number[],
	corner: string,
) {
	const n = axis.length;
	return csv([
		[corner, ...axis],
		...axis.map((x, ix) => [
			x,
			...Array.from({ length: n }, (_, iy) => values[ix * n + iy]),
		]),
	]);
}
