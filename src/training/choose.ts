import { splitObservations } from "../qpi/dataset/split.ts";
import { evenly } from "../qpi/maths/evenly.ts";
import type { Part } from "./data.ts";
import type { Source } from "./source.ts";

/** An image of a kernel, both by their places in the source, and what it is used for. */
export interface Choice {
	readonly kernel: number;
	readonly place: number;
	readonly part: Part;
}

/** Chooses the images to train on and those to evaluate: of each part of the split all, or `most` of them at even distances. */
export function chooseObservations(
	{ kernels, split }: Source,
	most: number,
): Choice[] {
	const parts: Record<Part, Choice[]> = {
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
	return [
		...parts.train,
		...evenly(parts.seen, most),
		...evenly(parts.unseenEnergy, most),
		...evenly(parts.unseenFamily, most),
	];
}

/** What a kernel is called in pictures: number and symmetry, and below family and energy. */
export function kernelLabel(k: Source["kernels"][number]): string {
	const energy =
		k.energy === undefined ? "" : `  ${(1000 * k.energy).toFixed(0)} meV`;
	return `${k.number}  ${k.symmetry}-fold\n${k.family}${energy}`;
}
