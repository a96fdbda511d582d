import { PIXELS } from "../qpi/dataset/format.ts";
import { unitRms } from "../qpi/dataset/preprocess.ts";
import { bareKernel, view, wideKernel } from "../qpi/generator/wide.ts";
import { observeWide } from "../qpi/generator/wideObservation.ts";
import type { Position } from "../qpi/operator/forward.ts";
import { INPUTS, type InputKind } from "../qpi/operator/inputs.ts";
import { centre } from "../qpi/operator/ridge.ts";
import { Random } from "../random.ts";
import type { Prepared } from "./data.ts";
import { computeTask } from "./prepare.ts";

/** Training data that are new ones in every epoch. */
export interface DataStream {
	/** Another identity, other data. */
	readonly identity: string;
	/** Kernels of an epoch, and images of each. */
	readonly kernels: number;
	readonly observations: number;
	/** The data of an epoch, counted from 0. With `more`, the data of the next one are prepared in the meantime. */
	epoch(epoch: number, more: boolean): Promise<Prepared>;
	/** Begins to make an epoch's data, which epoch() will ask for next. */
	prepare(epoch: number): void;
}

/** Streams of random numbers, one a pattern; those of the wide set lie below, those of a training above. */
const PATTERNS = 0x60000000;
const MOST = 0x20000000;
/** Share of patterns that no low-pass has rounded, as in the wide set. */
const BARE = 1 / 9;

/** A pattern of the stream, by its number. */
export interface StreamTask {
	readonly seed: number;
	readonly number: number;
	/** The number of views of a pattern. To compute a pattern takes a hundred times as long as a view of it. */
	readonly views: number;
	/** Images of each view. */
	readonly observations: number;
	readonly inputs: InputKind;
}

/** What is made of a pattern: kernels, and images of each. */
export interface StreamPattern {
	readonly kind: string;
	/** [views, 64, 64], each of unit RMS. */
	readonly images: Float32Array;
	/** Those of the first view, then those of the next. */
	readonly observations: readonly {
		readonly scatterers: readonly Position[];
		readonly noise: number;
	}[];
	/** [views * observations, 64, 64, channels]. */
	readonly inputs: Float32Array;
}

/** Draws a pattern of the wide generator, turned and stretched views of it, and their images; of seed and number alone. Throws a RangeError on a number beyond 2^29. */
export function streamPattern(task: StreamTask): StreamPattern {
	const { seed, number, views, observations: count, inputs: kind } = task;
	if (!(number < MOST))
		throw new RangeError(`pattern ${number} of a stream of ${MOST}`);
	const random = new Random(seed, PATTERNS + number);
	const pattern =
		random.uniform() < BARE ? bareKernel(random) : wideKernel(random);
	const each = PIXELS * INPUTS[kind].channels;
	const images = new Float32Array(views * PIXELS);
	const inputs = new Float32Array(views * count * each);
	const observations: StreamPattern["observations"][number][] = [];
	for (let v = 0; v < views; v++) {
		const turn = random.uniform(0, 2 * Math.PI);
		const stretch = random.uniform(0.9, 1.12);
		const kernel = Float64Array.from(view(pattern, { turn, stretch }));
		images.set(unitRms(centre(kernel)).image, v * PIXELS);
		for (let j = 0; j < count; j++) {
			const { image, scatterers, noise } = observeWide(kernel, random);
			const made = computeTask({ task: kind, image, scatterers });
			inputs.set(made, observations.length * each);
			observations.push({ scatterers, noise });
		}
	}
	return { kind: pattern.kind, images, observations, inputs };
}

/** The data of an epoch, of its patterns in their order; its first kernel has the number `first`. */
export function assembleEpoch(
	made: readonly StreamPattern[],
	{ views, inputs }: Pick<StreamTask, "views" | "inputs">,
	first: number,
): Prepared {
	const { channels } = INPUTS[inputs];
	const each = PIXELS * channels;
	const kernels = made.flatMap(({ kind, images }) =>
		Array.from({ length: views }, (_, v) => ({
			kind,
			image: images.subarray(v * PIXELS, (v + 1) * PIXELS),
		})),
	);
	const places = made.flatMap(({ observations }, pattern) =>
		observations.map((observation, j) => ({ ...observation, pattern, j })),
	);
	return {
		kernels: kernels.map(({ kind, image }, i) => ({
			number: first + i,
			label: kind,
			symmetry: 1, // what a drawn kernel has is not recorded: none is asked of it
			trained: true,
			image,
		})),
		observations: places.map(({ scatterers, noise }, index) => ({
			kernel: Math.floor((index * kernels.length) / places.length),
			part: "train",
			scatterers,
			noise,
			index,
		})),
		inputs: {
			channels,
			read(index, into) {
				const { pattern, j } = places[index];
				into.set(made[pattern].inputs.subarray(j * each, (j + 1) * each));
			},
			close() {},
		},
	};
}
