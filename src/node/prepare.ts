import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { PIXELS } from "../qpi/format.ts";
import { INPUT_CHANNELS, type InputKind } from "../qpi/inputs.ts";
import { unitRms } from "../qpi/preprocess.ts";
import { splitObservations } from "../qpi/split.ts";
import type {
	InputStore,
	Part,
	Prepared,
	PreparedKernel,
	PreparedObservation,
} from "../training/data.ts";
import { writeFileAtomic } from "./files.ts";
import {
	INPUTS_WORKER,
	type InputsResult,
	type InputsTask,
	type RidgeAnswer,
	type RidgeTask,
} from "./inputsWorker.ts";
import { mapInWorkers } from "./pool.ts";
import type { Observation, Source } from "./sources.ts";

/** Raised when the inputs or the ridge estimate of an observation change. */
const VERSION = 1;

/** An observation that methods are compared on. */
export interface Evaluated extends PreparedObservation {
	/** 64x64, in the image's own units. */
	readonly image: Float32Array;
	/** Known-position ridge least squares, lambda by generalised cross-validation. */
	readonly ridge: Float32Array;
}

export interface PreparedData extends Prepared {
	readonly evaluated: readonly Evaluated[];
}

interface Index {
	readonly key: string;
	/** Of the binary file and the rest of the index. */
	readonly checksum: number;
	readonly kernels: readonly Omit<PreparedKernel, "image">[];
	readonly observations: readonly PreparedObservation[];
	/** Places of the evaluated ones in `observations`. */
	readonly evaluated: readonly number[];
}

/**
 * Chooses the observations that are trained on and evaluated, computes each one's network inputs and the evaluated ones' ridge kernels in
 * worker threads, and keeps them in `folder`: kernels, inputs, then images and ridge kernels, as 32-bit floats, and an index with
 * their checksum. What an earlier call left there is taken if it is whole and of the same data; else it is made anew.
 *
 * @param most at most so many observations of each part are evaluated
 */
export async function prepare(
	source: Source,
	options: {
		inputs: InputKind;
		most: number;
		folder: string;
		/** Stops soon, by throwing its reason. */
		signal?: AbortSignal;
		onProgress?: (
			what: "kernels" | "observations",
			done: number,
			total: number,
		) => void;
	},
): Promise<PreparedData> {
	const { inputs, most, folder, signal } = options;
	const key = createHash("sha256")
		.update(JSON.stringify([VERSION, source.identity, source.split]))
		.update(JSON.stringify([inputs, most]))
		.digest("hex");
	const index = (await readIndex(folder, key)) ?? (await make());
	return load(folder, index, INPUT_CHANNELS[inputs]);

	async function make(): Promise<Index> {
		const chosen = choose(source, most);
		await mkdir(folder, { recursive: true });
		// The half-written file of a run that was killed.
		for (const name of await readdir(folder))
			if (/^data\.\d+\.tmp$/.test(name)) await rm(join(folder, name));
		const aside = join(folder, `data.${process.pid}.tmp`);
		const file = await open(aside, "w");
		let checksum = 0;
		const write = async (values: Float32Array) => {
			signal?.throwIfAborted();
			const bytes = new Uint8Array(
				values.buffer,
				values.byteOffset,
				values.byteLength,
			);
			checksum = crc32(bytes, checksum);
			await file.write(bytes);
		};
		try {
			// Of a large set only what is chosen stays in memory.
			const wanted = new Map<number, Set<number>>();
			for (const { kernel, place } of chosen) {
				const places = wanted.get(kernel) ?? new Set();
				wanted.set(kernel, places.add(place));
			}
			const loaded = new Map<string, Observation>();
			const kernels: Index["kernels"][number][] = [];
			for (const [i, k] of source.kernels.entries()) {
				const { kernel, observations } = await source.load(k.number);
				await write(unitRms(kernel).image);
				for (const place of wanted.get(i) ?? [])
					loaded.set(`${i} ${place}`, observations[place]);
				options.onProgress?.("kernels", i + 1, source.kernels.length);
				kernels.push({
					number: k.number,
					label: label(k),
					symmetry: k.symmetry,
					trained: source.split.train.includes(k.number),
				});
			}
			const observations: PreparedObservation[] = [];
			const evaluated: number[] = [];
			const tasks: (InputsTask | RidgeTask)[] = [];
			for (const { kernel, place, part } of chosen) {
				const observation = loaded.get(`${kernel} ${place}`);
				if (!observation)
					throw new Error(`kernel ${kernel} has no image ${place}`);
				const { image, scatterers, noise } = observation;
				const index = observations.length;
				observations.push({ kernel, part, scatterers, noise, index });
				tasks.push({ task: inputs, image, scatterers });
				if (part !== "train") evaluated.push(index);
			}
			const total = tasks.length + evaluated.length;
			const progress = (start: number) => (done: number) =>
				options.onProgress?.("observations", start + done, total);
			for await (const { inputs } of mapInWorkers<
				InputsTask | RidgeTask,
				InputsResult
			>(INPUTS_WORKER, tasks, { onProgress: progress(0) }))
				await write(inputs);
			const ridgeTasks = evaluated.map((i): RidgeTask => {
				const { image, scatterers } = tasks[i];
				return { task: "ridge", image, scatterers };
			});
			let i = 0;
			for await (const { kernel } of mapInWorkers<RidgeTask, RidgeAnswer>(
				INPUTS_WORKER,
				ridgeTasks,
				{ onProgress: progress(tasks.length) },
			)) {
				await write(ridgeTasks[i++].image);
				await write(kernel);
			}
			await file.sync();
			await file.close();
			await rename(aside, join(folder, "data.f32"));
			const index = { key, kernels, observations, evaluated };
			checksum = crc32(JSON.stringify(index), checksum);
			const whole = { ...index, checksum };
			await writeFileAtomic(join(folder, "index.json"), JSON.stringify(whole));
			return whole;
		} finally {
			await file.close().catch(() => undefined);
			await rm(aside, { force: true });
		}
	}
}

