/** Several bands at once: peaks of many energies linked into branches. */
import { followBranch, qPointOf } from "./dispersion.ts";
import { mergedPoints } from "./merged.ts";
import { fitParabola, type ParabolaFit } from "./parabola.ts";
import type { Peak } from "./peaks.ts";

export interface Branch<P extends Peak = Peak> {
	/** In the order of the energies (eV); energies without a peak of this branch are left out. */
	readonly points: readonly {
		readonly energy: number;
		/** Its place in the list of energies. */
		readonly index: number;
		readonly peak: P;
		/** Another branch is nearer than 1.4 of the line's widths: not in the fit. */
		readonly merged: boolean;
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
 * One branch after the other (`followBranch`), each from the peaks that those before it left: the strongest first. Points where two come closer than their lines' width are marked and left out of the fits.
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
	const found: Branch<P>[] = [];
	while (found.length < MOST) {
		const followed = followBranch(energies, left) as (P | null)[];
		const points = followed.flatMap((peak, index) =>
			peak ? [{ energy: energies[index], index, peak, merged: false }] : [],
		);
		if (points.length < least) break;
		left = left.map((peaks, i) => peaks.filter((p) => p !== followed[i]));
		found.push(fitted(points, draws));
	}
	const merged = mergedPoints(energies, found);
	return found.map((branch, b) =>
		merged[b].includes(true)
			? fitted(
					branch.points.map((p, i) => ({ ...p, merged: merged[b][i] })),
					draws,
				)
			: branch,
	);
}

/** Points with the parabola through those that have not merged. */
function fitted<P extends Peak>(
	points: Branch<P>["points"],
	draws: readonly number[] | undefined,
): Branch<P> {
	const own = points.filter(({ merged }) => !merged);
	const fit = fitParabola(
		own.map(({ energy, index, peak }) =>
			qPointOf(energy, peak, draws?.[index]),
		),
	);
	const reason =
		typeof fit !== "string"
			? fit.inflation ** 2 > NO_PARABOLA
				? `no parabola describes it: chi2/dof = ${(fit.chi2 / fit.degrees).toFixed(0)}`
				: null
			: own.length < LEAST && own.length < points.length
				? `at ${points.length - own.length} of its energies another branch is nearer than 1.4 of the line's widths`
				: fit;
	return {
		points,
		fit: reason === null ? (fit as ParabolaFit) : null,
		reason,
	};
}
