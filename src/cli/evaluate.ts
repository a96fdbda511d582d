/** `qpi-lens evaluate`: all methods on a dataset whose kernels are known. */
import { Command, Option } from "commander";
import { extractMap } from "../extraction/methods/extractMap.ts";
import type { MapMethod } from "../extraction/methods/mapOptions.ts";
import { preprocess } from "../extraction/preprocess.ts";
import type { NetworkMethod } from "../models/trained/trainedNetworks.ts";
import { openGpu } from "../node/device/adapter.ts";
import { ourMethod, sbdMethod } from "../node/evaluation/blindMethods.ts";
import { blindTable } from "../node/evaluation/blindTable.ts";
import { evaluateBlind } from "../node/evaluation/evaluateBlind.ts";
import { evaluateFolder } from "../node/evaluation/evaluateFolder.ts";
import {
	evaluateMaps,
	type MapToExtract,
} from "../node/evaluation/evaluateMaps.ts";
import { mapsTable } from "../node/evaluation/mapsTable.ts";
import { startProgress } from "../node/files/progress.ts";
import type { Shard } from "../node/files/shard.ts";
import { openWeights } from "../node/files/shippedWeights.ts";
import { SolveThreads } from "../node/threads/solveThreads.ts";
import { shardOption } from "./campaign.ts";
import { positive, positiveWhole, say } from "./command.ts";

const MAP_METHODS = [
	"refined",
	"ridge",
	"auto",
	"one-step",
	"two-step",
] as const;
const NETWORKS: Readonly<Record<string, NetworkMethod>> = {
	"one-step": "oneStep",
	"two-step": "twoStep",
};

interface Options {
	data?: string;
	maps?: string;
	method: (typeof MAP_METHODS)[number];
	blind: boolean;
	rival?: "sbd";
	radius: number;
	json: boolean;
	weights?: string;
	max?: number;
	unseen: boolean;
	adapter?: string;
	shard?: Shard;
}

export function evaluateCommand(): Command {
	const command = new Command("evaluate")
		.summary("how well kernels are found where they are known")
		.description(
			"Extracts the kernels of a dataset's images by every method and compares them with the true ones: mean absolute, mean squared and root mean squared error\n" +
				"on the [-1, 1] scale, and normalised cross-correlation. Without a manifest of ours in the folder all its kernels count as unseen.\n\n" +
				"With --maps: the kernels of maps of any size at their given scatterers, compared with the true ones by the normalised cross-correlation within 60 A, and the time they take.\n" +
				"With --blind: scatterers, kinds and kernels of maps in which nothing is marked, compared with the true ones: recall and precision of the scatterers within 6 A\n" +
				"(a kind's common shift of up to 12 A does not count, nor do scatterers that are masked or within 6 A of the border), and the kernels at the best shift.",
		)
		.option(
			"-d, --data <dir>",
			"a folder in the published format (generate makes one)",
		)
		.option("-m, --maps <dir>", "a folder of maps (generate --maps makes one)")
		.addOption(
			new Option("--method <name>", "of maps: what extracts")
				.choices(MAP_METHODS)
				.default("refined"),
		)
		.option(
			"--blind",
			"of maps: nothing is marked; scatterers and kinds are found first",
			false,
		)
		.addOption(
			new Option(
				"--rival <name>",
				"with --blind: another program's method in place of ours, given a window about one scatterer of each kind",
			).choices(["sbd"] as const),
		)
		.option(
			"--radius <A>",
			"of maps: about the scatterer, in which kernels are compared",
			positive,
			60,
		)
		.option("--json", "one JSON object on standard output, nothing else", false)
		.option(
			"--weights <dir>",
			"a folder of weights, or of a finished training, in place of the shipped ones",
		)
		.option(
			"--unseen",
			"only the kernels that the folder's manifest does not train on",
			false,
		)
		.option("--max <n>", "at most so many images a kernel", positiveWhole)
		.option(
			"-a, --adapter <name>",
			"a part of the adapter's name, or swiftshader (also: QPI_LENS_ADAPTER)",
		);
	return shardOption(command, "the maps, with --json")
		.addHelpText(
			"after",
			`
Examples:
  npx qpi-lens evaluate --data runs/data --json > evaluation.json
  npx qpi-lens evaluate --maps runs/maps
      --json: {radius, maps: {NAME: {ncc: [of each kind], seconds, method, explained, pixels, marks, noise}}, mean: {ncc, seconds}}
  npx qpi-lens evaluate --maps runs/maps --blind
  npx qpi-lens evaluate --maps runs/maps --blind --rival sbd --json
      --json: {maps: {NAME: {kinds, trueKinds, recall, precision, positionError in Angstrom, ncc: [of each true kind], angle, fft, overlap, seconds, marks, trueMarks, density, noise, spread, background}},
      mean: {kinds, recall, precision, positionError, ncc, angle, fft, overlap, seconds}, by: {density | noise | trueKinds | spread | background: [{from, to, maps, and as mean}]}};
      null where there is nothing to count; by has what differs between the maps`,
		)
		.action(evaluate);
}

