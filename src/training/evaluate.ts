import { compareKernels, type KernelScores } from "../qpi/scores/metrics.ts";
import type { Part, PreparedData, PreparedObservation } from "./data.ts";
import type {
	CurvePoint,
	Curves,
	MethodName,
	Metrics,
	Scores,
	SplitName,
} from "./metrics.ts";

/** Kernels that each method finds, one for each evaluated observation. */
export type Estimates = Partial<Record<MethodName, readonly Float32Array[]>>;

/** Scores of every method for every observation, in the same order. */
export type ScoreTable = Partial<Record<MethodName, KernelScores[]>>;

const PARTS: readonly SplitName[] = ["seen", "unseenEnergy", "unseenFamily"];
/** Upper ends of the ranges of scatterer counts that scores are averaged over. */
const COUNTS = [1, 2, 5, 10, 15, 20, 50, 100];

export function scoreTable(
	estimates: Estimates,
	truths: readonly Float32Array[],
): ScoreTable {
	const table: ScoreTable = {};
	for (const [method, kernels] of entries(estimates))
		table[method] = kernels.map((k, i) => compareKernels(k, truths[i]));
	return table;
}

/** What scores.json holds: the scores of every evaluated observation, a list each method, for comparisons in pairs. */
export interface ScoreFile {
	readonly seed: number;
	readonly observations: readonly {
		/** The kernel's number. */
		readonly kernel: number;
		readonly part: Part;
		/** White noise's sigma over the signal's, where it is known. */
		readonly noise?: number;
		readonly scatterers: number;
	}[];
	/** By method and score, in the observations' order. */
	readonly methods: Partial<
		Record<MethodName, Record<keyof KernelScores, number[]>>
	>;
}

export function scoreFile(
	seed: number,
	table: ScoreTable,
	{ kernels, evaluated }: PreparedData,
): ScoreFile {
	const methods: Partial<
		Record<MethodName, Record<keyof KernelScores, number[]>>
	> = {};
	const column = (scores: readonly KernelScores[], key: keyof KernelScores) =>
		scores.map((score) => Number(score[key].toPrecision(6)));
	for (const [method, scores] of entries(table))
		methods[method] = {
			mae: column(scores, "mae"),
			mse: column(scores, "mse"),
			rmse: column(scores, "rmse"),
			ncc: column(scores, "ncc"),
		};
	return {
		seed,
		observations: evaluated.map(({ kernel, part, noise, scatterers }) => ({
			kernel: kernels[kernel].number,
			part,
			noise,
			scatterers: scatterers.length,
		})),
		methods,
	};
}

/**
 * Means of a score table over each part of the split. Also means by noise level and by number of scatterers, over all kernels that were not
 * trained on (in a small set that has none of these, over all kernels).
 */
export function summarise(
	table: ScoreTable,
	observations: readonly PreparedObservation[],
): Pick<Metrics, "methods" | "byNoise" | "byScatterers"> {
	const methods: Metrics["methods"] = {};
	const byNoise: Curves = {};
	const byScatterers: Curves = {};
	const anyUnseen = observations.some(({ part }) => part !== "seen");
	const counts = (i: number) => !anyUnseen || observations[i].part !== "seen";
	for (const [method, scores] of entries(table)) {
		methods[method] = {};
		for (const part of PARTS)
			methods[method][part] = average(
				scores.filter((_, i) => observations[i].part === part),
			);
		byNoise[method] = curve(scores, (i) =>
			counts(i) ? observations[i].noise : undefined,
		);
		byScatterers[method] = curve(scores, (i) =>
			counts(i)
				? COUNTS.find((most) => observations[i].scatterers.length <= most)
				: undefined,
		);
	}
	return { methods, byNoise, byScatterers };
}

export function average(scores: readonly KernelScores[]): Scores {
	const mean = (key: keyof KernelScores) =>
		scores.length === 0
			? null
			: scores.reduce((sum, s) => sum + s[key], 0) / scores.length;
	return {
		mae: mean("mae"),
		mse: mean("mse"),
		rmse: mean("rmse"),
		ncc: mean("ncc"),
		n: scores.length,
	};
}

function curve(
	scores: readonly KernelScores[],
	groupOf: (i: number) => number | undefined,
): CurvePoint[] {
	const groups = new Map<number, KernelScores[]>();
	scores.forEach((score, i) => {
		const value = groupOf(i);
		if (value === undefined) return;
		const group = groups.get(value);
		if (group) group.push(score);
		else groups.set(value, [score]);
	});
	return [...groups]
		.sort(([a], [b]) => a - b)
		.map(([value, group]) => ({
			value,
			ncc: average(group).ncc,
			n: group.length,
		}));
}

function entries<V>(record: Partial<Record<MethodName, V>>): [MethodName, V][] {
	return Object.entries(record) as [MethodName, V][];
}
