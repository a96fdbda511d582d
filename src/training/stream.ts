import { PIXELS } from "../qpi/format.ts";
import type { Position } from "../qpi/forward.ts";
import { INPUT_CHANNELS, type InputKind } from "../qpi/inputs.ts";
import { unitRms } from "../qpi/preprocess.ts";
import { centre } from "../qpi/ridge.ts";
import { bareKernel, view, wideKernel } from "../qpi/wide.ts";
import { observeWide } from "../qpi/wideObservation.ts";
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
	/** The data of an epoch, counted from 0; where there is one `more`, its data are begun while this one is trained on. */
	epoch(epoch: number, more: boolean): Promise<Prepared>;
}

/** Streams of random numbers, one a kernel; those of the wide set lie below, those of a training above. */
const KERNELS = 0x60000000;
const MOST = 0x20000000;
/** Share of kernels that no low-pass has rounded, as in the wide set. */
const BARE = 1 / 9;

/** A kernel of the stream, by its number. */
export interface StreamTask {
	readonly seed: number;
	readonly number: number;
	readonly observations: number;
	readonly inputs: InputKind;
}

export interface StreamKernel {
	readonly kind: string;
	/** 64x64, unit RMS. */
	readonly image: Float32Array;
	readonly observations: readonly {
		readonly scatterers: readonly Position[];
		readonly noise: number;
	}[];
	/** [observations, 64, 64, channels]. */
	readonly inputs: Float32Array;
}

/** Draws a kernel of the wide generator and its images; of seed and number alone. Throws a RangeError on a number beyond 2^29. */
export function streamKernel(task: StreamTask): StreamKernel {
	const { seed, number, observations: count, inputs: kind } = task;
	if (!(number < MOST))
		throw new RangeError(`kernel ${number} of a stream of ${MOST}`);
	const random = new Random(seed, KERNELS + number);
	const pattern =
		random.uniform() < BARE ? bareKernel(random) : wideKernel(random);
	const turn = random.uniform(0, 2 * Math.PI);
	const stretch = random.uniform(0.9, 1.12);
	const kernel = Float64Array.from(view(pattern, { turn, stretch }));
	const each = PIXELS * INPUT_CHANNELS[kind];
	const inputs = new Float32Array(count * each);
	const observations = Array.from({ length: count }, (_, j) => {
		const { image, scatterers, noise } = observeWide(kernel, random);
		inputs.set(computeTask({ task: kind, image, scatterers }), j * each);
		return { scatterers, noise };
	});
	const { image } = unitRms(centre(kernel));
	return { kind: pattern.kind, image, observations, inputs };
}

/** The data of an epoch, of its kernels in their order. */
export function assembleEpoch(
	made: readonly StreamKernel[],
	inputs: InputKind,
	first: number,
): Prepared {
	const channels = INPUT_CHANNELS[inputs];
	const each = PIXELS * channels;
	const places = made.flatMap(({ observations }, kernel) =>
		observations.map((observation, j) => ({ ...observation, kernel, j })),
	);
	return {
		kernels: made.map(({ kind, image }, i) => ({
			number: first + i,
			label: kind,
			symmetry: 1, // what a drawn kernel has is not recorded: none is asked of it
			trained: true,
			image,
		})),
		observations: places.map(({ kernel, scatterers, noise }, index) => ({
			kernel,
			part: "train",
			scatterers,
			noise,
			index,
		})),
		inputs: {
			channels,
			read(index, into) {
				const { kernel, j } = places[index];
				into.set(made[kernel].inputs.subarray(j * each, (j + 1) * each));
			},
			close() {},
		},
	};
}
