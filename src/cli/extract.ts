/** `qpi-lens extract`: the kernel of a measured image. */
import { basename, extname } from "node:path";
import { Command, Option } from "commander";
import { savedFiles } from "../extraction/results/fields.ts";
import { resultFiles, resultObject } from "../extraction/results/files.ts";
import { analyseAll, METHOD_OPTIONS } from "../extraction/results/items.ts";
import { withPhysics } from "../extraction/results/physics.ts";
import { take } from "../extraction/results/take.ts";
import { loadHdf5 } from "../formats/h5wasm.ts";
import { READABLE } from "../formats/readMeasurement.ts";
import { renderPng } from "../node/drawing/canvas.ts";
import {
	filesOf,
	readInput,
	readInputs,
	readText,
} from "../node/files/input.ts";
import { OutFolder } from "../node/files/outFolder.ts";
import { VERSION } from "../node/files/package.ts";
import { startProgress } from "../node/files/progress.ts";
import { openExtractor } from "../node/threads/extractor.ts";
import { preprocessInThreads } from "../node/threads/preprocessThreads.ts";
import {
	campaignOptions,
	doMany,
	keepWords,
	manyFiles,
	SERIES,
	wordsOf,
} from "./campaign.ts";
import { commandLine, positive, say, whole } from "./command.ts";
import {
	checkPackable,
	exactly,
	type Options,
	order,
	saved,
	seesSquares,
	settingsOf,
} from "./extractOptions.ts";
import { findChoice, findOptions, findProgress } from "./findOptions.ts";
import { imageOptions, prepareOptions } from "./image.ts";
import { physicsChoice, physicsOptions } from "./physicsOptions.ts";
import { saveSession, useSession } from "./session.ts";

export function extractCommand(): Command {
	const command = new Command("extract")
		.summary("extracts the kernel of a measured image")
		.description(
			"Extracts the kernel, the pattern of a single scatterer, from an image with many, and writes it with its uncertainty, wave vectors, symmetry,\n" +
				"pictures, report.html and result.json. A stack of energies gives a kernel an energy, q(E) and a parabola through it; a file of the\n" +
				"dataset's format a kernel an image, compared with the file's own. Of several files each has a folder of its own below --out, with\n" +
				"summary.csv and summary.html over all; what is finished is not done again.",
		)
		.argument(
			"[files...]",
			`${READABLE}, or a .csv of the dataset's format; or several, or patterns such as 'scans/*.sxm'`,
		)
		.option(
			"-s, --scatterers <file.csv>",
			"where the scatterers are: x, y in Angstrom from the image's centre, weight, keep, kind (default: they are looked for)",
		)
		.option("-d, --detect", "look for the scatterers: the default, in words");
	physicsOptions(findOptions(imageOptions(command)))
		.addOption(
			new Option(
				"-m, --method <name>",
				"auto takes the one that explains held-out pixels best",
			)
				.choices(Object.keys(METHOD_OPTIONS))
				.default("auto"),
		)
		.option(
			"--window <A>",
			"radius of the kernels in Angstrom (default: where they sink into the noise, at least 64 where the image is large enough)",
			positive,
		)
		.option(
			"--symmetry <n>",
			"impose an n-fold rotational symmetry (default: it is tested, not imposed)",
			order,
		)
		.option(
			"--adjust",
			"refined may move the scatterers and change their amplitudes where the image asks for it: the default, in words",
		)
		.option("--no-adjust", "keep their places and amplitudes as given")
		.option(
			"-o, --out <dir>",
			"folder to write into; earlier results in it are replaced (default: the file's name and -kernel; of several kernels)",
		)
		.option(
			"-f, --force",
			"write into the folder even if it holds other files; those of the same name are replaced (earlier results always are)",
			false,
		)
		.option("--series", SERIES)
		.option(
			"--session <file.qpi>",
			"also pack the file, or those of --series, these options, lists and weights into one file, which extract and the page open again",
		)
		.option(
			"--save <formats>",
			"also write kernels, uncertainties, input, model and residual as gwy, gsf, ibw or nxs, several with commas between",
			saved,
		)
		.option(
			"--weights <dir>",
			"a folder of weights, or of a finished training, in place of the shipped ones",
		)
		.option(
			"-a, --adapter <name>",
			"a part of the adapter's name, or swiftshader (also: QPI_LENS_ADAPTER)",
		)
		.option("--seed <n>", "seed of what is drawn at random", whole, 1);
	return keepWords(campaignOptions(command))
		.addHelpText(
			"after",
			`
Examples:
  npx qpi-lens extract scan.sxm --low-pass 0.8 --out kernel
      nothing is marked: scatterers and their kinds are found
  npx qpi-lens extract scan.sxm --scatterers kernel/scatterers.csv --out kernel
      once more, after the list of scatterers was edited
  npx qpi-lens extract grid.3ds --channel "LI Demod 1 X" --scatterers marks.csv
      every energy, and the dispersion
  npx qpi-lens extract image.png --field 400 --kinds 2 --method ridge
  npx qpi-lens extract 'scans/*.sxm' --jobs 4 --out kernels
      many files; --shard 3/20 does a part of them
  npx qpi-lens extract --series 'map_*.sxm' --out series
      a file an energy: sorted by bias and moved onto each other`,
		)
		.action(async (words: string[], options: Options, self: Command) => {
			if (options.session) checkPackable(options);
			if (options.series) return extract(words, options);
			if (options.session && (words.length > 1 || options.list))
				throw new RangeError(
					"--session packs one file, or those of --series; several are given",
				);
			if (words.length === 1) {
				const [file] = words;
				const { out = `${basename(file, extname(file))}-kernel` } = options;
				const again = async (unpacked: readonly string[]) => {
					const typed = [...wordsOf(self), `--out=${out}`];
					// What is typed comes last, and so overrides what is packed.
					const at = unpacked.indexOf("--");
					await extractCommand().parseAsync(
						[...unpacked.slice(0, at), ...typed, ...unpacked.slice(at)],
						{ from: "user" },
					);
				};
				if (await useSession(file, again)) return;
			}
			const files = await manyFiles(words, options);
			if (files) await doMany(files, self, options);
			else await extract(words.slice(0, 1), options);
		});
}

