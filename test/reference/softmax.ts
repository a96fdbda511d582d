import { type Nd, nd } from "../opTesting.ts";

/** Over the last dimension. */
export function softmax(x: Nd): Nd {
	const columns = x.shape[x.shape.length - 1];
	const y = nd(x.shape, () => 0);
	for (let first = 0; first < y.data.length; first += columns) {
		const row = x.data.subarray(first, first + columns);
		const most = row.reduce((a, b) => Math.max(a, b));
		const exps = row.map((v) => Math.exp(v - most));
		const sum = exps.reduce((a, b) => a + b);
		for (let i = 0; i < columns; i++) y.data[first + i] = exps[i] / sum;
	}
	return y;
}
