/** `qpi-lens info`: what is in a file. */
import { Command } from "commander";
import { chooseChannel } from "../extraction/results/choose.ts";
import type { Input } from "../extraction/results/input.ts";
import {
	describeSeen,
	seenLattices,
} from "../extraction/results/seenLattice.ts";
import { layoutNote } from "../formats/axes.ts";
import { energiesOf, type Measurement } from "../formats/measurement.ts";
import { readInput } from "../node/files/input.ts";
import { maxOf, minOf } from "../qpi/maths/extremes.ts";
import { callOf, say } from "./command.ts";

export function infoCommand(): Command {
	return new Command("info")
		.summary("says what is in a file: channels, sizes, units, energies")
		.description(
			"Says what is in a file: channels, sizes, units, energies, and what else its header tells.",
		)
		.argument(
			"<file>",
			"a Nanonis .sxm or .3ds, a .npy, .csv or .png, or a .csv of the dataset's format",
		)
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

/** The range of an image's measured values, and how many are missing. */
function range(image: Float32Array) {
	let [min, max, missing] = [Infinity, -Infinity, 0];
	for (const v of image)
		if (Number.isNaN(v)) missing++;
		else [min, max] = [Math.min(min, v), Math.max(max, v)];
	return missing < image.length ? { min, max, missing } : { missing };
}

function describe({ file, sha256, bytes, measurement, dataset }: Input) {
	if (!measurement)
		return {
			file,
			sha256,
			bytes,
			format: "dataset",
			images: dataset?.images.length,
			scatterers: dataset?.scatterers.map((s) => s.length),
			warnings: dataset?.warning ? [dataset.warning] : [],
		};
	const { channels, details, ...rest } = measurement;
	return {
		file,
		sha256,
		bytes,
		...rest,
		channels: channels.map((channel) => ({
			name: channel.name,
			unit: channel.unit,
			images: channel.images.length,
			energies: energiesOf(measurement, channel),
			...range(channel.images[0]),
		})),
		chosen: chooseChannel({ measurement, file }, undefined).name,
		bragg: seenLattices(measurement, file),
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
			`the dataset's format: a kernel and ${dataset.images.length} images of 64 x 64 pixels over 400 A`,
			`scatterers an image: ${minOf(counts)} to ${maxOf(counts)}`,
		);
		if (dataset.warning) lines.push(`warning: ${dataset.warning}`);
	}
	const more = measurement ? toldMeasurement(measurement, file) : [];
	return [...lines, ...more].join("\n");
}

function toldMeasurement(measurement: Measurement, file: string): string[] {
	const { format, nx, ny, spacing, channels, details, warnings } = measurement;
	const size = spacing
		? `, ${short(nx * spacing.x)} x ${short(ny * spacing.y)} A (${short(spacing.x)} A a pixel)`
		: "; the file does not say their size: give the image's side by --field";
	const chosen = chooseChannel({ measurement, file }, undefined);
	const width = maxOf(channels.map(({ name }) => name.length));
	const layout = layoutNote(measurement);
	return [
		`${format}, ${nx} x ${ny} pixels${size}`,
		...(layout ? [layout] : []),
		"channels (* is taken without --channel):",
		...channels.map((channel) => {
			const { min, max, missing } = range(channel.images[0]);
			const values =
				min === undefined
					? "nothing measured"
					: `${short(min)} to ${short(max)} ${channel.unit}`.trimEnd();
			const holes = missing
				? `, ${short((100 * missing) / (nx * ny))} % not measured`
				: "";
			return `${channel === chosen ? "*" : " "} ${channel.name.padEnd(width)}  ${values}${holes}${energies(measurement, channel)}`;
		}),
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
	if (list.length === 0) return "";
	if (list.length === 1) return `, at ${short(list[0])} eV`;
	return `, ${list.length} energies from ${short(minOf(list))} to ${short(maxOf(list))} eV`;
}
