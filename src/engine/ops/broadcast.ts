import { named } from "../basics/named.ts";
import { type Shape, show } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import { checkFits, Tensor } from "../tensors/tensor.ts";

/** Tensors of different shapes together, by torch's broadcasting: the kernels of the ops in elementwise.ts, compare.ts and reduce.ts. */

// In the order of the shader's cases; kept and dropped are a where b is not 0, and where it is.
const ZIP = [
	"add",
	"sub",
	"mul",
	"div",
	"maximum",
	"minimum",
	"gt",
	"lt",
	"ge",
	"le",
	"eq",
	"kept",
	"dropped",
] as const;
// maximum and minimum: of dy, an operand and the other one, the operand's gradient; div: of a, b and dy that of b.
const CHOOSE = ["where", "maximum", "minimum", "div"] as const;

/** Dimensions that the shader knows. */
const MOST = 4;

/** Throws, saying which, unless both operands are tensors. */
export function checkOperands(op: string, a: unknown, b: unknown): void {
	for (const [name, operand] of Object.entries({ a, b }))
		if (!(operand instanceof Tensor))
			throw new TypeError(
				`${op}: found ${named(operand)} as ${name}, expected a tensor or a number`,
			);
}

/**
 * The shape of the result of the named operands. Dimensions are counted from the last; an operand that has size 1 along one, or lacks it, is repeated to the size of the others. Throws where sizes differ
 * and neither is 1, and where the device cannot hold the result.
 */
export function broadcastShape(
	op: string,
	operands: Readonly<Record<string, Tensor>>,
): Shape {
	const list = Object.values(operands);
	const rank = list.reduce((most, t) => Math.max(most, t.shape.length), 0);
	const shape = Array.from({ length: rank }, (_, d) => {
		const sizes = list.map((t) => sizeAt(t.shape, rank, d));
		return sizes.find((n) => n !== 1) ?? 1;
	});
	const fits = list.every((t) =>
		shape.every((n, d) => [1, n].includes(sizeAt(t.shape, rank, d))),
	);
	const called = Object.entries(operands)
		.map(([name, t]) => `${name} ${show(t.shape)}`)
		.join(" and ");
	if (!fits)
		throw new Error(
			`${op}: ${called}; expected sizes that are equal or 1, counted from the last`,
		);
	if (groupsOf(list, shape).length > MOST)
		throw new Error(
			`${op}: ${called} repeat in more than ${MOST} groups of dimensions; expected at most ${MOST}`,
		);
	checkFits(op, shape, ...list);
	return shape;
}

/** Size of dimension `d` of `rank`, 1 where the shape has fewer. */
const sizeAt = (shape: Shape, rank: number, d: number) =>
	shape[d - rank + shape.length] ?? 1;

interface Group {
	size: number;
	/** Of each operand: 0 where it is repeated. */
	strides: number[];
}

/** The dimensions of y, the first first; neighbours along which the same operands are repeated are one. */
function groupsOf(operands: readonly Tensor[], y: Shape): Group[] {
	const groups: Group[] = [];
	const next = operands.map(() => 1);
	for (let d = y.length - 1; d >= 0; d--) {
		if (y[d] === 1) continue;
		const repeated = operands.map((t) => sizeAt(t.shape, y.length, d) === 1);
		const inner = groups[0];
		if (inner?.strides.every((s, k) => (s === 0) === repeated[k]))
			inner.size *= y[d];
		else
			groups.unshift({
				size: y[d],
				strides: next.map((n, k) => (repeated[k] ? 0 : n)),
			});
		for (const [k, one] of repeated.entries()) if (!one) next[k] *= y[d];
	}
	return groups;
}

function run(
	entry: string,
	op: number,
	operands: readonly Tensor[],
	y: Tensor,
	factor = 1,
): void {
	const groups = groupsOf(operands, y.shape);
	while (groups.length < MOST)
		groups.unshift({ size: 1, strides: operands.map(() => 0) });
	const strides = (k: number) => groups.map((g) => g.strides[k] ?? 0);
	const [a, b, c] = operands;
	y.gpu.run({
		shader: "broadcast",
		entry,
		bindings: { a, ...(b && { b }), ...(c && { c }), y },
		params: {
			n: y.size,
			factor,
			shape: groups.map(({ size }) => size),
			sa: strides(0),
			sb: strides(1),
			sc: strides(2),
		},
		constants: { OP: op, WIDE: groups[MOST - 1].size % 4 === 0 ? 1 : 0 },
		workgroups: lines(y.gpu, Math.ceil(y.size / 4)),
	});
}

/** y = op(a, b) on the device, both repeated to the shape of y. */
export function zip(
	op: (typeof ZIP)[number],
	a: Tensor,
	b: Tensor,
	y: Tensor,
): void {
	run("zip", ZIP.indexOf(op), [a, b], y);
}

/** y = op(a, b, c) on the device, all repeated to the shape of y. */
export function choose(
	op: (typeof CHOOSE)[number],
	operands: readonly [Tensor, Tensor, Tensor],
	y: Tensor,
): void {
	run("choose", CHOOSE.indexOf(op), operands, y);
}

/** y = factor * x, repeated to the shape of y. */
export function expand(x: Tensor, y: Tensor, factor = 1): void {
	run("expand", 0, [x], y, factor);
}
