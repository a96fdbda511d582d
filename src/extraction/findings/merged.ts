/** Which points of a branch are no peaks of its own, for another branch comes closer than their width. */

import { HBAR2_2M } from "../../qpi/generator/bands.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import type { ParabolaFit } from "./parabola.ts";

interface Track {
	readonly points: readonly {
		readonly energy: number;
		readonly index: number;
		readonly peak: { readonly q: number; readonly width?: number };
	}[];
	readonly fit: ParabolaFit | null;
}

/** Of a line's full width at half maximum: where two waves weaken each other between them, they seem farther apart than they are. */
const NEAR = 1.4;
/** Energies of the list that a branch is followed beyond its ends. */
const BEYOND = 2;

/**
 * For each branch and point whether another branch's wave vector, by its point or where it has none by its parabola, is nearer than 1.4 full widths at half maximum of the line. Two such waves are added with
 * phases that nobody knows: their |F| has one maximum between the two, or two that lie off, and no fit of two lines says which.
 * @param energies in the order in which points are numbered
 */
export function mergedPoints(
	energies: readonly number[],
	branches: readonly Track[],
): boolean[][] {
	const order = energies
		.map((_, i) => i)
		.sort((a, b) => energies[a] - energies[b]);
	const rank = new Map(order.map((index, at) => [index, at]));
	const rankOf = (index: number) => rank.get(index) ?? 0;
	const placeOf = ({ points, fit }: Track, index: number): number | null => {
		const own = points.find((p) => p.index === index);
		if (own) return own.peak.q;
		const ranks = points.map((p) => rankOf(p.index));
		const at = rankOf(index);
		if (!fit || at < minOf(ranks) - BEYOND || at > maxOf(ranks) + BEYOND)
			return null;
		const k2 = ((energies[index] - fit.bottom) * fit.mass) / HBAR2_2M;
		return k2 > 0 ? 2 * Math.sqrt(k2) : null;
	};
	return branches.map((branch) => {
		const widths = branch.points.map(({ peak }) => peak.width ?? 0);
		const usual = [...widths].sort((a, b) => a - b)[widths.length >> 1];
		return branch.points.map(({ index, peak }) =>
			branches.some((other) => {
				if (other === branch) return false;
				const q = placeOf(other, index);
				// lines that weaken each other are narrower too
				const width = Math.max(usual, peak.width ?? 0);
				return q !== null && Math.abs(q - peak.q) < NEAR * width;
			}),
		);
	});
}
