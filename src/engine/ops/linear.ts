import { checkNames } from "../basics/options.ts";
import { show } from "../basics/shape.ts";
import { checkFits, checkTensors, type Tensor } from "../tensors/tensor.ts";
import type { ConvGeometry } from "./convFamily.ts";
import {
	type Activation,
	checkBias,
	convolution,
	slopeOf,
} from "./convTape.ts";
import { add } from "./elementwise.ts";
import { hasFewRows, linearFewRows } from "./fewRows.ts";

/** y = activation(x wᵀ + bias): x [..., K], w [O, K], bias [O] or null -> [..., O]. Throws where shapes do not fit. */
export function linear(
	x: Tensor,
	w: Tensor,
	bias: Tensor | null,
	options: { readonly activation?: Activation } = {},
): Tensor {
	const what = "linear";
	checkNames(what, options, ["activation"]);
	const slope = slopeOf(what, options.activation ?? "none");
	checkTensors(what, { x, w });
	const k = x.shape[x.shape.length - 1];
	if (x.shape.length < 1 || w.shape.length !== 2 || w.shape[1] !== k)
		throw new Error(
			`${what}: x ${show(x.shape)} and w ${show(w.shape)}; expected [..., K] and [O, K]`,
		);
	const [o] = w.shape;
	checkBias(what, bias, w, o);
	const rows = x.size / k;
	const shape = [...x.shape.slice(0, -1), o];
	checkFits(what, shape, x, w);
	if (hasFewRows(rows, k, o) && slope === 1) {
		const y = linearFewRows(x, w, shape);
		return bias ? add(y, bias) : y;
	}
	return convolution(what, oneByOne(rows, k, o), x, w, bias, slope, shape);
}

/** The matrix product: a [M, K], b [K, N] -> [M, N]. Throws where shapes do not fit. */
export function matmul(a: Tensor, b: Tensor): Tensor {
	checkTensors("matmul", { a, b });
	if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== b.shape[0])
		throw new Error(
			`matmul: a ${show(a.shape)} and b ${show(b.shape)}; expected [M, K] and [K, N]`,
		);
	const [m, k] = a.shape;
	const n = b.shape[1];
	return convolution("matmul", oneByOne(m, n, k), a, b, null, 1, [m, n], true);
}

/** A 1x1 convolution of `rows` pixels. */
function oneByOne(
	rows: number,
	channels: number,
	outChannels: number,
): ConvGeometry {
	return {
		batch: 1,
		size: [1, rows],
		channels,
		outSize: [1, rows],
		outChannels,
		kernel: [1, 1],
		stride: [1, 1],
		pad: [0, 0],
	};
}