async function extract(files: string[], options: Options): Promise<void> {
	const [file] = files;
	const out =
		options.out ??
		`${basename(file, extname(file)).replaceAll(/[*?]/g, "")}-kernel`;
	const started = performance.now();
	const save = options.save ?? [];
	// What is not installed is better missed before than after the work.
	if (save.includes("nxs")) await loadHdf5("--save nxs");
	// A folder that is somebody else's too.
	const folder = await OutFolder.create(out, undefined, options.force);
	const input = options.series
		? await readInputs(files, options.channel)
		: await readInput(file);
	const physics = await physicsChoice(options);
	const search = findProgress();
	const taken = await take(input, {
		...(await prepareOptions(options)),
		prepareAll: preprocessInThreads,
		find: findChoice(options),
		onFind: search.onTurn,
		square: await seesSquares(options),
		scatterers: options.scatterers
			? {
					file: options.scatterers,
					text: await readText(options.scatterers),
				}
			: undefined,
	}).finally(search.stop);
	for (const line of taken.told) say(line);
	const { method, window, symmetry, adjust, seed, weights, adapter } = options;
	try {
		const extractor = await openExtractor({
			method: METHOD_OPTIONS[method],
			window,
			symmetry,
			adjust,
			seed,
			weights,
			adapter,
			square: taken.square,
		});
		try {
			let bar: ReturnType<typeof startProgress> | undefined;
			const extractions = await extractor
				.extract(taken, (done, total, what) => {
					bar ??= startProgress("extracting", total, { unit: "parts" });
					bar.update(done, { what });
				})
				.finally(() => bar?.stop());
			const analysis = withPhysics(
				analyseAll(
					{ ...taken, warnings: [...taken.warnings, ...extractor.warnings] },
					extractions,
				),
				physics,
			);
			const about = {
				input,
				parameters: {
					...options,
					steps: undefined,
					stepEdges: options.steps,
					out: undefined,
					force: undefined,
					session: undefined,
					mapFft: options.mapFft ? undefined : false,
					calibrate: options.calibrate ? undefined : false,
				},
				about: extractor.about,
				versions: { "qpi-lens": VERSION, node: process.version },
				command: commandLine("npx qpi-lens extract"),
			};
			for await (const [name, data] of resultFiles(analysis, about, renderPng))
				await folder.write(name, data);
			for await (const [name, data] of savedFiles(
				analysis,
				save,
				`Kernel of ${basename(file)}`,
			))
				await folder.write(name, data);
			await folder.commit(resultObject(analysis, about));
			if (options.session)
				await saveSession(
					options.session,
					options.series ? await filesOf(files) : [file],
					exactly(input, settingsOf(options)),
				);
			for (const line of analysis.findings) say(line);
			for (const warning of analysis.warnings) say(`warning: ${warning}`);
			const seconds = (performance.now() - started) / 1000;
			say(
				`${seconds.toFixed(1)} s; everything is in ${out}; open ${out}/report.html`,
			);
		} finally {
			await extractor.close();
		}
	} finally {
		await folder.discard();
	}
}
