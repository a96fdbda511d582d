/** `qpi-lens info`: what is in a file. */
import { Command } from "commander";
import { chooseChannel, labelsOf } from "../extraction/results/choose.ts";
import type { Input } from "../extraction/results/input.ts";
import { deadLayers } from "../extraction/results/layers.ts";
import { turnsOf } from "../extraction/results/measured.ts";
import {
	describeSeen,
	seenLattices,
} from "../extraction/results/seenLattice.ts";
import { arrange, layoutNote } from "../formats/axes.ts";
import {
	type Channel,
	energiesOf,
	type Measurement,
} from "../formats/measurement.ts";
import { READABLE } from "../formats/readMeasurement.ts";
import { readInput } from "../node/files/input.ts";
import { fieldOf } from "../qpi/dataset/format.ts";
import { maxOf, minOf } from "../qpi/maths/extremes.ts";
import { callOf, say } from "./command.ts";

export function infoCommand(): Command {
	return new Command("info")
		.summary("says what is in a file: channels, sizes, units, energies")
		.description(
			"Says what is in a file: channels, sizes, units, energies, and what else its header tells. Of arrays and tables also which index is\n" +
				"taken for x, for y (upwards) and for the images; --axes and --orientation of detect and extract say otherwise.",
		)
		.argument("<file>", `${READABLE}, or a .csv of the dataset's format`)
		.option("--json", "one JSON object in place of text", false)
		.addHelpText(
			"after",
			`
Example:
  ${callOf("info")} scan.sxm`,
		)
		.action(async (file: string, { json }: { json: boolean }) => {
			const input = await readInput(file);
			say(json ? JSON.stringify(describe(input), null, "\t") : told(input));
		});
}

/** The range of a channel's measured values, and how many are missing, of all its images together. */
function range({ images }: Channel) {
	let [min, max, missing] = [Infinity, -Infinity, 0];
	// The height before a sweep is one image for all.
	for (const image of new Set(images))
		for (const v of image)
			if (Number.isNaN(v)) missing++;
			else [min, max] = [Math.min(min, v), Math.max(max, v)];
	return min <= max ? { min, max, missing } : { missing };
}

/** Images that cannot be extracted from, and why. */
function dead(measurement: Measurement, channel: Channel) {
	const labels = labelsOf(measurement, channel);
	return deadLayers(channel.images).flatMap((why, i) =>
		why ? [{ label: labels[i], why }] : [],
	);
}

function describe({ file, sha256, bytes, measurement, dataset }: Input) {
	if (!measurement)
		return {
			file,
			sha256,
			bytes,
			format: "dataset",
			images: dataset?.images.length,
			field: dataset && fieldOf(dataset),
			scatterers: dataset?.scatterers.map((s) => s.length),
			warnings: dataset?.warning ? [dataset.warning] : [],
		};
	const shown = arrange(measurement, {}, file);
	const { channels, details, ...rest } = shown;
	const warnings = [...rest.warnings];
	const chosen = chooseChannel(
		{ measurement: shown, file },
		undefined,
		warnings,
	);
	return {
		file,
		sha256,
		bytes,
		...rest,
		channels: channels.map((channel) => ({
			name: channel.name,
			unit: channel.unit,
			images: channel.images.length,
			energies: energiesOf(shown, channel),
			...range(channel),
			dead: dead(shown, channel),
		})),
		warnings,
		chosen: chosen.name,
		bragg: seenLattices(shown, file),
		layout: layoutNote(measurement),
		details: Object.fromEntries(details),
	};
}

const short = (value: number) => String(Number(value.toPrecision(4)));

function told(input: Input): string {
	const { file, dataset, measurement, bytes } = input;
	const lines = [`${file}: ${(bytes / 1e6).toFixed(2)} MB`];
	if (dataset) {
		const counts = dataset.scatterers.map((s) => s.length);
		lines.push(
			`the dataset's format: a kernel and ${dataset.images.length} images of 64 x 64 pixels over ${fieldOf(dataset)} A`,
			`scatterers an image: ${minOf(counts)} to ${maxOf(counts)}`,
		);
		if (dataset.warning) lines.push(`warning: ${dataset.warning}`);
	}
	const more = measurement ? toldMeasurement(measurement, file) : [];
	return [...lines, ...more].join("\n");
}

function toldMeasurement(found: Measurement, file: string): string[] {
	const measurement = arrange(found, {}, file);
	const { format, nx, ny, spacing, channels, details } = measurement;
	const warnings = [...measurement.warnings];
	const size = spacing
		? `, ${short(nx * spacing.x)} x ${short(ny * spacing.y)} A (${short(spacing.x)} A a pixel)`
		: "; the file does not say their size: give the image's side by --field";
	const chosen = chooseChannel({ measurement, file }, undefined, warnings);
	const gone = dead(measurement, chosen);
	const width = maxOf(channels.map(({ name }) => name.length));
	const layout = layoutNote(found);
	return [
		`${format}, ${nx} x ${ny} pixels${size}`,
		...(layout ? [layout] : []),
		"channels (* is taken without --channel):",
		...channels.map((channel) => {
			const { min, max, missing } = range(channel);
			const values =
				min === undefined
					? "nothing measured"
					: `${short(min)} to ${short(max)} ${channel.unit}`.trimEnd();
			const holes = missing
				? `, ${short((100 * missing) / (nx * ny * new Set(channel.images).size))} % not measured`
				: "";
			return `${channel === chosen ? "*" : " "} ${channel.name.padEnd(width)}  ${values}${holes}${energies(measurement, channel)}`;
		}),
		...(gone.length > 0
			? [
					`left out of ${chosen.name}: ${gone.map(({ label, why }) => `${label}, ${why}`).join("; ")}`,
				]
			: []),
		...seenLattices(measurement, file).map(describeSeen),
		...details.map(([label, value]) => `${label}: ${value}`),
		...warnings.map((warning) => `warning: ${warning}`),
	];
}

function energies(
	measurement: Measurement,
	channel: Measurement["channels"][number],
): string {
	const list = energiesOf(measurement, channel);
	const { length } = channel.images;
	const { name, unit, values } = measurement.sweep ?? { values: [] };
	const between = (numbers: readonly number[]) =>
		`from ${turnsOf(numbers).map(short).join(" to ")}`;
	if (list.length === 0)
		return length === 1
			? ""
			: `, ${length} images${values.length > 0 ? `, ${name} ${between(values)} ${unit}` : " without energies"}`;
	if (list.length === 1) return `, at ${short(list[0])} eV`;
	return `, ${list.length} energies ${between(list)} eV`;
}
