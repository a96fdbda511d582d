import { METHODS, type Method } from "../../extraction/kernels/extraction.ts";
import type { Weights } from "../../models/trained/weights.ts";
import { inModelFrame } from "../../qpi/dataset/format.ts";
import { compareKernels, type KernelScores } from "../../qpi/scores/metrics.ts";
import { average } from "../../training/evaluate.ts";
import {
	type Dataset,
	datasetSplit,
	openDataset,
} from "../datasets/dataset.ts";
import { describeAdapter, openGpu } from "../device/adapter.ts";
import { openWeights } from "../files/shippedWeights.ts";
import { mapInWorkers } from "../threads/pool.ts";
import {
	REFINE_WORKER,
	type RefineAnswer,
	type RefineTask,
} from "../threads/refineWorker.ts";

type Part = "seen" | "unseenEnergy" | "unseenFamily";

/** Mean scores on the [-1, 1] scale, and of how many images. */
export type MeanScores = ReturnType<typeof average>;
export type MethodScores = Record<Method, MeanScores>;

/** How well each method finds a folder's kernels; plain JSON. */
export interface Evaluation {
	/** Over the kernels that the folder's split does not train on: all where there is no manifest of ours. */
	readonly methods: MethodScores;
	/** By part of the split. */
	readonly parts: Partial<Record<Part, MethodScores>>;
	readonly byNoise: readonly ({ readonly noise: number } & MethodScores)[];
	/** `scatterers` is the largest number in the range. */
	readonly byScatterers: readonly ({
		readonly scatterers: number;
	} & MethodScores)[];
	readonly perKernel: readonly ({
		readonly number: number;
		readonly family: string;
		readonly part: Part;
	} & MethodScores)[];
	readonly weights: { readonly folder: string; readonly version: string };
}

/** Upper ends of the ranges of numbers of scatterers. */
const COUNTS = [1, 2, 5, 10, 15, 20, 50, 100];

/**
 * Extracts the kernels of a dataset folder by every method, and compares them with the folder's own.
 * @param max at most so many images a kernel
 * @param unseen only the kernels that the folder's split does not train on
 * @throws DatasetError, and what Weights and openGpu throw
 */
export async function evaluateFolder(
	dir: string,
	{
		weights: folder,
		max,
		unseen = false,
		adapter,
		say,
		onProgress,
	}: {
		readonly weights?: string;
		readonly max?: number;
		readonly unseen?: boolean;
		readonly adapter?: string;
		readonly say?: (line: string) => void;
		readonly onProgress?: (done: number, total: number) => void;
	} = {},
): Promise<Evaluation> {
	const weights = await openWeights(folder);
	const dataset = await openDataset(dir, { maxObservations: max });
	const split = dataset.manifest && datasetSplit(dataset, 1);
	const partOf = (number: number): Part =>
		split?.train.includes(number)
			? "seen"
			: split?.unseenEnergy.includes(number)
				? "unseenEnergy"
				: "unseenFamily";
	const kernels = dataset.kernels.filter(
		({ number }) => !unseen || partOf(number) !== "seen",
	);
	const gpu = await openGpu({ adapter });
	try {
		say?.(describeAdapter(gpu));
		const networks = await weights.networks(gpu);
		const rows: Row[] = [];
		const total = kernels.reduce((sum, k) => sum + k.observations, 0);
		for await (const chunk of inChunks({ ...dataset, kernels })) {
			const tasks = chunk.map(({ image, scatterers }) => ({
				image,
				scatterers,
			}));
			const answers: RefineAnswer[] = [];
			for await (const answer of mapInWorkers<RefineTask, RefineAnswer>(
				REFINE_WORKER,
				tasks,
				{
					batch: 1,
					workerData: { weights: weights.place, inputs: networks.inputs },
					onProgress: (done) => onProgress?.(rows.length + done, total),
				},
			))
				answers.push(answer);
			const inputs = answers.map((a) => a.inputs);
			const found: Record<Method, readonly Float32Array[]> = {
				ridge: answers.map((a) => a.ridge),
				oneStep: await networks.infer("oneStep", inputs),
				twoStep: await networks.infer("twoStep", inputs),
				refined: answers.map((a) => a.refined),
			};
			chunk.forEach(({ number, family, noise, scatterers, truth }, i) => {
				rows.push({
					number,
					family,
					part: partOf(number),
					noise,
					scatterers: COUNTS.find((most) => scatterers.length <= most),
					scores: Object.fromEntries(
						METHODS.map((m) => [m, compareKernels(found[m][i], truth)]),
					) as Record<Method, KernelScores>,
				});
			});
		}
		networks.dispose();
		return summarise(rows, weights);
	} finally {
		gpu.dispose();
	}
}

/** Images that are in memory together. */
const CHUNK = 512;

async function* inChunks(dataset: Dataset) {
	type Item = RefineTask & {
		readonly number: number;
		readonly family: string;
		readonly noise: number | undefined;
		readonly truth: Float32Array;
	};
	let items: Item[] = [];
	for (const { number, family, noise } of dataset.kernels) {
		const file = await dataset.load(number);
		const { kernel: truth, images } = file;
		const scatterers = inModelFrame(file);
		images.forEach((image, i) => {
			items.push({
				image,
				scatterers: scatterers[i],
				number,
				family,
				noise: noise?.[i],
				truth,
			});
		});
		if (items.length < CHUNK) continue;
		yield items;
		items = [];
	}
	if (items.length > 0) yield items;
}

interface Row {
	readonly number: number;
	readonly family: string;
	readonly part: Part;
	readonly noise: number | undefined;
	readonly scatterers: number | undefined;
	readonly scores: Record<Method, KernelScores>;
}

function summarise(rows: readonly Row[], weights: Weights): Evaluation {
	const scoresOf = (some: readonly Row[]) =>
		Object.fromEntries(
			METHODS.map((m) => [m, average(some.map((row) => row.scores[m]))]),
		) as MethodScores;
	const unseen = rows.filter(({ part }) => part !== "seen");
	// A small set may have nothing unseen.
	const judged = unseen.length > 0 ? unseen : rows;
	const by = <K extends "noise" | "scatterers" | "number" | "part">(
		some: readonly Row[],
		key: K,
	) => {
		const groups = new Map<NonNullable<Row[K]>, Row[]>();
		for (const row of some) {
			const value = row[key];
			if (value === undefined || value === null) continue;
			const group = groups.get(value as NonNullable<Row[K]>);
			if (group) group.push(row);
			else groups.set(value as NonNullable<Row[K]>, [row]);
		}
		return [...groups];
	};
	const ascending = (a: [number, Row[]], b: [number, Row[]]) => a[0] - b[0];
	return {
		methods: scoresOf(judged),
		parts: Object.fromEntries(
			by(rows, "part").map(([part, some]) => [part, scoresOf(some)]),
		),
		byNoise: by(judged, "noise")
			.toSorted(ascending)
			.map(([noise, some]) => ({ noise, ...scoresOf(some) })),
		byScatterers: by(judged, "scatterers")
			.toSorted(ascending)
			.map(([scatterers, some]) => ({ scatterers, ...scoresOf(some) })),
		perKernel: by(rows, "number").map(([number, some]) => ({
			number,
			family: some[0].family,
			part: some[0].part,
			...scoresOf(some),
		})),
		weights: { folder: weights.place, version: weights.manifest.version },
	};
}
