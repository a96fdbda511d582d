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
	/demod|lock.?in|\bLIA\b/i,
];
const backward = (channel: Channel) =>
	/\bbackward\b|\bbwd\b/i.test(channel.name.replaceAll("_", " "));

/** Whether one of its images has two values that differ. */
const holdsAnything = ({ images }: Channel): boolean =>
	images.some((image) => {
		const first = image.find(Number.isFinite);
		return image.some((v) => Number.isFinite(v) && v !== first);
	});

/** The channels in the order in which they are taken where none is named: dI/dV, the lock-in's, the others; forward before backward. */
function byDefault(channels: readonly Channel[]): Channel[] {
	const all = CONDUCTANCE.map((pattern) =>
		channels.filter(({ name }) => pattern.test(name)),
	).flatMap((named) => [
		...named.filter((c) => !backward(c)),
		...named.filter(backward),
	]);
	return [
		...new Set([...all, ...channels.filter((c) => !backward(c)), ...channels]),
	];
}

/**
 * The channel that the user means: the one of that name, or the only one with that in its name (the forward one, where it is one pass's). Without a name
 * the dI/dV channel, else the first; where that holds nothing or one value everywhere the next that holds something, with a warning.
 * Throws FormatError with all names where none or several fit.
 */
export function chooseChannel(
	{ measurement, file }: { measurement: Measurement; file: string },
	wanted: string | undefined,
	warnings: string[] = [],
): Channel {
	const { channels } = measurement;
	if (wanted === undefined) {
		const order = byDefault(channels);
		const chosen = order.find(holdsAnything);
		if (!chosen || chosen === order[0]) return order[0];
		const passed = order.slice(0, order.indexOf(chosen));
		warnings.push(
			`${passed.map(({ name }) => `"${name}"`).join(", ")} ${passed.length > 1 ? "hold" : "holds"} one value everywhere or none: "${chosen.name}" is taken`,
		);
		return chosen;
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
	/** "45 meV", "Z = 1e-10 m", or the image's number where the file does not say what it is at. */
	readonly label: string;
}

/** Which of several images is meant; all of them when neither is given. */
export interface ImageChoice {
	/** eV */
	readonly energy?: number;
	/** Its number from 1. */
	readonly image?: number;
}

/**
 * The channel's image of that number, or at an energy (eV): the nearest, no further than half the way to its neighbour (1 meV where there is none; of a
 * loop, which has it twice, the first). Throws FormatError with all energies where none is that near.
 */
export function chooseImages(
	{ measurement, file }: { measurement: Measurement; file: string },
	channel: Channel,
	{ energy: wanted, image: number }: ImageChoice = {},
): Chosen[] {
	const energies = energiesOf(measurement, channel);
	const labels = labelsOf(measurement, channel);
	const all = channel.images.map((image, index) => ({
		index,
		image,
		energy: energies[index],
		label: labels[index],
	}));
	if (wanted !== undefined && number !== undefined)
		throw new FormatError(
			"both --energy and --image are given, expected one of them",
		);
	if (number !== undefined) {
		if (!(number >= 1 && number <= all.length))
			throw new FormatError(
				`${file}: found ${all.length === 1 ? "one image" : `${all.length} images`}, expected --image 1${all.length > 1 ? ` to ${all.length}` : ""}`,
			);
		return [all[number - 1]];
	}
	if (wanted === undefined) return all;
	if (energies.length === 0)
		throw new FormatError(
			`${file}: found no energies, expected ${all.length > 1 ? `--image 1 to ${all.length} in place of` : "some for"} --energy ${wanted}`,
		);
	const apart = (i: number) => Math.abs(energies[i] - wanted);
	const [nearest] = [...energies.keys()].sort((a, b) => apart(a) - apart(b));
	const gaps = energies
		.map((e) => Math.abs(e - energies[nearest]))
		.filter((gap) => gap > 0);
	const tolerance = Math.max(1e-6, gaps.length ? minOf(gaps) / 2 : 1e-3);
	if (apart(nearest) > tolerance * (1 + 1e-6))
		throw new FormatError(
			`${file}: found no energy ${wanted} eV, expected one of ${[...new Set(energies)].map((e) => Number(e.toPrecision(6))).join(", ")}`,
		);
	return [all[nearest]];
}

/** What each image of a channel is called. A loop has its energies twice: then their numbers are said too. */
export function labelsOf(measurement: Measurement, channel: Channel): string[] {
	const energies = energiesOf(measurement, channel);
	const { name, unit, values } = measurement.sweep ?? { values: [] };
	const said = energyLabels(energies);
	const plain = channel.images.map((_, i) =>
		energies.length > 0
			? said(energies[i])
			: i < values.length
				? `${name} = ${Number(values[i].toPrecision(5))} ${unit}`.trimEnd()
				: `image ${i + 1}`,
	);
	const count = new Map<string, number>();
	for (const label of plain) count.set(label, (count.get(label) ?? 0) + 1);
	return plain.map((label, i) =>
		Number(count.get(label)) > 1 ? `${label} (image ${i + 1})` : label,
	);
}

/** What says an energy (eV) as "45 meV", with as many decimals as tell those of a stack apart, to a twentieth of their least distance. */
export function energyLabels(among: readonly number[]): (e: number) => string {
	const sorted = among.toSorted((a, b) => a - b);
	const gaps = sorted.map((e, i) => e - sorted[i - 1]).filter((gap) => gap > 0);
	const room = (1000 * minOf(gaps)) / 20;
	const fits = (decimals: number) =>
		among.every((e) => Math.abs(meV(e, decimals) - 1000 * e) < room);
	const decimals = gaps.length > 0 ? [0, 1, 2, 3].find(fits) : undefined;
	return (energy) => `${meV(energy, decimals)} meV`;
}

/** In meV; of five digits, where the decimals are not said. */
const meV = (energy: number, decimals?: number): number =>
	Number(
		decimals === undefined
			? (1000 * energy).toPrecision(5)
			: (1000 * energy).toFixed(decimals),
	) + 0; // and not -0
