import { observeWide } from "../../qpi/generator/wideObservation.ts";
import { centre } from "../../qpi/operator/ridge.ts";
import { Random } from "../../random.ts";
import type { Source } from "../../training/source.ts";
import type { WideSet } from "./wideSet.ts";

/** Streams of random numbers: those below belong to the kernels. */
const IMAGES = 0x20000000;
/** At most so many images a kernel. */
const STREAMS = 256;

/** Images of the wide set's kernels, with everything that goes wrong on real ones (randomNoise) in half of them. Kernels are
 * taken from the whole set at even distances; of these, some at even distances are held out. */
export function wideSource(
	set: WideSet,
	options: {
		readonly kernels: number;
		readonly observations: number;
		readonly heldOut: number;
		readonly seed: number;
	},
): Source {
	const { kernels, observations, heldOut, seed } = options;
	const numbers = Array.from({ length: kernels }, (_, i) => i + 1);
	const place = (number: number) =>
		Math.floor(((number - 1) * set.kinds.length) / kernels);
	const every = Math.floor(kernels / heldOut);
	return {
		identity: `${set.identity} ${JSON.stringify(options)}`,
		kernels: numbers.map((number) => ({
			number,
			family: set.kinds[place(number)],
			// The symmetry of a drawn kernel is not recorded, so the training asks for none.
			symmetry: 1 as const,
			observations,
		})),
		split: {
			seed,
			unseenFraction: heldOut / kernels,
			heldOutFraction: 0,
			maxTraining: observations,
			train: numbers.filter((n) => n % every !== 0),
			unseenEnergy: [],
			unseenFamily: numbers.filter((n) => n % every === 0),
		},
		async load(number) {
			const kernel = Float64Array.from(await set.read(place(number)));
			return {
				kernel: centre(kernel),
				observations: Array.from({ length: observations }, (_, j) =>
					observeWide(
						kernel,
						new Random(seed, IMAGES + (number - 1) * STREAMS + j),
					),
				),
			};
		},
	};
}
