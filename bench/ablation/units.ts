/** What of an ablation can be done on machines of its own, and what is made of it. */
import { isIn, type Shard } from "../../src/node/files/shard.ts";

/** A choice left out or changed, on maps or on images: a figure a seed. */
export interface Trial {
	readonly what: string;
	readonly name: string;
	readonly means: readonly number[];
	/** Of one map or image. */
	readonly seconds: number;
}

/** What the choice is worth. */
export interface Worth {
	readonly what: string;
	readonly name: string;
	readonly ncc: number;
	/** Against `usual` of the same seed, and its standard deviation over the seeds. */
	readonly gain: number;
	readonly spread: number;
	readonly seconds: number;
}

const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;

/** Each seed against itself: what the choice does, not what the seeds differ by. @param usual the name of that which nothing is changed in */
export const worthOf = (rows: readonly Trial[], usual: string): Worth[] =>
	rows.map(({ what, name, means, seconds }) => {
		const base = rows.find((row) => row.what === what && row.name === usual);
		if (!base) throw new Error(`there is no "${usual}" on ${what}`);
		const gains = means.map((v, i) => v - base.means[i]);
		const gain = mean(gains);
		const spread = Math.sqrt(
			gains.reduce((s, g) => s + (g - gain) ** 2, 0) / (gains.length - 1),
		);
		return { what, name, ncc: mean(means), gain, spread, seconds };
	});

/** A training of an ablation: which variant, with which seed. */
export interface Training {
	readonly name: string;
	readonly seed: number;
}

/**
 * The trainings of a part, in an order in which each finds what it starts from: those that take the usual one's network are done where that is made.
 * @param variants whether each takes it
 */
export function trainingsOf(
	variants: Readonly<Record<string, boolean>>,
	usual: string,
	seeds: readonly number[],
	shard?: Shard,
): Training[] {
	const names = Object.keys(variants);
	const units = seeds.flatMap((seed) => [
		[usual, ...names.filter((name) => variants[name])].map((name) => ({
			name,
			seed,
		})),
		...names
			.filter((name) => name !== usual && !variants[name])
			.map((name) => [{ name, seed }]),
	]);
	return units.filter((_, i) => isIn(shard, i)).flat();
}
