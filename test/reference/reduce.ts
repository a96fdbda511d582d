import { type Nd, nd } from "../opTesting.ts";
import { placeOf } from "./broadcast.ts";

export function columnSum(x: Nd, columns: number): Nd {
	const y = nd([columns], () => 0);
	x.data.forEach((v, i) => {
		y.data[i % columns] += v;
	});
	return y;
}

/** What `join` makes, one after the other, of the elements along the dimensions `dims`, which the result has as 1 or, without `keep`, not at all. */
export function along(
	x: Nd,
	dims: readonly number[],
	keep: boolean,
	join: (a: number, b: number) => number,
): Nd {
	const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
	const y = nd(
		keep ? kept : x.shape.filter((_, d) => !dims.includes(d)),
		() => Number.NaN,
	);
	x.data.forEach((v, i) => {
		const place = placeOf(i, x.shape);
		const at = kept.reduce((at, n, d) => at * n + (n === 1 ? 0 : place[d]), 0);
		y.data[at] = Number.isNaN(y.data[at]) ? v : join(y.data[at], v);
	});
	return y;
}
