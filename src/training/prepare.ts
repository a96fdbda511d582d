import { PIXELS } from "../qpi/dataset/format.ts";
import { unitRms } from "../qpi/dataset/preprocess.ts";
import { ForwardOperator } from "../qpi/operator/forward.ts";
import { INPUTS, type InputKind, inputsOf } from "../qpi/operator/inputs.ts";
import { centre, ridgeGcv } from "../qpi/operator/ridge.ts";
import { chooseObservations, kernelLabel } from "./choose.ts";
import type {
	InputStore,
	PreparedData,
	PreparedKernel,
	PreparedObservation,
} from "./data.ts";
import type { Observation, Source } from "./source.ts";

/** Raised when the inputs or the ridge estimate of an observation change. */
export const PREPARATION = 1;

/** What is computed once an observation. */
export interface ObservationTask extends Observation {
	readonly task: InputKind | "ridge";
}

/** A network's inputs, [64, 64, channels] (qpi/operator/inputs.ts), or the ridge kernel, [64, 64] in the image's units, lambda by generalised cross-validation. */
export function computeTask({
	task,
	image,
	scatterers,
}: ObservationTask): Float32Array {
	if (task !== "ridge") return inputsOf(task, image, scatterers);
	return centre(ridgeGcv(new ForwardOperator(scatterers), image).kernel);
}

/** All of prepared data but its numbers. */
export interface PreparedIndex {
	readonly kernels: readonly Omit<PreparedKernel, "image">[];
	readonly observations: readonly PreparedObservation[];
	/** Places of the evaluated ones in `observations`. */
	readonly evaluated: readonly number[];
}

export interface PrepareOptions {
	readonly inputs: InputKind;
	/** At most so many observations of each part are evaluated. */
	readonly most: number;
	/** Stops soon, by throwing its reason. */
	readonly signal?: AbortSignal;
	readonly onProgress?: (
		what: "kernels" | "observations",
		done: number,
		total: number,
	) => void;
}

/**
 * Chooses the observations that are trained on and evaluated, computes each one's network inputs and the evaluated ones' ridge kernels, and
 * writes the numbers one array after the other: kernels, inputs, then an image and a ridge kernel for each evaluated observation.
 *
 * @param compute does the tasks, here or elsewhere, and gives the results in their order
 */
export async function prepareData(
	source: Source,
	options: PrepareOptions & {
		write(values: Float32Array): Promise<void>;
		compute(
			tasks: readonly ObservationTask[],
			onProgress: (done: number) => void,
		): AsyncIterable<Float32Array>;
	},
): Promise<PreparedIndex> {
	const { inputs, signal, onProgress, compute } = options;
	const write = (values: Float32Array) => {
		signal?.throwIfAborted();
		return options.write(values);
	};
	const chosen = chooseObservations(source, options.most);
	// Of a large set only what is chosen stays in memory.
	const wanted = new Map<number, Set<number>>();
	for (const { kernel, place } of chosen) {
		const places = wanted.get(kernel) ?? new Set();
		wanted.set(kernel, places.add(place));
	}
	const loaded = new Map<string, Observation>();
	const kernels: PreparedIndex["kernels"][number][] = [];
	for (const [i, k] of source.kernels.entries()) {
		const { kernel, observations } = await source.load(k.number);
		await write(unitRms(kernel).image);
		for (const place of wanted.get(i) ?? [])
			loaded.set(`${i} ${place}`, observations[place]);
		onProgress?.("kernels", i + 1, source.kernels.length);
		kernels.push({
			number: k.number,
			label: kernelLabel(k),
			symmetry: k.symmetry,
			trained: source.split.train.includes(k.number),
		});
	}
	const observations: PreparedObservation[] = [];
	const evaluated: number[] = [];
	const tasks: ObservationTask[] = [];
	for (const { kernel, place, part } of chosen) {
		const observation = loaded.get(`${kernel} ${place}`);
		if (!observation) throw new Error(`kernel ${kernel} has no image ${place}`);
		const { image, scatterers, noise } = observation;
		const index = observations.length;
		observations.push({ kernel, part, scatterers, noise, index });
		tasks.push({ task: inputs, image, scatterers });
		if (part !== "train") evaluated.push(index);
	}
	const total = tasks.length + evaluated.length;
	const progress = (start: number) => (done: number) =>
		onProgress?.("observations", start + done, total);
	for await (const values of compute(tasks, progress(0))) await write(values);
	const ridgeTasks = evaluated.map(
		(i): ObservationTask => ({ ...tasks[i], task: "ridge" }),
	);
	let i = 0;
	for await (const kernel of compute(ridgeTasks, progress(tasks.length))) {
		await write(ridgeTasks[i++].image);
		await write(kernel);
	}
	return { kernels, observations, evaluated };
}

/**
 * Puts prepared data together from its index and its numbers.
 *
 * @param readAt fills `into` with the numbers from `position` on
 */
export function assemble(
	{ kernels, observations, evaluated }: PreparedIndex,
	inputs: InputKind,
	readAt: (position: number, into: Float32Array) => void,
	close: InputStore["close"] = () => {},
): PreparedData {
	const image = (position: number) => {
		const values = new Float32Array(PIXELS);
		readAt(position, values);
		return values;
	};
	const { channels } = INPUTS[inputs];
	const inputsAt = kernels.length * PIXELS;
	const each = channels * PIXELS;
	const evaluatedAt = inputsAt + observations.length * each;
	return {
		kernels: kernels.map((k, i) => ({ ...k, image: image(i * PIXELS) })),
		observations,
		inputs: {
			channels,
			read: (i, into) => readAt(inputsAt + i * each, into),
			close,
		},
		evaluated: evaluated.map((place, i) => ({
			...observations[place],
			image: image(evaluatedAt + 2 * i * PIXELS),
			ridge: image(evaluatedAt + (2 * i + 1) * PIXELS),
		})),
	};
}

/** Prepared data as one object that structured clone takes, as IndexedDB does. */
export interface StoredData {
	readonly inputs: InputKind;
	readonly index: PreparedIndex;
	readonly values: Float32Array<ArrayBuffer>;
}

/** Milliseconds of computing between two turns of the event loop. */
const SLICE = 50;

/**
 * Prepares data in memory and on this thread, which stays open to messages.
 *
 * @param options.gate awaited between two results: a caller that wants a pause holds it
 */
export async function prepareInMemory(
	source: Source,
	options: PrepareOptions & { readonly gate?: () => Promise<void> | void },
): Promise<StoredData> {
	const { inputs, most, gate } = options;
	const chosen = chooseObservations(source, most);
	const evaluated = chosen.filter(({ part }) => part !== "train").length;
	const values = new Float32Array(
		PIXELS *
			(source.kernels.length +
				chosen.length * INPUTS[inputs].channels +
				2 * evaluated),
	);
	let at = 0;
	let turned = performance.now();
	const index = await prepareData(source, {
		...options,
		async write(part) {
			values.set(part, at);
			at += part.length;
			if (performance.now() - turned > SLICE) {
				await new Promise((resolve) => setTimeout(resolve));
				turned = performance.now();
			}
			await gate?.();
		},
		async *compute(tasks, onProgress) {
			for (const [i, task] of tasks.entries()) {
				yield computeTask(task);
				onProgress(i + 1);
			}
		},
	});
	return { inputs, index, values };
}

/** What prepareInMemory() gave, ready to train on. */
export function restore({ inputs, index, values }: StoredData): PreparedData {
	return assemble(index, inputs, (position, into) =>
		into.set(values.subarray(position, position + into.length)),
	);
}
