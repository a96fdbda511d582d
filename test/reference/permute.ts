import { type Nd, nd } from "../opTesting.ts";

/** Dimension i of the result is dimension dims[i] of x. */
export function permute(x: Nd, dims: readonly number[]): Nd {
	const shape = dims.map((d) => x.shape[d]);
	return nd(shape, (i) => {
		const place = new Array<number>(shape.length);
		let rest = i;
		for (let d = shape.length - 1; d >= 0; d--) {
			place[dims[d]] = rest % shape[d];
			rest = Math.floor(rest / shape[d]);
		}
		return x.data[place.reduce((at, p, d) => at * x.shape[d] + p, 0)];
	});
}
