/** Which of a measurement's images the user means. */
import {
	type Channel,
	energiesOf,
	FormatError,
	findChannel,
	type Measurement,
} from "../../formats/measurement.ts";
import { minOf } from "../../qpi/maths/extremes.ts";

/** What a scan's dI/dV is called: itself, or the lock-in amplifier's output that stands for it. */
const CONDUCTANCE = [
	/d\s*I\s*(\/\s*)?d\s*V/i,
	/\bLI[ _]?Y/i,
	/\bLI[ _]?X|demod.*\bX\b/i,
	/demod|lock.?in/i,
];
const backward = (channel: Channel) =>
	/\bbackward\b|\bbwd\b/i.test(channel.name.replaceAll("_", " "));

/**
 * The channel that the user means: the one of that name, or the only one with that in its name (the forward one, where it is one pass's). Without a name
 * the dI/dV channel, else the first. Throws FormatError with all names where none or several fit.
 */
export function chooseChannel(
	{ measurement, file }: { measurement: Measurement; file: string },
	wanted: string | undefined,
): Channel {
	const { channels } = measurement;
	if (wanted === undefined) {
		for (const pattern of CONDUCTANCE) {
			const named = channels.filter(({ name }) => pattern.test(name));
			const found = named.find((c) => !backward(c)) ?? named[0];
			if (found) return found;
		}
		return channels[0];
	}
	const exact = findChannel(measurement, wanted);
	if (exact) return exact;
	const plain = (text: string) => text.toLowerCase().replaceAll(/[\s_]+/g, " ");
	const matches = channels.filter(({ name }) =>
		plain(name).includes(plain(wanted)),
	);
	const forward = matches.filter((c) => !backward(c));
	if (forward.length === 1) return forward[0];
	if (matches.length === 1) return matches[0];
	const all = (list: readonly Channel[]) =>
		list.map(({ name }) => `"${name}"`).join(", ");
	throw new FormatError(
		matches.length === 0
			? `${file}: found no channel like "${wanted}", expected one of ${all(channels)}`
			: `${file}: found several channels like "${wanted}", expected the name of one of ${all(matches)}`,
	);
}

/** An image of a channel, with its place among them. */
export interface Chosen {
	readonly index: number;
	readonly image: Float32Array;
	/** eV; undefined when the file does not say. */
	readonly energy: number | undefined;
}

/**
 * The channel's image at an energy (eV): the nearest, no further than half the way to its neighbour (1 meV where there is none). Without an energy all images.
 * Throws FormatError with all energies where none is that near.
 */
export function chooseImages(
	{ measurement, file }: { measurement: Measurement; file: string },
	channel: Channel,
	wanted: number | undefined,
): Chosen[] {
	const energies = energiesOf(measurement, channel);
	const all = channel.images.map((image, index) => ({
		index,
		image,
		energy: energies[index],
	}));
	if (wanted === undefined) return all;
	if (energies.length === 0)
		throw new FormatError(
			`${file}: found no energies, expected some for --energy ${wanted}`,
		);
	const apart = (i: number) => Math.abs(energies[i] - wanted);
	const [nearest] = [...energies.keys()].sort((a, b) => apart(a) - apart(b));
	const gaps = energies
		.filter((_, i) => i !== nearest)
		.map((e) => Math.abs(e - energies[nearest]));
	const tolerance = Math.max(1e-6, gaps.length ? minOf(gaps) / 2 : 1e-3);
	if (apart(nearest) > tolerance * (1 + 1e-6))
		throw new FormatError(
			`${file}: found no energy ${wanted} eV, expected one of ${energies.map((e) => Number(e.toPrecision(6))).join(", ")}`,
		);
	return [all[nearest]];
}
