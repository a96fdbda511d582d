import { named } from "../basics/named.ts";
import { show } from "../basics/shape.ts";
import type { Gpu } from "../device/gpu.ts";
import { fill } from "../tensors/accumulate.ts";
import { noGrad, record } from "../tensors/autograd.ts";
import { checkTensors, empty, Tensor } from "../tensors/tensor.ts";
import { broadcastShape, checkOperands, choose, zip } from "./broadcast.ts";
import type { Operand } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";

/** The larger and the smaller of two, comparisons and choices, all with operands as in add(): repeated where they have size 1. */

type Comparison = "gt" | "lt" | "ge" | "le" | "eq";

/** Both as tensors; a number becomes one without dimensions. Throws unless one of them is a tensor. */
function operands(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
	const one = [a, b].find((t) => t instanceof Tensor);
	if (!one)
		throw new TypeError(
			`${op}: found ${named(a)} as a and ${named(b)} as b, expected a tensor and another one or a number`,
		);
	const made = [a, b].map((t) => {
		if (typeof t !== "number") return t;
		if (!Number.isFinite(t))
			throw new Error(
				`${op}: a tensor ${show(one.shape)} and ${t}; expected a finite number`,
			);
		return constant(one.gpu, t);
	});
	checkOperands(op, ...(made as [Tensor, Tensor]));
	return made as [Tensor, Tensor];
}

const constant = (gpu: Gpu, value: number) =>
	noGrad(gpu, () => fill(empty(gpu, []), value));

function extreme(op: "maximum" | "minimum", p: Operand, q: Operand): Tensor {
	const [a, b] = operands(op, p, q);
	const y = empty(a.gpu, broadcastShape(op, { a, b }));
	zip(op, a, b, y);
	return record(
		op,
		y,
		[a, b],
		(dy, grads) => {
			const part = empty(a.gpu, y.shape);
			for (const [i, one, other] of [
				[0, a, b],
				[1, b, a],
			] as const)
				if (grads.wants(i)) {
					choose(op, [dy, one, other], part);
					sumTo(part, grads.out(i));
				}
			part.dispose();
		},
		[a, b],
	);
}

/** The larger of a and b, element by element; NaN where either is. Equal ones share the gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
	return extreme("maximum", a, b);
}

/** The smaller of a and b, element by element; NaN where either is. Equal ones share the gradient. */
export function minimum(a: Operand, b: Operand): Tensor {
	return extreme("minimum", a, b);
}

function comparison(op: Comparison, p: Operand, q: Operand): Tensor {
	const [a, b] = operands(op, p, q);
	const y = empty(a.gpu, broadcastShape(op, { a, b }));
	zip(op, a, b, y);
	return y;
}

/** 1 where a > b, else 0; like all comparisons without gradient, and 0 where either is NaN. */
export function gt(a: Operand, b: Operand): Tensor {
	return comparison("gt", a, b);
}

/** 1 where a < b, else 0. */
export function lt(a: Operand, b: Operand): Tensor {
	return comparison("lt", a, b);
}

/** 1 where a >= b, else 0. */
export function ge(a: Operand, b: Operand): Tensor {
	return comparison("ge", a, b);
}

/** 1 where a <= b, else 0. */
export function le(a: Operand, b: Operand): Tensor {
	return comparison("le", a, b);
}

/** 1 where a equals b, else 0. */
export function eq(a: Operand, b: Operand): Tensor {
	return comparison("eq", a, b);
}

/** a where the condition is not 0, else b. The one that is not chosen gets the gradient 0, even where it is NaN. The condition gets no gradient. */
export function where(condition: Tensor, p: Operand, q: Operand): Tensor {
	checkTensors("where", { condition });
	const { gpu } = condition;
	const [a, b] = operands(
		"where",
		typeof p === "number" && typeof q === "number" ? constant(gpu, p) : p,
		q,
	);
	const y = empty(gpu, broadcastShape("where", { condition, a, b }));
	choose("where", [condition, a, b], y);
	return record(
		"where",
		y,
		[a, b],
		(dy, grads) => {
			const part = empty(gpu, y.shape);
			for (const [i, op] of ["kept", "dropped"].entries())
				if (grads.wants(i)) {
					zip(op as "kept" | "dropped", dy, condition, part);
					sumTo(part, grads.out(i));
				}
			part.dispose();
		},
		[condition],
	);
}
