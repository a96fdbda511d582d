/** What the options of `qpi-lens extract` say, and what follows from them. */
import { InvalidArgumentError } from "commander";
import type { ExtractOptions } from "../extraction/methods/extract.ts";
import { chooseChannel, chooseImages } from "../extraction/results/choose.ts";
import type { ExtractSettings } from "../extraction/results/commandLine.ts";
import { isNetwork } from "../extraction/results/extractor.ts";
import { SAVED, type Saved } from "../extraction/results/fields.ts";
import type { Input } from "../extraction/results/input.ts";
import { METHOD_OPTIONS } from "../extraction/results/items.ts";
import { openWeights } from "../node/files/shippedWeights.ts";
import type { CampaignChoice } from "./campaign.ts";
import type { FindChoice } from "./findOptions.ts";
import type { ImageChoice } from "./image.ts";
import type { PhysicsChoice } from "./physicsOptions.ts";

type Order = NonNullable<ExtractOptions["symmetry"]>;
const ORDERS: readonly Order[] = [1, 2, 3, 4, 6];

/** Of a rotation. Throws on others. */
export const order = (text: string): Order => {
	const n = ORDERS.find((each) => String(each) === text);
	if (!n) throw new InvalidArgumentError("Expected 1, 2, 3, 4 or 6.");
	return n;
};

/** A list of formats. Throws on others. */
export const saved = (text: string): Saved[] =>
	text.split(",").map((part) => {
		const found = SAVED.find((each) => each === part.trim().toLowerCase());
		if (!found)
			throw new InvalidArgumentError(
				`Expected ${SAVED.join(", ")}, with commas between.`,
			);
		return found;
	});

export interface Options
	extends ImageChoice,
		FindChoice,
		PhysicsChoice,
		CampaignChoice {
	scatterers?: string;
	detect?: boolean;
	method: string;
	window?: number;
	symmetry?: Order;
	adjust?: boolean;
	out?: string;
	force: boolean;
	save?: Saved[];
	series?: boolean;
	session?: string;
	seed: number;
	weights?: string;
	adapter?: string;
}

/** Whether the method is a network's that was trained on images of 64 x 64 pixels: maps become such squares then. */
export async function seesSquares({
	method,
	weights,
}: Options): Promise<boolean> {
	if (!isNetwork(METHOD_OPTIONS[method])) return false;
	return (await openWeights(weights)).inputs !== "centred";
}

/** What decides the results, as a session has it. */
export function settingsOf(options: Options): ExtractSettings {
	const { steps, method, seed, window, symmetry, scatterers, mask } = options;
	const { adjust } = options;
	const { channel, energy, image, field, crop, axes, orientation } = options;
	const { flatten, background, repair, clip, clusters, lowPass } = options;
	const { pixel, max, kinds, signed, detect } = options;
	const { lattice, drift, calibrate, bragg, braggWidth, normalise } = options;
	const { cut, peakShape, ring, symmetrised, seedWindow, weights } = options;
	return {
		...{ channel, energy, image, field, crop, axes, orientation },
		...{ flatten, background, repair, clip, clusters, lowPass },
		...{ stepEdges: steps, pixel, max, kinds, signed, detect },
		...{ lattice, drift, calibrate, bragg, braggWidth, normalise },
		...{ method, seed, window, symmetry, adjust, scatterers, mask },
		...{ cut, peakShape, ring, symmetrised, seedWindow },
		// Ridge asks nothing of them.
		weights: method === "ridge" ? undefined : weights,
	};
}

/** Throws where there are options that a session has no place for. */
export function checkPackable(options: Options): void {
	const { band, cell, bandTurn, fermi, broadening, potential } = options;
	const { fitBand, phase } = options;
	const besides = Object.entries({
		...{ band, cell, "band-turn": bandTurn, fermi, broadening, potential },
		...{ "fit-band": fitBand, phase },
	}).filter(([, value]) => value !== undefined);
	if (besides.length > 0)
		throw new RangeError(
			`--session does not hold ${besides.map(([name]) => `--${name}`).join(", ")}: expected none of these beside it; they can be typed again when it is opened`,
		);
}

/** The settings with channel and energy as the file has them, of which people name parts and neighbours. */
export function exactly(
	{ measurement, file }: Input,
	settings: ExtractSettings,
): ExtractSettings {
	const { channel, energy } = settings;
	if (!measurement || (channel ?? energy) === undefined) return settings;
	const found = chooseChannel({ measurement, file }, channel);
	const [image] = chooseImages({ measurement, file }, found, { energy });
	return {
		...settings,
		channel: channel && found.name,
		energy: energy === undefined ? undefined : image.energy,
	};
}
