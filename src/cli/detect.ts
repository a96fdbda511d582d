/** `qpi-lens detect`: where the scatterers of an image are. */

import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { Command } from "commander";
import { intoScan } from "../extraction/lattice/correction.ts";
import { writeScatterers } from "../extraction/marks/scatterers.ts";
import {
	measuredPicture,
	scanField,
} from "../extraction/results/drawPictures.ts";
import { findScatterers } from "../extraction/results/findScatterers.ts";
import {
	common,
	countsInAll,
	prepareScans,
} from "../extraction/results/prepareScans.ts";
import { FormatError } from "../formats/measurement.ts";
import { READABLE } from "../formats/readMeasurement.ts";
import { renderPng } from "../node/drawing/canvas.ts";
import { writeFileAtomic } from "../node/files/files.ts";
import { readInput, readInputs } from "../node/files/input.ts";
import { expandInputs } from "../node/files/inputs.ts";
import { preprocessInThreads } from "../node/threads/preprocessThreads.ts";
import { SERIES } from "./campaign.ts";
import { say, warn } from "./command.ts";
import {
	type FindChoice,
	findChoice,
	findOptions,
	findProgress,
} from "./findOptions.ts";
import { type ImageChoice, imageOptions, prepareOptions } from "./image.ts";

interface Options extends ImageChoice, FindChoice {
	out?: string;
	series?: boolean;
	force: boolean;
}

export function detectCommand(): Command {
	const command = new Command("detect")
		.summary("looks for the scatterers of an image")
		.description(
			"Looks for the scatterers of an image, as extract does where nothing is marked, and writes them as a CSV file to be edited (x, y in Angstrom from the image's\n" +
				"centre, weight, quality, keep, kind), and a picture of the image with its marks beside it. Of a stack of energies, and of several files with --series,\n" +
				"all images are searched together; without it each of several files has a list of its own.",
		)
		.argument(
			"<files...>",
			`${READABLE}; or several, or patterns such as 'scans/*.sxm'`,
		);
	return findOptions(imageOptions(command))
		.option(
			"-o, --out <file.csv>",
			"where to write (default: the file's name and -scatterers.csv)",
		)
		.option("--series", SERIES)
		.option("-f, --force", "replace the CSV file if it is there", false)
		.addHelpText(
			"after",
			`
Example:
  npx qpi-lens detect scan.sxm --low-pass 0.8 --out marks.csv
  npx qpi-lens extract scan.sxm --low-pass 0.8 --scatterers marks.csv`,
		)
		.action(detect);
}

async function detect(words: string[], options: Options): Promise<void> {
	if (options.series) return detectOne(words, options);
	const files = await expandInputs(words);
	if (files.length === 1) return detectOne(files, options);
	if (options.out)
		throw new RangeError(
			`--out names one list, and ${files.length} files are given: expected one file, or --series where they are one map at an energy each`,
		);
	await eachFile(files, (file) => detectOne([file], options));
}

/** What fails stops nothing; in the end it is said how many did. */
async function eachFile(
	files: readonly string[],
	work: (file: string) => Promise<void>,
): Promise<void> {
	let failed = 0;
	for (const file of files)
		await work(file).catch((error: Error) => {
			failed++;
			warn(`${file}: ${error.message.replace(`${file}: `, "")}`);
		});
	if (failed > 0) throw new Error(`${failed} of ${files.length} files failed`);
}

async function detectOne(files: string[], options: Options): Promise<void> {
	const [file] = files;
	const out =
		options.out ??
		`${basename(file, extname(file)).replaceAll(/[*?]/g, "")}-scatterers.csv`;
	if (extname(out).toLowerCase() !== ".csv")
		throw new FormatError(`--out is ${out}, expected a name that ends in .csv`);
	if (existsSync(out) && !options.force)
		throw new FormatError(
			`${out} is there already, and may have been edited; --force replaces it`,
		);
	const { measurement, ...input } = options.series
		? await readInputs(files, options.channel)
		: await readInput(file);
	if (!measurement)
		throw new FormatError(
			`${file} is of the dataset's format, which says where its scatterers are`,
		);
	const preparation = await prepareScans(
		{ ...input, measurement },
		{
			...(await prepareOptions(options)),
			prepareAll: preprocessInThreads,
		},
	);
	const { prepared, channel, told, warnings } = preparation;
	const progress = findProgress();
	const found = await findScatterers(
		preparation,
		findChoice(options),
		progress.onTurn,
	).finally(progress.stop);
	const { scatterers } = found;
	const scan = common(prepared.map(({ whole }) => whole));
	const picture = measuredPicture(
		scanField(scan, countsInAll(prepared)),
		scatterers.map((s, i) => ({ ...s, label: String(i + 1) })),
		`${basename(file)}, ${channel.name}`,
		prepared.length > 1 ? "" : channel.unit,
	);
	const png = `${out.slice(0, -4)}.png`;
	await writeFileAtomic(png, renderPng(picture));
	const listed = scatterers.map((s) => intoScan(preparation.correction, s));
	await writeFileAtomic(out, writeScatterers(listed));
	for (const line of told) say(line);
	const kept = scatterers.filter(({ keep }) => keep).length;
	say(
		`${scatterers.length} scatterers found, ${kept} of them to keep; edit them in ${out}, look at them in ${png}`,
	);
	for (const line of found.told) say(line);
	for (const warning of warnings) say(`warning: ${warning}`);
}
