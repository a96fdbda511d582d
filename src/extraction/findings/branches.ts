/** Several bands at once: peaks of many energies linked into branches. */
import { followBranch, qPointOf } from "./dispersion.ts";
import { fitParabola, type ParabolaFit } from "./parabola.ts";
import type { Peak } from "./peaks.ts";

export interface Branch<P extends Peak = Peak> {
	/** In the order of the energies (eV); energies without a peak of this branch are left out. */
	readonly points: readonly {
		readonly energy: number;
		/** Its place in the list of energies. */
		readonly index: number;
		readonly peak: P;
	}[];
	/** Null where no parabola fits; `reason` then says why. */
	readonly fit: ParabolaFit | null;
	readonly reason: string | null;
}

/** Energies that a branch has at least: this many, and this share of all. */
const [LEAST, SHARE] = [3, 0.2];
const MOST = 6;
/** chi2 per degree of freedom above which a branch is no parabola, whatever its errors are scaled by. */
const NO_PARABOLA = 9;

/**
 * One branch after the other (`followBranch`), each from the peaks that those before it left: the strongest first.
 * @param candidates peaks of each energy, most prominent first
 * @param draws of each energy, how many the errors are the spread of
 */
export function branchesOf<P extends Peak>(
	energies: readonly number[],
	candidates: readonly (readonly P[])[],
	draws?: readonly number[],
): Branch<P>[] {
	const least = Math.max(LEAST, Math.ceil(SHARE * energies.length));
	let left = candidates;
	const branches: Branch<P>[] = [];
	while (branches.length < MOST) {
		const found = followBranch(energies, left) as (P | null)[];
		const points = found.flatMap((peak, index) =>
			peak ? [{ energy: energies[index], index, peak }] : [],
		);
		if (points.length < least) break;
		left = left.map((peaks, i) => peaks.filter((peak) => peak !== found[i]));
		const fit = fitParabola(
			points.map(({ energy, index, peak }) =>
				qPointOf(energy, peak, draws?.[index]),
			),
		);
		const reason =
			typeof fit === "string"
				? fit
				: fit.inflation ** 2 > NO_PARABOLA
					? `no parabola describes it: chi2/dof = ${(fit.chi2 / fit.degrees).toFixed(0)}`
					: null;
		branches.push({
			points,
			fit: reason === null ? (fit as ParabolaFit) : null,
			reason,
		});
	}
	return branches;
}
