import { type Accuracy, solveOne } from "./lanczos.ts";
import type { MapSystem } from "./mapPosterior.ts";
import type { Covariance } from "./prior.ts";

/** A right-hand side and the system that it belongs to. */
export interface Right {
	readonly system: MapSystem;
	/** A^T W' Y, [kinds][size][size]. */
	readonly right: Float64Array;
}

/** Solves (N_i C + lambda) u_i = b_i for independent right-hand sides under one covariance: posterior samples, folds, further energies. */
export interface ManySolver {
	/** Where it computes, for reports. */
	readonly name: string;
	/** Right-hand sides that it takes at once: so many cost hardly more time than one. */
	readonly together: number;
	/**
	 * @param rights of systems whose operators have one shape; sites and weights may differ
	 * @returns C u_i of each
	 */
	solve(
		rights: readonly Right[],
		covariance: Covariance,
		lambda: number,
		accuracy: Accuracy,
	): Promise<Float64Array[]>;
	/** Ends what it keeps for the next call. */
	close?(): Promise<void>;
}

/** One after another. */
export const onThisThread: ManySolver = {
	name: "one thread",
	together: 1,
	async solve(rights, covariance, lambda, accuracy) {
		return rights.map(({ system, right }) =>
			solveOne(system.matrix, covariance, right, lambda, accuracy),
		);
	},
};
