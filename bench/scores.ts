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
): (PairedDifference & { readonly means: [number, number] }) | undefined {
	const [a, b, groups]: [number[], number[], string[]] = [[], [], []];
	for (const [one, other] of pairs)
		for (const [i, o] of one.file.observations.entries()) {
			if (o.part !== part) continue;
			const of = ({ file, method }: Column) =>
				file.methods[method]?.[score][i] ?? Number.NaN;
			a.push(of(one));
			b.push(of(other));
			// The same number is another kernel under another seed.
			groups.push(`${one.file.seed} ${o.kernel}`);
		}
	if (a.length === 0) return undefined;
	const mean = (list: readonly number[]) =>
		list.reduce((sum, v) => sum + v, 0) / list.length;
	return {
		...pairedDifference(a, b, groups, { seed: 1 }),
		means: [mean(a), mean(b)],
	};
}

/** "+0.0123 [-0.0040, +0.0286]" */
export function interval({ mean, low, high }: PairedDifference): string {
	const digits = (value: number) =>
		`${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
	return `${digits(mean)} [${digits(low)}, ${digits(high)}]`;
}
