import { type Nd, nd } from "../opTesting.ts";

export const map = (x: Nd, f: (v: number) => number) =>
	nd(x.shape, (i) => f(x.data[i]));

/** b is repeated along the leading dimensions. */
export const zip = (a: Nd, b: Nd, f: (p: number, q: number) => number) =>
	nd(a.shape, (i) => f(a.data[i], b.data[i % b.data.length]));

export const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
export const silu = (v: number) => v * sigmoid(v);
