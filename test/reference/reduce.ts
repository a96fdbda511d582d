import { type Nd, nd } from "../opTesting.ts";

export function columnSum(x: Nd, columns: number): Nd {
	const y = nd([columns], () => 0);
	x.data.forEach((v, i) => {
		y.data[i % columns] += v;
	});
	return y;
}
