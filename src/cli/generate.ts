/** `qpi-lens generate`, `npm run data`: makes a dataset in the published format. */
import { Command, InvalidArgumentError, Option } from "commander";
import { makeDataset } from "../node/datasets/makeDataset.ts";
import { makeMaps } from "../node/datasets/makeMaps.ts";
import { makeSeriesFolder } from "../node/datasets/makeSeries.ts";
import { startProgress } from "../node/files/progress.ts";
import type { Shard } from "../node/files/shard.ts";
import { MAX_SCATTERERS, MOST_SCATTERERS } from "../qpi/dataset/format.ts";
import { shardOption } from "./campaign.ts";
import { callOf, positiveWhole, say, whole } from "./command.ts";
import {
	addMapOptions,
	datasetField,
	givenMapOption,
	type MapOptions,
	rangesOf,
} from "./mapOptions.ts";
import { type SeriesChoice, seriesOf, seriesOptions } from "./seriesOptions.ts";

const levels = (text: string) =>
	text.split(",").map((part) => {
		const level = Number(part);
		if (part.trim() === "" || !(level >= 0 && level <= 10))
			throw new InvalidArgumentError(
				"Expected numbers from 0 to 10, with commas between.",
			);
		return level;
	});

function scatterers(text: string): number {
	const n = positiveWhole(text);
	if (n > MOST_SCATTERERS)
		throw new InvalidArgumentError(`Expected 1 to ${MOST_SCATTERERS}.`);
	return n;
}

interface Options extends MapOptions, SeriesChoice {
	out: string;
	maps?: number;
	kernels: number;
	observations: number;
	maxScatterers?: number;
	noise?: number[];
	seed: number;
	scattering: "linear" | "full";
	augment: boolean;
	force: boolean;
	shard?: Shard;
}

/** Options of datasets alone. */
const onlyDatasets = (option: Option) => option.conflicts("maps");

export function generateCommand(name = "generate"): Command {
	const call = callOf(name);
	const command = new Command(name)
		.summary("makes a dataset in the published format, or test maps")
		.description(
			"Makes quasiparticle-interference kernels and images of their scatterers, one CSV file a kernel as in the published set,\n" +
				"and a manifest.json with each kernel's family, energy and noise levels, and the split for training.\n" +
				"The same seed gives the same files. An interrupted run goes on when the same command is given again.\n\n" +
				"With --maps: single images of any size with hundreds of scatterers and the flaws of real scans, and the true kernels beside them.\n" +
				"With --energies: one area at several energies of a known band, a file an energy, as extract --series reads it.",
		)
		.requiredOption("-o, --out <dir>", "folder to write into; made if needed")
		.addOption(
			onlyDatasets(
				new Option("-k, --kernels <n>", "kernels, over all classes of symmetry")
					.argParser(whole)
					.default(100),
			),
		)
		.addOption(
			onlyDatasets(
				new Option("-n, --observations <n>", "images a kernel")
					.argParser(whole)
					.default(500),
			),
		)
		.addOption(
			onlyDatasets(
				new Option(
					"--max-scatterers <n>",
					`the most scatterers of an image, 1 to ${MOST_SCATTERERS} (default: ${MAX_SCATTERERS})`,
				).argParser(scatterers),
			),
		)
		.option("-s, --seed <n>", "seed", whole, 1)
		.addOption(
			onlyDatasets(
				new Option(
					"--scattering <kind>",
					"images by plain superposition, or by full multiple scattering",
				)
					.choices(["linear", "full"] as const)
					.default("linear" as const),
			),
		)
		.option(
			"--noise <levels>",
			"noise over the signal's standard deviation; each image takes one of these (default: 0,0.1,0.3,0.5; of maps 0.3,0.5,1, of a series 0.3)",
			levels,
		)
		.addOption(
			onlyDatasets(
				new Option(
					"--augment",
					"also tip blur, streaks, missing lines, drift and wrong marks",
				).default(false),
			),
		)
		.addOption(
			onlyDatasets(
				new Option(
					"-f, --force",
					"replace the kernel files, manifest and cache in the folder",
				).default(false),
			),
		)
		.optionsGroup("Maps:")
		.option(
			"-m, --maps <n>",
			"makes so many maps instead of a dataset",
			positiveWhole,
		);
	return shardOption(
		seriesOptions(addMapOptions(command)),
		"the kernels or maps",
	)
		.addHelpText(
			"after",
			`
A range is one number, or two with a dash such as 40-300 from which each map draws its own. The files of a folder of maps, all or none (earlier maps are replaced):
  map-001.npy           the map, float32 of shape (nx, ny): the first index is x, from left to right, the second y, from bottom to top; nan: not measured
  map-001-marks.csv     its scatterers: x, y in Angstrom from the map's centre, weight (amplitude), quality, keep, kind (from 1)
  map-001-kernel.npy    the true kernel of kind 1 at the map's pixel, odd x odd, the scatterer on the middle pixel, out to 120 A; -kernel-2.npy that of kind 2
  truth.json            {maps: {NAME: {file, pixels: [nx, ny], field: [x, y] in Angstrom, pixel in Angstrom, kinds, marks, kernels: [file of each kind], noise, ...}}}

Examples:
  ${call} --out runs/data --kernels 100 --observations 500 --seed 1
      the full set: 100 files, about 2 GB, made in some ten minutes
  ${call} --out runs/small --kernels 12 --observations 20
      a small one, to look at
  ${call} --out runs/full --scattering full --noise 0.1,0.3
  ${call} --out runs/dense --field 100 --max-scatterers 100
      as the published set of 100 A: the patterns and distances of 400 A, a quarter as long
  ${call} --out runs/maps --maps 12 --pixels 256,384x256,512 --field 400-1200 --marks 40-300
      maps of three sizes
  ${call} --out runs/rough --maps 8 --marks 50 --background 20 --clusters 2 --steps 0-1 --missing-rows 0-0.2
      with the flaws of real scans
  ${call} --out runs/kinds --maps 6 --kinds 2 --marks 80-160
  ${call} --out runs/series --energies -20,0,20,40 --band '{"kind": "surface", "mass": 0.4, "bottom": -0.065}' --marks 20`,
		)
		.action(generate);
}