async function evaluate(options: Options): Promise<void> {
	const { data, maps } = options;
	if ((data === undefined) === (maps === undefined))
		throw new RangeError("expected either --data or --maps");
	if (options.blind && maps === undefined)
		throw new RangeError("--blind is for maps; give --maps <dir> with it");
	if (options.rival && !options.blind)
		throw new RangeError("--rival is for unmarked maps; give --blind with it");
	if (options.shard && maps === undefined)
		throw new RangeError("--shard is for maps; give --maps <dir> with it");
	if (options.shard && !options.json)
		throw new RangeError(
			"--shard gives figures that merge puts together; give --json with it",
		);
	if (maps !== undefined && options.blind)
		return evaluateUnmarked(maps, options);
	if (maps !== undefined) return evaluateOnMaps(maps, options);
	if (data !== undefined) return evaluateDataset(data, options);
}

async function evaluateOnMaps(
	folder: string,
	{ json, method: asked, radius, weights: place, adapter, shard }: Options,
): Promise<void> {
	const method = (NETWORKS[asked] ?? asked) as MapMethod | "auto";
	const weights = method === "ridge" ? undefined : await openWeights(place);
	const gpu = NETWORKS[asked] && (await openGpu({ adapter }));
	const learned = gpu
		? { networks: await weights?.networks(gpu) }
		: { prior: await weights?.prior() };
	const solver = new SolveThreads();
	const bar = mapsBar();
	const extract = ({ scan, marks }: MapToExtract) => {
		const { scan: map, weights, centre, order } = preprocess(scan);
		const { image, nx, ny, spacing } = map;
		return extractMap(
			{
				...{ image, nx, ny, weights, order },
				pixel: spacing.x,
				marks: marks.map(({ x, y, weight, kind }) => ({
					...{ x: x - centre.x, y: y - centre.y },
					...{ weight, kind },
				})),
			},
			learned,
			{ method, solver, seed: 1 },
		);
	};
	const evaluation = await evaluateMaps(folder, extract, {
		radius,
		shard,
		onProgress: bar.update,
	}).finally(async () => {
		bar.stop();
		await solver.close();
		learned.networks?.dispose();
		gpu?.dispose();
	});
	say(json ? JSON.stringify(evaluation) : mapsTable(evaluation));
}

/** Shown from the first map on. */
function mapsBar() {
	let bar: ReturnType<typeof startProgress> | undefined;
	return {
		update(done: number, total: number) {
			bar ??= startProgress("evaluating", total, { unit: "maps" });
			bar.update(done);
		},
		stop: () => bar?.stop(),
	};
}

async function evaluateUnmarked(
	folder: string,
	{ json, rival, radius, weights, shard }: Options,
): Promise<void> {
	const prior = rival ? undefined : await (await openWeights(weights)).prior();
	const solver = new SolveThreads();
	const method = rival === "sbd" ? sbdMethod : ourMethod(prior, solver);
	const bar = mapsBar();
	const evaluation = await evaluateBlind(folder, method, {
		radius,
		shard,
		onProgress: bar.update,
	}).finally(async () => {
		bar.stop();
		await solver.close();
	});
	say(json ? JSON.stringify(evaluation) : blindTable(evaluation));
}

async function evaluateDataset(
	data: string,
	{ json, ...options }: Options,
): Promise<void> {
	let bar: ReturnType<typeof startProgress> | undefined;
	const evaluation = await evaluateFolder(data, {
		...options,
		say: (line: string) => {
			if (!json) say(line);
		},
		onProgress(done: number, total: number) {
			bar ??= startProgress("evaluating", total, { unit: "images" });
			bar.update(done);
		},
	}).finally(() => bar?.stop());
	if (json) {
		say(JSON.stringify(evaluation));
		return;
	}
	const columns = ["mae", "mse", "rmse", "ncc"] as const;
	say(
		`${"".padEnd(12)}${columns.map((c) => c.toUpperCase().padStart(9)).join("")}${"n".padStart(7)}`,
	);
	for (const [method, scores] of Object.entries(evaluation.methods)) {
		const cells = columns.map((c) =>
			(scores[c]?.toFixed(4) ?? "-").padStart(9),
		);
		say(`${method.padEnd(12)}${cells.join("")}${String(scores.n).padStart(7)}`);
	}
}
