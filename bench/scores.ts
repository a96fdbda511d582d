/** Scores of finished trainings, compared observation by observation. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
	type PairedDifference,
	pairedDifference,
} from "../src/qpi/scores/bootstrap.ts";
import type { KernelScores } from "../src/qpi/scores/metrics.ts";
import type { ScoreFile } from "../src/training/evaluate.ts";
import type { MethodName } from "../src/training/metrics.ts";

/** The scores that a training left in its folder, or undefined where it left none. */
export async function readScores(
	folder: string,
): Promise<ScoreFile | undefined> {
	const text = await readFile(join(folder, "scores.json"), "utf8").catch(
		() => undefined,
	);
	return text === undefined ? undefined : JSON.parse(text);
}

/** A method in a training. */
export interface Column {
	readonly file: ScoreFile;
	readonly method: MethodName;
}

/** A difference of two columns of scores. */
export interface Compared extends PairedDifference {
	/** Of the columns themselves. */
	readonly means: [number, number];
	/** The mean difference of each pair: of each seed. */
	readonly bySeed: readonly number[];
	/** 95 % interval of the mean of bySeed, were other seeds drawn: Student's t. Undefined for one seed. */
	readonly overSeeds?: readonly [low: number, high: number] | undefined;
}

/** 97.5 % quantiles of Student's t with 1, 2, ... degrees of freedom. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const mean = (list: readonly number[]) =>
	list.reduce((sum, v) => sum + v, 0) / list.length;

function overSeeds(values: readonly number[]): [number, number] | undefined {
	const n = values.length;
	if (n < 2) return undefined;
	const middle = mean(values);
	const square = values.reduce((sum, v) => sum + (v - middle) ** 2, 0);
	const reach = (T[n - 2] ?? 2.1) * Math.sqrt(square / (n - 1) / n);
	return [middle - reach, middle + reach];
}

/**
 * One column of scores less another, for each of several pairs of columns: the mean over the observations of a part, with a bootstrap interval over kernels; and the
 * columns' own means. Undefined where there are none in that part.
 *
 * @param pairs both columns of a pair are of the same data (trainings of one seed)
 */
export function comparePart(
	pairs: readonly (readonly [Column, Column])[],
	score: keyof KernelScores,
	part: string,
): Compared | undefined {
	const [a, b, groups]: [number[], number[], string[]] = [[], [], []];
	const bySeed: number[] = [];
	for (const [one, other] of pairs) {
		const before = a.length;
		for (const [i, o] of one.file.observations.entries()) {
			if (o.part !== part) continue;
			const of = ({ file, method }: Column) =>
				file.methods[method]?.[score][i] ?? Number.NaN;
			a.push(of(one));
			b.push(of(other));
			// The same number is another kernel under another seed.
			groups.push(`${one.file.seed} ${o.kernel}`);
		}
		if (a.length > before)
			bySeed.push(mean(a.slice(before)) - mean(b.slice(before)));
	}
	if (a.length === 0) return undefined;
	return {
		...pairedDifference(a, b, groups, { seed: 1 }),
		means: [mean(a), mean(b)],
		...{ bySeed, overSeeds: overSeeds(bySeed) },
	};
}

/** "+0.0123" */
export const digits = (value: number): string =>
	`${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;

/** "+0.0123 [-0.0040, +0.0286]" */
export function interval({ mean, low, high }: PairedDifference): string {
	return `${digits(mean)} [${digits(low)}, ${digits(high)}]`;
}
