import { type Nd, nd } from "../opTesting.ts";
import { bmm } from "./bmm.ts";
import { softmax } from "./softmax.ts";

export function attention(q: Nd, k: Nd, v: Nd, scale: number): Nd {
	const scores = bmm(q, k, false, true);
	const weights = softmax(nd(scores.shape, (i) => scale * scores.data[i]));
	return bmm(weights, v);
}
