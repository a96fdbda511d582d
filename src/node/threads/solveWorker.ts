/** The worker thread that solves one right-hand side at a time, for SolveThreads. */

import {
	type NormalDescription,
	NormalMatrix,
} from "../../qpi/operator/normalMatrix.ts";
import { BlockCovariance } from "../../qpi/posterior/blockCovariance.ts";
import {
	FactoredCovariance,
	type Factors,
} from "../../qpi/posterior/factoredCovariance.ts";
import { type Accuracy, solveOne } from "../../qpi/posterior/lanczos.ts";
import { serve } from "./pool.ts";

export const SOLVE_WORKER = new URL(import.meta.url);

export interface SolveTask {
	readonly normal: NormalDescription;
	/** Of each kind. */
	readonly factors: readonly Factors[];
	/** Of each kind, the number of its components: the same number, the same components. */
	readonly components: readonly number[];
	readonly right: Float64Array;
	readonly lambda: number;
	readonly accuracy: Accuracy;
}

/** Earlier ones by their numbers, so that the same array is not folded again (WindowComponents.of). */
const known = new Map<number, Float32Array>();
/** Kept at once: the kinds of one file, and those of the file before. */
const KEPT = 16;

function componentsOf(number: number, { components }: Factors): Float32Array {
	const found = known.get(number) ?? components;
	known.delete(number);
	known.set(number, found);
	for (const oldest of known.keys()) {
		if (known.size <= KEPT) break;
		known.delete(oldest);
	}
	return found;
}

serve((task: SolveTask) => {
	const { normal, factors, right, lambda, accuracy } = task;
	const parts = factors.map(
		(of, k) =>
			new FactoredCovariance({
				...of,
				components: componentsOf(task.components[k], of),
			}),
	);
	return solveOne(
		NormalMatrix.of(normal),
		new BlockCovariance(parts),
		right,
		lambda,
		accuracy,
	);
});
