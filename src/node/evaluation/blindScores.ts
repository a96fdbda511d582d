/** How well scatterers were found: of each map, over all maps, and by what differs between them. */

import type { ShardMark } from "../files/shard.ts";

/** What makes a map easy or hard, besides its kinds; null where nobody says. */
export interface MapFactors {
	/** Scatterers on 100 x 100 A. */
	readonly density: number;
	/** Over the standard deviation of the ripples. */
	readonly noise: number | null;
	/** Of amplitudes, relative. */
	readonly spread: number | null;
	/** Standard deviation over that of the ripples. */
	readonly background: number | null;
}

/** Plain JSON. */
export interface BlindScore extends MapFactors {
	/** That were found, and that there are. */
	readonly kinds: number;
	readonly trueKinds: number;
	/** Share of the true scatterers that were found, of the right kind; null where there is none. */
	readonly recall: number | null;
	/** Share of the found scatterers that are true; null where nothing was found or there is nothing to find. */
	readonly precision: number | null;
	/** Root mean square, Angstrom, without each kind's common shift; null where none was found. */
	readonly positionError: number | null;
	/** Of each true kind's kernel with the found one at the best shift; 0 where the kind was not found. */
	readonly ncc: readonly number[];
	/** The published figures of merit, means over the true kinds. */
	readonly angle: number | null;
	readonly fft: number | null;
	readonly overlap: number | null;
	/** Of all that is done, preprocessing too. */
	readonly seconds: number;
	/** Found, and true. */
	readonly marks: number;
	readonly trueMarks: number;
}

/** Plain JSON. */
export interface BlindEvaluation {
	readonly maps: Readonly<Record<string, BlindScore>>;
	readonly mean: BlindMeans;
	/** For each property in which the maps differ (noise, density, ...), the means over the maps of each of its levels. */
	readonly by: Readonly<Partial<Record<Factor, readonly BlindGroup[]>>>;
	/** Where only these of the folder's maps were looked at. */
	readonly shard?: ShardMark;
}

const MEANS = [
	"kinds",
	"recall",
	"precision",
	"positionError",
	"angle",
	"fft",
	"overlap",
	"seconds",
] as const;

/** Over the maps that have the figure; the correlation's over all kernels. */
export type BlindMeans = Readonly<
	Record<(typeof MEANS)[number] | "ncc", number | null>
>;

/** What maps are grouped by. */
export type Factor = keyof MapFactors | "trueKinds";

/** Maps whose factor is from the one to the other, both included. */
export interface BlindGroup extends BlindMeans {
	readonly from: number;
	readonly to: number;
	/** How many. */
	readonly maps: number;
}

const FACTORS: readonly Factor[] = [
	"density",
	"noise",
	"trueKinds",
	"spread",
	"background",
];
/** The largest number of groups. A factor that has more values than this, or another value in each map, is cut into so many ranges at most, each of two maps or more. */
const GROUPS = 4;
/** Densities and the like that differ by less are the same. */
const SAME = 1e-3;

/** Of those that are there. */
export function meanOf(values: readonly (number | null)[]): number | null {
	const known = values.filter((v) => v !== null);
	return known.length > 0
		? known.reduce((sum, v) => sum + v, 0) / known.length
		: null;
}

export function summaryOf(
	scores: readonly BlindScore[],
): Pick<BlindEvaluation, "mean" | "by"> {
	const by = FACTORS.map((factor) => [factor, groupsOf(scores, factor)]);
	return {
		mean: meansOf(scores),
		by: Object.fromEntries(by.filter(([, groups]) => groups.length > 1)),
	};
}

function meansOf(scores: readonly BlindScore[]): BlindMeans {
	const means = MEANS.map((key) => [key, meanOf(scores.map((s) => s[key]))]);
	return {
		...Object.fromEntries(means),
		ncc: meanOf(scores.flatMap(({ ncc }) => ncc)),
	};
}

/** Maps by the values of a factor; those of which it is not known are left out. */
function groupsOf(
	scores: readonly BlindScore[],
	factor: Factor,
): readonly BlindGroup[] {
	const known = scores
		.flatMap((score) => {
			const value = score[factor];
			return value === null ? [] : [{ score, value }];
		})
		.sort((a, b) => a.value - b.value);
	const levels: (typeof known)[] = [];
	for (const one of known) {
		const last = levels.at(-1);
		if (last && one.value - last[0].value <= SAME * Math.abs(one.value))
			last.push(one);
		else levels.push([one]);
	}
	const count = Math.min(GROUPS, Math.floor(known.length / 2));
	const share = known.length / count;
	const groups =
		levels.length <= GROUPS && levels.length < known.length
			? levels
			: Array.from({ length: count }, (_, g) =>
					known.slice(Math.round(g * share), Math.round((g + 1) * share)),
				);
	return groups.map((group) => ({
		...{ from: group[0].value, to: group[group.length - 1].value },
		maps: group.length,
		...meansOf(group.map(({ score }) => score)),
	}));
}
