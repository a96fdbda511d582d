import { type Nd, nd } from "../opTesting.ts";

/** f of the operands, of which those of size 1 along a dimension, or without it, are repeated there; dimensions are counted from the last. */
export function broadcast(
	operands: readonly Nd[],
	f: (...values: number[]) => number,
): Nd {
	const rank = Math.max(...operands.map(({ shape }) => shape.length));
	const padded = operands.map(({ shape }) => [
		...Array<number>(rank - shape.length).fill(1),
		...shape,
	]);
	const shape = Array.from({ length: rank }, (_, d) =>
		Math.max(...padded.map((s) => s[d])),
	);
	return nd(shape, (i) => {
		const place = placeOf(i, shape);
		return f(
			...operands.map(
				({ data }, k) =>
					data[
						padded[k].reduce((at, n, d) => at * n + (n === 1 ? 0 : place[d]), 0)
					],
			),
		);
	});
}

/** The index along each dimension of element i. */
export function placeOf(i: number, shape: readonly number[]): number[] {
	const place = [...shape];
	let rest = i;
	for (let d = shape.length - 1; d >= 0; d--) {
		place[d] = rest % shape[d];
		rest = Math.floor(rest / shape[d]);
	}
	return place;
}