function label(k: Source["kernels"][number]): string {
	const energy =
		k.energy === undefined ? "" : `  ${(1000 * k.energy).toFixed(0)} meV`;
	return `${k.number}  ${k.symmetry}-fold\n${k.family}${energy}`;
}

/** Which images of which kernels (by their places in the source) are used, and what for. */
function choose(
	{ kernels, split }: Source,
	most: number,
): { kernel: number; place: number; part: Part }[] {
	const parts: Record<Part, { kernel: number; place: number; part: Part }[]> = {
		train: [],
		seen: [],
		unseenEnergy: [],
		unseenFamily: [],
	};
	kernels.forEach(({ number, observations }, kernel) => {
		const take = (part: Part, from: number, to: number) => {
			for (let place = from; place < to; place++)
				parts[part].push({ kernel, place, part });
		};
		if (split.train.includes(number)) {
			const { training, heldOutFrom } = splitObservations(observations, split);
			take("train", 0, training);
			take("seen", heldOutFrom, observations);
		} else if (split.unseenEnergy.includes(number))
			take("unseenEnergy", 0, observations);
		else if (split.unseenFamily.includes(number))
			take("unseenFamily", 0, observations);
	});
	const some = <T>(list: T[]) => {
		const every = list.length / Math.min(most, list.length);
		return list.filter(
			(_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every),
		);
	};
	return [
		...parts.train,
		...some(parts.seen),
		...some(parts.unseenEnergy),
		...some(parts.unseenFamily),
	];
}

async function readIndex(
	folder: string,
	key: string,
): Promise<Index | undefined> {
	try {
		const index: Index = JSON.parse(
			await readFile(join(folder, "index.json"), "utf8"),
		);
		if (index.key !== key) return undefined;
		const { checksum: claimed, ...rest } = index;
		const file = await open(join(folder, "data.f32"));
		let checksum = 0;
		for await (const chunk of file.createReadStream())
			checksum = crc32(chunk as Uint8Array, checksum);
		return crc32(JSON.stringify(rest), checksum) === claimed
			? index
			: undefined;
	} catch {
		return undefined; // not there, or damaged: it is made again
	}
}

function load(folder: string, index: Index, channels: number): PreparedData {
	const file = openSync(join(folder, "data.f32"), "r");
	const readAt = (position: number, into: Float32Array) => {
		const view = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
		const got = readSync(file, view, 0, view.length, 4 * position);
		if (got !== view.length)
			throw new Error(`${folder}/data.f32 is shorter than its index says`);
		return into;
	};
	const image = (position: number) =>
		readAt(position, new Float32Array(PIXELS));
	const { observations } = index;
	const kernels = index.kernels.map((k, i) => ({
		...k,
		image: image(i * PIXELS),
	}));
	const inputsAt = kernels.length * PIXELS;
	const each = channels * PIXELS;
	const evaluatedAt = inputsAt + observations.length * each;
	const inputs: InputStore = {
		channels,
		read: (i, into) => void readAt(inputsAt + i * each, into),
		close: () => closeSync(file),
	};
	return {
		kernels,
		observations,
		inputs,
		evaluated: index.evaluated.map((place, i) => ({
			...observations[place],
			image: image(evaluatedAt + 2 * i * PIXELS),
			ridge: image(evaluatedAt + (2 * i + 1) * PIXELS),
		})),
	};
}
