/**
 * The published rival of blind extraction: sparse blind deconvolution, SBD-STM (Cheung et al., Nat. Commun. 11, 1081 (2020), doi 10.1038/s41467-020-14633-1), from the paper's
 * words. It needs a window of each kind from the user, and knows neither subpixel scatterers nor uncertainties.
 */
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { marksOf } from "../blind/activationMarks.ts";
import type { SeedWindow, UnmarkedStack } from "../blind/blind.ts";
import {
	findActivation,
	findKernel,
	type SparseProblem,
} from "../blind/sparseSteps.ts";
import {
	cut,
	heaviest,
	moved,
	pixelsOf,
	resized,
	unit,
	windowsOf,
} from "../blind/windows.ts";
import type { MapMark } from "../kernels/markedMap.ts";

export interface SbdOptions {
	/** One a kind, what each kernel starts from; a random one where none is given. */
	readonly windows?: readonly SeedWindow[];
	/** Side of the kernels, Angstrom; that of the first window when not given, else 60. */
	readonly size?: number;
	/** Of the random window. */
	readonly seed?: number;
	/** First and last weight of the sparsity, over the strongest answer of the map to the first kernel. */
	readonly lambda?: readonly [number, number];
	/** Huber's rounding of |x|, over the same; 0: none. */
	readonly mu?: number;
	/** Whether activations may have either sign. */
	readonly signed?: boolean;
	/** Share that the window grows by in the second phase, 0.2 to 0.5. */
	readonly growth?: number;
	/** Turns of all kinds in the first phase. */
	readonly turns?: number;
	/** Awaited before each turn. */
	readonly onProgress?: (done: number, total: number) => void | Promise<void>;
}

export interface SbdKind {
	/** From 1, in the order of the windows. */
	readonly kind: number;
	/** size x size pixels of the map (odd), first index x, of norm 1. */
	readonly kernel: Float64Array;
	readonly size: number;
	/** [nx][ny], as the map. */
	readonly activation: Float64Array;
}

export interface SbdResult {
	readonly kinds: readonly SbdKind[];
	/** The activations as discrete scatterers. */
	readonly marks: readonly Required<MapMark>[];
}

/** Of FISTA and of the kernel, a turn; FISTA's at the end. */
const STEPS = { activation: 40, kernel: 5, last: 100 };
/** Values of lambda in the second phase, and turns at each. */
const LIFTS = 3;
const LIFTED = 4;

/** What is known of a kind between steps. */
interface State {
	kernel: Float64Array;
	activation: Float64Array;
	/** A * X */
	model: Float64Array;
	/** What the user's lambda and mu are shares of. */
	readonly scale: number;
}

/**
 * Kernels and activation maps of the first image of a stack (background taken away, weights the mask).
 * @throws RangeError when a window or size is none
 */
export async function sparseDeconvolution(
	stack: UnmarkedStack,
	options: SbdOptions = {},
): Promise<SbdResult> {
	const { nx, ny } = stack;
	const { lambda = [0.4, 0.1], growth = 0.3, turns = 15 } = options;
	const weights = Float64Array.from({ length: nx * ny }, (_, p) =>
		Number.isFinite(stack.images[0][p]) ? (stack.weights?.[p] ?? 1) : 0,
	);
	const map = Float64Array.from(stack.images[0], (v, p) =>
		weights[p] > 0 ? v : 0,
	);
	const windows = windowsOf(stack, options.windows, options.size, options.seed);
	const size = pixelsOf(options.size ?? windows[0].size, stack);
	const wide = size + 2 * Math.max(1, Math.round((growth * size) / 2));
	const seen = map.map((v, p) => weights[p] * v);
	let convolution = new MapConvolution(nx, ny, size);
	const kinds = windows.map((window): State => {
		const kernel = unit(cut(seen, stack, window, size));
		const answer = convolution.mapOf(convolution.kernelSpectrum(kernel), seen);
		return {
			kernel,
			activation: new Float64Array(nx * ny),
			model: new Float64Array(nx * ny),
			scale: answer.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
		};
	});
	const total = turns + LIFTS * LIFTED;
	let done = 0;
	/** Each kind on what the others leave. */
	const turn = async (share: number, steps = STEPS.activation) => {
		await options.onProgress?.(done++, total);
		for (const state of kinds) {
			const problem = problemOf(state, share);
			state.activation = findActivation(
				problem,
				state.kernel,
				state.activation,
				steps,
			);
			if (!state.activation.some((v) => v !== 0)) continue;
			state.kernel = findKernel(
				problem,
				state.activation,
				state.kernel,
				STEPS.kernel,
			);
			draw(state);
		}
	};
	const draw = (state: State) => {
		convolution.convolve(
			convolution.mapSpectrum(state.activation),
			convolution.kernelSpectrum(state.kernel),
			state.model,
		);
	};
	const problemOf = (own: State, share: number): SparseProblem => {
		const rest = map.slice();
		for (const { model } of kinds.filter((state) => state !== own))
			for (let p = 0; p < rest.length; p++) rest[p] -= model[p];
		return {
			...{ convolution, weights, map: rest },
			lambda: share * own.scale,
			mu: (options.mu ?? 1e-6) * own.scale,
			signed: options.signed ?? false,
		};
	};
	for (let k = 0; k < turns; k++) await turn(lambda[0]);
	convolution = new MapConvolution(nx, ny, wide);
	for (const state of kinds) state.kernel = resized(state.kernel, size, wide);
	for (let lift = 1; lift <= LIFTS; lift++) {
		const share = lambda[0] * (lambda[1] / lambda[0]) ** (lift / LIFTS);
		for (let k = 0; k < LIFTED; k++) await turn(share);
		for (const state of kinds) {
			const [dx, dy] = heaviest(state.kernel, wide, size);
			state.kernel = unit(moved(state.kernel, wide, wide, -dx, -dy));
			state.activation = moved(state.activation, nx, ny, dx, dy);
			draw(state);
		}
	}
	for (const state of kinds) {
		const problem = problemOf(state, lambda[1]);
		const { kernel, activation } = state;
		state.activation = findActivation(problem, kernel, activation, STEPS.last);
		draw(state);
	}
	return {
		kinds: kinds.map(({ kernel, activation }, s) => ({
			kind: s + 1,
			kernel: unit(resized(kernel, wide, size)),
			size,
			activation,
		})),
		marks: kinds.flatMap(({ activation }, s) =>
			marksOf(activation, stack).map((mark) => ({ ...mark, kind: s + 1 })),
		),
	};
}
