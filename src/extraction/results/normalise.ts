/** The set-point effect of a file: a further channel without it, or a warning. */
import {
	type Channel,
	energiesOf,
	FormatError,
	type Measurement,
} from "../../formats/measurement.ts";
import { topographyOf } from "../lattice/reference.ts";
import { robustSigma } from "../scan/scan.ts";
import {
	energyRatio,
	isConstantCurrent,
	type Normalised,
	normalisedConductance,
	offsetsOf,
} from "../scan/setPoint.ts";
import { chooseChannel } from "./choose.ts";

export type Normalisation = "feenstra" | "ratio" | "none";

/** What the new channels are called. */
const NAMES = { feenstra: "(dI/dV)/(I/V)", ratio: "g(E)/g(-E)" } as const;

const CURRENT = /^(current|i)\b(?!.*d\s*v)/i;
const BACKWARD = /\b(backward|bwd)\b/i;
const isBackward = ({ name }: Channel) =>
	BACKWARD.test(name.replaceAll("_", " "));

/** The current of a channel's own pass and energies, else of another pass; undefined where there is none. */
function currentOf(
	{ channels }: Measurement,
	conductance: Channel,
): Channel | undefined {
	const found = channels.filter(
		({ name, images }) =>
			CURRENT.test(name) && images.length === conductance.images.length,
	);
	return (
		found.find((c) => isBackward(c) === isBackward(conductance)) ?? found[0]
	);
}

/**
 * The measurement with a channel more, the normalised one of the channel that is meant, its name, and what was done.
 * @throws FormatError where the file has not what it takes
 */
export function normalise(
	{ measurement, file }: { measurement: Measurement; file: string },
	wanted: string | undefined,
	how: "feenstra" | "ratio",
): { measurement: Measurement; channel: string; told: string } {
	const conductance = chooseChannel({ measurement, file }, wanted);
	const current = currentOf(measurement, conductance);
	const energies = energiesOf(measurement, conductance);
	const fail = (found: string, expected: string) =>
		new FormatError(
			`${file}: found ${found}, expected ${expected} for --normalise ${how}`,
		);
	if (CURRENT.test(conductance.name))
		throw fail(`the channel ${conductance.name}`, "dI/dV");
	if (energies.length < 3 || measurement.format === "npy")
		throw fail(
			measurement.format === "npy"
				? "an array, which does not say its energies"
				: `${energies.length} ${energies.length === 1 ? "energy" : "energies"}`,
			"a stack of three or more",
		);
	if (how === "feenstra" && !current)
		throw fail(
			"no current with an image an energy",
			"a channel Current beside dI/dV",
		);
	let done: Normalised;
	try {
		const offsets = current && offsetsOf(current.images, energies);
		done =
			how === "feenstra" && current && offsets
				? normalisedConductance(
						conductance.images,
						current.images,
						energies,
						offsets,
					)
				: energyRatio(conductance.images, energies, offsets?.bias);
	} catch (error) {
		if (error instanceof RangeError)
			throw new FormatError(`${file}: ${error.message}`);
		throw error;
	}
	const name = NAMES[how];
	return {
		measurement: {
			...measurement,
			channels: [
				...measurement.channels.filter((c) => c.name !== name),
				{ name, unit: "", images: done.images, energies: done.energies },
			],
		},
		channel: name,
		told: `${conductance.name}, normalised: ${done.told}`,
	};
}

/** Heights that differ by less, in Angstrom, are those of a tip that stood still. */
const STILL = 0.02;

/**
 * Why q(E) of a stack is not to be trusted: each layer has its own set point. Nothing for grids, whose spectra are taken at one, with the feedback off.
 * @param energies how many are extracted from
 */
export function setPointWarning(
	measurement: Measurement,
	channel: Channel,
	energies: number,
): string[] {
	if (energies < 3 || Object.values<string>(NAMES).includes(channel.name))
		return [];
	const current = currentOf(measurement, channel);
	const height = topographyOf(measurement);
	const still =
		height !== undefined &&
		height.unit === "m" &&
		!(1e10 * robustSigma(height.images[0]) > STILL);
	const held =
		measurement.format === "sxm"
			? !still
			: current !== undefined && isConstantCurrent(current.images);
	return held
		? [
				"set-point effect: each layer was taken at constant current, whose tip height follows the states up to that layer's own bias: it shifts q and makes waves that disperse (Macdonald et al., Nanotechnology 27, 414004 (2016)); take q(E) from spectra of a grid, or from constant height",
			]
		: [];
}
