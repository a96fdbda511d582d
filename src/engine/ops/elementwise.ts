import { sameShape, show, sizeOf } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";
import { broadcastShape, checkOperands, choose, zip } from "./broadcast.ts";
import { sumColumns, sumTo } from "./reduce.ts";

/** Functions of one tensor, element by element, and sums, differences and products of two. */

// In the order of the shader's cases.
const UNARY = [
	"relu",
	"leakyRelu",
	"silu",
	"sigmoid",
	"tanh",
	"exp",
	"clamp",
	"scale",
	"abs",
	"sqrt",
	"log",
	"pow",
	"affine",
];
// Those whose gradient the shader computes from the output; of the others, one from the output loses digits, or cannot be had.
const OF_OUTPUT = ["relu", "leakyRelu", "exp", "sqrt"];
// Those whose gradient needs nothing of either.
const OF_NOTHING = ["scale", "affine"];
const BINARY = ["add", "sub", "mul", "div"];

function unary(op: string, x: Tensor, p = 0, q = 0): Tensor {
	checkTensors(op, { x });
	for (const value of [p, q])
		if (!Number.isFinite(value))
			throw new Error(
				`${op}: x ${show(x.shape)} with the constant ${value}; expected a finite number`,
			);
	const { gpu } = x;
	const y = empty(gpu, x.shape);
	const same = {
		shader: "elementwise",
		params: { n: x.size, period: x.size, p, q },
		constants: { OP: UNARY.indexOf(op) },
		workgroups: lines(gpu, Math.ceil(x.size / 4)),
	};
	gpu.run({ ...same, entry: "forward", bindings: { x, y } });
	const saved = OF_OUTPUT.includes(op) ? y : x;
	return record(
		op,
		y,
		[x],
		(dy, grads) =>
			gpu.run({
				...same,
				entry: "backward",
				bindings: { x: saved, dy, y: grads.out(0) },
			}),
		OF_NOTHING.includes(op) ? [] : [saved],
	);
}

/** max(x, 0); the gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
	return unary("relu", x);
}

/** x where x > 0, else slope * x, with slope >= 0. Throws on a negative slope. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
	if (slope < 0)
		throw new Error(`leakyRelu: slope ${slope}; expected 0 or more`);
	return unary("leakyRelu", x, slope);
}

/** x * sigmoid(x). */
export function silu(x: Tensor): Tensor {
	return unary("silu", x);
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: Tensor): Tensor {
	return unary("sigmoid", x);
}

/** The hyperbolic tangent of x. */
export function tanh(x: Tensor): Tensor {
	return unary("tanh", x);
}

/** e to the power of x. */
export function exp(x: Tensor): Tensor {
	return unary("exp", x);
}

/** x held to [low, high]; outside of it the gradient is 0. Throws where low exceeds high. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
	if (!(low <= high))
		throw new Error(`clamp: low ${low} and high ${high}; expected low <= high`);
	return unary("clamp", x, low, high);
}

/** factor * x. */
export function scale(x: Tensor, factor: number): Tensor {
	return unary("scale", x, factor);
}

/** The size of x without its sign; the gradient at 0 is 0. */
export function abs(x: Tensor): Tensor {
	return unary("abs", x);
}

/** The square root; NaN below 0. */
export function sqrt(x: Tensor): Tensor {
	return unary("sqrt", x);
}

/** The natural logarithm; NaN below 0. */
export function log(x: Tensor): Tensor {
	return unary("log", x);
}

/** x to the power of a number; NaN where x is below 0 and the exponent is not whole. */
export function pow(x: Tensor, exponent: number): Tensor {
	return unary("pow", x, exponent);
}