async function generate(options: Options, command: Command): Promise<void> {
	const { out, maps, noise, seed, shard } = options;
	const part = shard ? `part ${shard.index}/${shard.of}: ` : "";
	const series = seriesOf(command, options, options, noise);
	if (series) {
		const files = await makeSeriesFolder(out, series, seed);
		say(`${files.length} maps, one an energy, in ${out}: ${files[0]}, ...`);
		return;
	}
	let bar: ReturnType<typeof startProgress> | undefined;
	if (maps !== undefined) {
		const made = await makeMaps({
			...{ out, maps, seed, shard },
			ranges: rangesOf(options, noise),
			onMap(done, total) {
				bar ??= startProgress("maps", total, { unit: "maps" });
				bar.update(done);
			},
		}).finally(() => bar?.stop());
		const count = Object.keys(made).length;
		say(`${part}${count} ${count === 1 ? "map" : "maps"} in ${out}`);
		return;
	}
	const given = givenMapOption(command);
	if (given)
		throw new RangeError(`${given} is for maps; give --maps <n> with it`);
	const { kernels, observations, scattering, augment, force } = options;
	const { maxScatterers } = options;
	const field = datasetField(command, options);
	if (observations < 1)
		throw new RangeError("--observations is 0, expected 1 or more");
	const { split, kernels: made } = await makeDataset({
		...{ out, kernels, observations, seed, scattering, augment, force, shard },
		...{ field, maxScatterers },
		noiseLevels: noise ?? [0, 0.1, 0.3, 0.5],
		onKernel(done, total, family) {
			bar ??= startProgress("kernels", total, {
				unit: "kernels",
				start: done,
			});
			bar.update(done, family ? { family } : {});
		},
	}).finally(() => bar?.stop());
	say(
		`${part}${made.length} kernels of ${observations} images in ${out}: ${split.train.length} to train on, ` +
			`${split.unseenEnergy.length} unseen energies, ${split.unseenFamily.length} in unseen families`,
	);
}
