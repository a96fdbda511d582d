import { type Nd, nd } from "../opTesting.ts";
import * as conv from "./conv.ts";

/** The matrices of a batch. */
const parts = ({ shape: [batch, ...shape], data }: Nd): Nd[] =>
	Array.from({ length: batch }, (_, i) => ({
		shape,
		data: data.subarray(
			(i * data.length) / batch,
			((i + 1) * data.length) / batch,
		),
	}));

export function bmm(a: Nd, b: Nd, transposeA = false, transposeB = false): Nd {
	const turn = (x: Nd, turned: boolean) => (turned ? conv.transpose(x) : x);
	const others = parts(b);
	const products = parts(a).map((part, i) =>
		conv.matmul(turn(part, transposeA), turn(others[i], transposeB)),
	);
	const { shape, data } = products[0];
	return nd(
		[products.length, ...shape],
		(i) => products[Math.floor(i / data.length)].data[i % data.length],
	);
}
