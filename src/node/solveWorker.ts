/** The worker thread that solves one right-hand side at a time, for SolveThreads. */
import { BlockCovariance } from "../qpi/blockCovariance.ts";
import { FactoredCovariance, type Factors } from "../qpi/factoredCovariance.ts";
import { type Accuracy, solveOne } from "../qpi/lanczos.ts";
import { type NormalDescription, NormalMatrix } from "../qpi/normalMatrix.ts";
import { serve } from "./pool.ts";

export const SOLVE_WORKER = new URL(import.meta.url);

export interface SolveTask {
	readonly normal: NormalDescription;
	/** Of each kind. */
	readonly factors: readonly Factors[];
	readonly right: Float64Array;
	readonly lambda: number;
	readonly accuracy: Accuracy;
}

serve(({ normal, factors, right, lambda, accuracy }: SolveTask) => {
	const parts = factors.map((of) => new FactoredCovariance(of));
	return solveOne(
		NormalMatrix.of(normal),
		new BlockCovariance(parts),
		right,
		lambda,
		accuracy,
	);
});
