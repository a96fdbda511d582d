import { type Accuracy, BLOCK } from "../../qpi/posterior/lanczos.ts";
import type { Covariance } from "../../qpi/posterior/prior.ts";
import type { ManySolver, Right } from "../../qpi/posterior/solveMany.ts";

/** Many right-hand sides to solve, as ManySolver.solve takes them. */
export interface ManyRights {
	readonly rights: readonly Right[];
	readonly covariance: Covariance;
	readonly lambda: number;
	readonly accuracy: Accuracy;
}

export interface ChosenSolver {
	readonly solver: ManySolver;
	/** Of those that were tried: milliseconds a right-hand side and step, or why it cannot. Empty when there was too little to do. */
	readonly measured: readonly {
		readonly name: string;
		readonly milliseconds?: number;
		readonly error?: string;
	}[];
}

/** Milliseconds of work that make it worth while to look for who does it fastest. */
const ENOUGH = 1000;

/**
 * The fastest of some solvers, found by a few steps on the problem's own right-hand sides, as many of them as each takes at once. Where the first
 * would be done within a second, or is alone, it is taken as it is. Each other is warmed up by one right-hand side; where that alone takes longer than the first
 * needs for everything, it is not tried further. (A software driver of WebGPU computes on the CPU that the threads have already, far slower: not to be among them.)
 */
export async function chooseSolver(
	[first, ...others]: readonly [ManySolver, ...ManySolver[]],
	work: ManyRights,
): Promise<ChosenSolver> {
	const { rights, accuracy } = work;
	if (others.length === 0 || rights.length === 0)
		return { solver: first, measured: [] };
	const warm = await time(first, work, 1);
	const all = (each: number, { together }: ManySolver) =>
		(each * rights.length * accuracy.steps) /
		BLOCK /
		Math.min(together, rights.length);
	if (all(warm, first) < ENOUGH) return { solver: first, measured: [] };

	/** Of all that it takes at once, a right-hand side and step. */
	const measure = async (solver: ManySolver) => {
		const count = Math.min(solver.together, rights.length);
		return (await time(solver, work, count)) / count / BLOCK;
	};
	let [best, least] = [first, await measure(first)];
	const measured: { name: string; milliseconds?: number; error?: string }[] = [
		{ name: first.name, milliseconds: least },
	];
	const patience = least * rights.length * accuracy.steps;
	for (const solver of others) {
		const { name } = solver;
		try {
			const once = await time(solver, work, 1);
			const milliseconds =
				once > patience ? once / BLOCK : await measure(solver);
			measured.push({ name, milliseconds });
			if (milliseconds < least) [best, least] = [solver, milliseconds];
		} catch (error) {
			measured.push({
				name,
				error: error instanceof Error ? error.message : String(error),
			});
		}
	}
	return { solver: best, measured };
}

/** The first of some solvers until a call that is worth a choice, from then on the fastest. */
export class FastestSolver implements ManySolver {
	readonly #candidates: readonly [ManySolver, ...ManySolver[]];
	#chosen: ChosenSolver;
	#choosing = false;

	/** To be closed: closes them. */
	constructor(candidates: readonly [ManySolver, ...ManySolver[]]) {
		this.#candidates = candidates;
		this.#chosen = { solver: candidates[0], measured: [] };
	}

	get name(): string {
		return this.#chosen.solver.name;
	}

	get together(): number {
		return this.#chosen.solver.together;
	}

	/** For reports; see ChosenSolver. */
	get measured(): ChosenSolver["measured"] {
		return this.#chosen.measured;
	}

	async solve(
		rights: readonly Right[],
		covariance: Covariance,
		lambda: number,
		accuracy: Accuracy,
	): Promise<Float64Array[]> {
		// Another call meanwhile goes to the first.
		if (this.measured.length === 0 && !this.#choosing) {
			this.#choosing = true;
			const work = { rights, covariance, lambda, accuracy };
			try {
				this.#chosen = await chooseSolver(this.#candidates, work);
			} finally {
				this.#choosing = false;
			}
		}
		return this.#chosen.solver.solve(rights, covariance, lambda, accuracy);
	}

	async close(): Promise<void> {
		await Promise.all(this.#candidates.map((solver) => solver.close?.()));
	}
}

/** Milliseconds of a few steps on the first right-hand sides. */
async function time(
	solver: ManySolver,
	{ rights, covariance, lambda }: ManyRights,
	count: number,
): Promise<number> {
	const start = performance.now();
	// no error is small enough: all steps are made
	const accuracy = { tolerance: 0, steps: BLOCK };
	await solver.solve(rights.slice(0, count), covariance, lambda, accuracy);
	return performance.now() - start;
}
