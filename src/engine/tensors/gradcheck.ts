import { Random } from "../../random.ts";
import { named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";
import { scope } from "../basics/scope.ts";
import { show } from "../basics/shape.ts";
import { backward, noGrad } from "./autograd.ts";
import { checkTensors, type Tensor, tensor } from "./tensor.ts";

export interface GradcheckOptions {
	/** The step to both sides; 0.01 by default: much smaller ones drown in the rounding of 32-bit floats. */
	readonly eps?: number;
	/** Allowed besides; by default what the rounding of the function's values does to a difference. */
	readonly atol?: number;
	/** Allowed of the largest gradient; 0.001 by default. */
	readonly rtol?: number;
	/** Of what is drawn; 1 by default. */
	readonly seed?: number;
}

/**
 * Compares the gradients that backward() finds with central differences (torch's gradcheck, in 32-bit floats), and returns the largest difference, divided by the largest
 * gradient. An output of several values is summed with random factors. Of an input of more than 40 values a dozen are tried, and one random direction.
 *
 * @param fn computes the output from `inputs`; the same at each call, so no dropout
 * @param inputs those that require a gradient are checked, and are as before in the end, `grad` too; a module's parameters(), where `fn` uses that module. What else
 *   requires a gradient in `fn` gets one
 * @throws one line with input and element where they differ by more than `atol` plus `rtol` of the input's largest gradient
 */
export async function gradcheck(
	fn: (...inputs: Tensor[]) => Tensor,
	inputs: readonly Tensor[],
	options: GradcheckOptions = {},
): Promise<number> {
	checkNames("gradcheck", options, ["eps", "atol", "rtol", "seed"]);
	const { eps = 1e-2, rtol = 1e-3, seed = 1 } = options;
	if (!(eps > 0))
		throw new RangeError(`gradcheck: eps ${eps}, expected a positive number`);
	const checked = checkInputs(inputs);
	const [{ gpu }] = inputs;
	const random = new Random(seed);

	const values = () =>
		read(scope(gpu, () => noGrad(gpu, () => checkOutput(fn(...inputs)))));
	const y = await values();
	const again = await values();
	if (y.some((v, i) => !Object.is(v, again[i])))
		throw new Error(
			"gradcheck: the function gave two results for the same inputs; expected one without random numbers, or of one seed",
		);
	const dy = y.map(() => (y.length === 1 ? 1 : random.uniform(-1, 1)));
	const atol = options.atol ?? (16 * 2 ** -24 * Math.sqrt(dot(y, dy, 2))) / eps;

	let worst = 0;
	for (const [i, gradient] of await gradientsOf(fn, inputs, checked, dy)) {
		const input = inputs[i];
		const before = await input.data();
		const loss = async (moved: Float32Array) => {
			input.write(moved);
			return dot(await values(), dy);
		};
		try {
			const error = await compareSlopes(`gradcheck: input ${i}`, {
				...{ shape: input.shape, values: before, gradient, loss },
				...{ eps, atol, rtol, random },
			});
			worst = Math.max(worst, error);
		} finally {
			input.write(before);
		}
	}
	return worst;
}

/** Numbers of the inputs that require a gradient. Throws where there are none, and where one cannot be changed. */
function checkInputs(inputs: readonly Tensor[]): number[] {
	if (!Array.isArray(inputs))
		throw new TypeError(
			`gradcheck: found ${named(inputs)} as inputs, expected a list of tensors`,
		);
	checkTensors("gradcheck", { ...inputs });
	const checked = [...inputs.keys()].filter((i) => inputs[i].requiresGrad);
	if (checked.length === 0)
		throw new Error(
			"gradcheck: no input requires a gradient; expected requiresGrad = true of those to be checked",
		);
	const made = checked.find((i) => inputs[i].node);
	if (made !== undefined)
		throw new Error(
			`gradcheck: input ${made} was made by ${inputs[made].op}; expected tensors that no op made`,
		);
	return checked;
}

function checkOutput(y: unknown): Tensor {
	checkTensors("gradcheck", { "the output": y });
	return y as Tensor;
}

/** By number of input; what gradients the inputs had before is put back. */
async function gradientsOf(
	fn: (...inputs: Tensor[]) => Tensor,
	inputs: readonly Tensor[],
	checked: readonly number[],
	dy: Float32Array,
): Promise<Map<number, Float32Array>> {
	const [{ gpu }] = inputs;
	const leaves = checked.map((i) => inputs[i]);
	const before = leaves.map(({ grad, gradIsFresh, gradIsSeeded }) => ({
		...{ grad, gradIsFresh, gradIsSeeded },
	}));
	for (const leaf of leaves)
		Object.assign(leaf, { grad: null, gradIsFresh: false });
	let gradients: (Tensor | null)[] = [];
	try {
		scope(gpu, () => {
			const y = fn(...inputs);
			backward(y, tensor(gpu, dy, y.shape));
		});
	} finally {
		gradients = leaves.map(({ grad }) => grad);
		leaves.forEach((leaf, k) => {
			Object.assign(leaf, before[k]);
		});
	}
	const found = new Map<number, Float32Array>();
	for (const [k, i] of checked.entries()) {
		const gradient = gradients[k];
		if (!gradient)
			throw new Error(
				`gradcheck: input ${i} ${show(inputs[i].shape)} got no gradient; expected the output to depend on it by ops that are on the tape`,
			);
		found.set(i, await read(gradient));
	}
	return found;
}

async function read(t: Tensor): Promise<Float32Array> {
	const data = await t.data();
	t.dispose();
	return data;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>, power = 1): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] * b[i]) ** power;
	return sum;
}