/** y = a op b on the device, b repeated along the leading dimensions of y. */
function combine(op: string, a: Tensor, b: Tensor, y: Tensor): void {
	y.gpu.run({
		shader: "elementwise",
		entry: "combine",
		bindings: { a, b, y },
		params: { n: y.size, period: b.size, p: 0, q: 0 },
		constants: { OP: BINARY.indexOf(op) },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
}

type Arithmetic = "add" | "sub" | "mul" | "div";

function binary(op: Arithmetic, a: Tensor, b: Tensor): Tensor {
	checkOperands(op, a, b);
	const rank = a.shape.length - b.shape.length;
	if (rank < 0 || (b.size !== 1 && !sameShape(b.shape, a.shape.slice(rank))))
		return repeated(op, a, b);
	const y = empty(a.gpu, a.shape);
	combine(op, a, b, y);
	const linear = op === "add" || op === "sub";
	return record(
		op,
		y,
		[a, b],
		(dy, grads) => {
			if (grads.wants(0)) {
				if (linear) grads.set(0, dy);
				else combine(op, dy, b, grads.out(0));
			}
			if (!grads.wants(1)) return;
			const whole = b.size === sizeOf(a.shape);
			if (linear) {
				if (whole && op === "add") grads.set(1, dy.view(b.shape));
				else sumColumns(dy, grads.out(1), op === "sub" ? -1 : 1);
				return;
			}
			if (whole && op === "mul") {
				combine("mul", dy, a, grads.out(1));
				return;
			}
			// Of a / b it is -(a / b) / b.
			const slope = op === "mul" ? a : empty(a.gpu, a.shape);
			if (op === "div") combine("div", y, b, slope);
			const product = empty(a.gpu, a.shape);
			combine("mul", dy, slope, product);
			sumColumns(product, grads.out(1), op === "mul" ? 1 : -1);
			product.dispose();
			if (slope !== a) slope.dispose();
		},
		op === "mul" ? [a, b] : op === "div" ? [b, y] : [],
	);
}

/** binary() where either operand may be repeated, along any dimension. */
function repeated(op: Arithmetic, a: Tensor, b: Tensor): Tensor {
	const y = empty(a.gpu, broadcastShape(op, { a, b }));
	zip(op, a, b, y);
	return record(
		op,
		y,
		[a, b],
		(dy, grads) => {
			if (op === "add" || op === "sub") {
				if (grads.wants(0)) sumTo(dy, grads.out(0));
				if (grads.wants(1)) sumTo(dy, grads.out(1), op === "sub" ? -1 : 1);
				return;
			}
			const part = empty(a.gpu, y.shape);
			if (grads.wants(0)) {
				zip(op, dy, b, part);
				sumTo(part, grads.out(0));
			}
			if (grads.wants(1)) {
				if (op === "mul") zip("mul", dy, a, part);
				else choose("div", [a, b, dy], part);
				sumTo(part, grads.out(1));
			}
			part.dispose();
		},
		op === "mul" || op === "div" ? [a, b] : [],
	);
}

/** A tensor, or a number; two numbers are refused. */
export type Operand = Tensor | number;

/** a + b. What has size 1 along a dimension, or lacks it, is repeated there, the dimensions counted from the last (torch's broadcasting). Throws on other shapes. */
export function add(a: Operand, b: Operand): Tensor {
	if (typeof b === "number") return unary("affine", a as Tensor, 1, b);
	return typeof a === "number" ? unary("affine", b, 1, a) : binary("add", a, b);
}

/** a - b, with operands as in add(). */
export function sub(a: Operand, b: Operand): Tensor {
	if (typeof b === "number") return unary("affine", a as Tensor, 1, -b);
	return typeof a === "number"
		? unary("affine", b, -1, a)
		: binary("sub", a, b);
}

/** a * b, element by element, with operands as in add(). */
export function mul(a: Operand, b: Operand): Tensor {
	if (typeof b === "number") return unary("scale", a as Tensor, b);
	return typeof a === "number" ? unary("scale", b, a) : binary("mul", a, b);
}

/** a / b, element by element, with operands as in add(). */
export function div(a: Operand, b: Operand): Tensor {
	if (typeof b === "number") return unary("scale", a as Tensor, 1 / b);
	return typeof a === "number" ? scale(pow(b, -1), a) : binary("div", a, b);
}
