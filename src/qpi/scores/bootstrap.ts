import { Random } from "../../random.ts";

/** A mean difference with its interval. */
export interface PairedDifference {
	readonly mean: number;
	/** Ends of the interval, percentiles of the resampled means. */
	readonly low: number;
	readonly high: number;
	/** Groups and pairs that it rests on. */
	readonly groups: number;
	readonly pairs: number;
}

export interface BootstrapOptions {
	readonly seed: number;
	/** 10,000 by default. */
	readonly resamples?: number;
	/** Of the interval; 0.95 by default. */
	readonly confidence?: number;
}

/**
 * The mean of a - b over pairs that were measured on the same thing, with a percentile bootstrap interval (Efron and Tibshirani 1993, ch. 13). Whole
 * groups are drawn with replacement, because pairs of one group (the images of one kernel) are not independent; a group counts by its pairs.
 *
 * @param groups the group of each pair
 * @throws RangeError where lengths differ, there is no pair, or a value is not finite
 */
export function pairedDifference(
	a: readonly number[],
	b: readonly number[],
	groups: readonly string[],
	{ seed, resamples = 10_000, confidence = 0.95 }: BootstrapOptions,
): PairedDifference {
	if (a.length === 0 || b.length !== a.length || groups.length !== a.length)
		throw new RangeError(
			`paired difference of ${a.length} and ${b.length} values in ${groups.length} groups; expected the same number of each, at least one`,
		);
	const sums = new Map<string, { sum: number; count: number }>();
	for (const [i, group] of groups.entries()) {
		const difference = a[i] - b[i];
		if (!Number.isFinite(difference))
			throw new RangeError(
				`paired difference of ${a[i]} and ${b[i]}; expected finite values`,
			);
		const { sum, count } = sums.get(group) ?? { sum: 0, count: 0 };
		sums.set(group, { sum: sum + difference, count: count + 1 });
	}
	const all = [...sums.values()];
	const random = new Random(seed);
	const means = Float64Array.from({ length: resamples }, () =>
		meanOf(all.map(() => all[random.integer(0, all.length)])),
	).sort();
	const at = (share: number) =>
		means[Math.min(resamples - 1, Math.floor(share * resamples))];
	return {
		mean: meanOf(all),
		low: at((1 - confidence) / 2),
		high: at((1 + confidence) / 2),
		groups: all.length,
		pairs: a.length,
	};
}

function meanOf(groups: readonly { sum: number; count: number }[]): number {
	let [sum, count] = [0, 0];
	for (const group of groups) {
		sum += group.sum;
		count += group.count;
	}
	return sum / count;
}