/** Up to this many elements every one is tried, else a dozen and one random direction. */
const EACH = 40;

/** A function at some values, and what is said to be its gradient there. */
export interface Slopes<A> {
	readonly shape: readonly number[];
	readonly values: A;
	readonly gradient: Float32Array;
	loss(values: A): number | Promise<number>;
	/** The step to both sides. */
	readonly eps: number;
	readonly atol: number;
	readonly rtol: number;
	/** What the largest gradient counts as where it is smaller. */
	readonly least?: number;
	readonly random: Random;
}

/**
 * Compares a gradient with central differences; returns the largest difference, divided by the largest gradient. Throws one line that begins with `what` where an element differs
 * by more than `atol` plus `rtol` of the largest.
 */
export async function compareSlopes<A extends Float32Array | Float64Array>(
	what: string,
	{
		shape,
		values,
		gradient,
		loss,
		eps,
		atol,
		rtol,
		random,
		...more
	}: Slopes<A>,
): Promise<number> {
	/** By the function, and by the gradient; of the steps as they are after rounding. */
	const along = async (direction: (i: number) => number) => {
		const [up, down] = [eps, -eps].map((step) => {
			const moved = values.slice() as A;
			for (let i = 0; i < moved.length; i++) moved[i] += step * direction(i);
			return moved;
		});
		const length = 2 * eps;
		const wanted = ((await loss(up)) - (await loss(down))) / length;
		let found = 0;
		for (let i = 0; i < up.length; i++)
			if (up[i] !== down[i]) found += gradient[i] * (up[i] - down[i]);
		return { found: found / length, wanted };
	};
	const n = values.length;
	const picked =
		n <= EACH
			? [...values.keys()]
			: Array.from({ length: 12 }, () => random.integer(0, n));
	const tried = [];
	for (const k of picked)
		tried.push({
			...(await along((i) => (i === k ? 1 : 0))),
			...{ where: `element ${k}`, factor: 1 },
		});
	let largest = more.least ?? 0;
	for (const g of gradient) largest = Math.max(largest, Math.abs(g));
	for (const { wanted } of tried) largest = Math.max(largest, Math.abs(wanted));
	if (n > EACH) {
		const direction = values.map(() => random.uniform(-1, 1));
		tried.push({
			...(await along((i) => direction[i])),
			// Errors of n elements that do not conspire.
			...{ where: "a random direction", factor: Math.sqrt(n) },
		});
	}
	let worst = 0;
	for (const { where, found, wanted, factor } of tried) {
		const error = Math.abs(found - wanted);
		if (!(error <= rtol * factor * largest + atol))
			throw new Error(
				`${what} ${show(shape)}, ${where}: the gradient is ${found}, expected ${wanted} by differences (largest ${largest}, rtol ${rtol}, atol ${atol})`,
			);
		if (error > 0) worst = Math.max(worst, error / factor / largest);
	}
	return worst;
}
