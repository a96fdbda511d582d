/** `qpi-lens train`, `npm run train`: trains the kernel VAE, the aligner and the one-step baseline, and compares them with their rivals. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { sha256 } from "../formats/sha256.ts";
import type { PretrainedWeights } from "../models/diffusers.ts";
import {
	checkPretrained,
	isConvolutional,
	type NetworkName,
} from "../models/networks.ts";
import { openDataset } from "../node/datasets/dataset.ts";
import { datasetSource } from "../node/datasets/datasetSource.ts";
import { WideStream } from "../node/datasets/wideStream.ts";
import { describeAdapter, openGpu } from "../node/device/adapter.ts";
import { canWrite } from "../node/files/files.ts";
import { startProgress } from "../node/files/progress.ts";
import { RunFolder } from "../node/files/runFolder.ts";
import { trainRun } from "../node/training/trainRun.ts";
import { writeReport } from "../node/training/writeReport.ts";
import type { DatasetError } from "../qpi/dataset/format.ts";
import { HELD_OUT_FAMILIES } from "../qpi/generator/wide.ts";
import { INPUTS } from "../qpi/operator/inputs.ts";
import { METHOD_TITLES, type Metrics, SPLITS } from "../training/metrics.ts";
import {
	PRESETS,
	type Preset,
	withEpochs,
	withModel,
	withWays,
} from "../training/presets.ts";
import { generatedSource, type Source } from "../training/source.ts";
import { callOf, commandLine, say, warn } from "./command.ts";
import { addTrainOptions, type TrainOptions } from "./trainOptions.ts";

export function trainCommand(name = "train"): Command {
	const call = callOf(name);
	const command = new Command(name)
		.summary("trains the networks and compares them with their rivals")
		.description(
			"Trains the kernel VAE, the latent aligner and the one-step baseline on quasiparticle-interference data, compares them with ridge least squares and\n" +
				"other rivals on kernels seen and unseen, and writes metrics.json, pictures, weights, latents.npy and report.html.",
		);
	return addTrainOptions(command)
		.addHelpText(
			"after",
			`
Presets:
${Object.entries(PRESETS)
	.map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
	.join("\n")}

Examples:
  ${call}                                  the quick preset, a few minutes
  ${call} --preset smoke --out runs/try
  ${call} --inputs paper --seed 2
  ${call} --data runs/data --preset compact --out runs/full
  ${call} --out runs/full --data runs/data --preset compact --resume`,
		)
		.action((options: TrainOptions) => trainAndReport(options, call));
}

async function trainAndReport(
	options: TrainOptions,
	call: string,
): Promise<void> {
	const stop = new AbortController();
	process.once("SIGINT", () => {
		stop.abort(new Error("interrupted"));
	});
	const out =
		options.out ??
		`runs/${options.preset}-${options.model === "components" ? "" : `${options.model}-`}${options.inputs}-seed${options.seed}`;
	try {
		await main(options, out, call, stop.signal);
	} catch (error) {
		if (error !== stop.signal.reason) throw error;
		console.error(
			RunFolder.holdsRun(out)
				? `interrupted; the same command with --resume goes on after the last full epoch (in ${out})`
				: "interrupted before the run began; nothing was written",
		);
		process.exitCode = 130;
	}
}

async function main(
	options: TrainOptions,
	out: string,
	call: string,
	signal: AbortSignal,
): Promise<void> {
	const { seed, inputs, epochs, penaliseAsymmetry, randomStart, precision } =
		options;
	if (options.budget && epochs)
		throw new Error("give --budget or --epochs: each decides the epochs");
	if (randomStart && options.model !== "components")
		throw new Error(
			`--random-start is for --model components; ${options.model} has no principal components to start from`,
		);
	if (options.noiseless && options.stream !== undefined)
		throw new Error(
			"--noiseless is for images that are kept; a --stream has none without noise",
		);
	const preset = withWays(
		withEpochs(
			withModel(PRESETS[options.preset], options.model, options.channels),
			epochs,
		),
		options,
	);
	const init = options.init ? await readPretrained(options.init) : undefined;
	const vae = options.vae
		? await readPretrained(join(options.vae, "vae.safetensors"))
		: undefined;
	for (const given of [init, vae])
		if (given) checkPretrained(given, preset.size, INPUTS[inputs]);
	const gpu = await openGpu({
		adapter: options.adapter,
		precision,
		tune: options.tune,
	});
	try {
		say(describeAdapter(gpu));
		const { source, bad } = await openSource(options, preset, signal);
		const { train, unseenEnergy, unseenFamily } = source.split;
		if (train.length === 0)
			throw new Error(
				`none of the ${source.kernels.length} kernels is one to train on, by the split of ${options.data}; expected at least one`,
			);
		const streams = openStreams(options, preset);
		const folder = await RunFolder.open(
			out,
			{
				preset: options.preset,
				settings: preset,
				adapter: gpu.adapterName,
				inputs,
				seed,
				penaliseAsymmetry,
				randomStart,
				// Unsaid where it is the default, so that runs from before there was another can be resumed.
				...(precision !== "f32" && { precision }),
				...(init && { init: init.sha256 }),
				...(vae && { vae: vae.sha256 }),
				...(options.budget && { budget: options.budget }),
				...(streams && { stream: streams.observed.identity }),
				data: source.identity,
			},
			options.resume,
		);
		say(
			`kernels: ${train.length} to train on, ${unseenEnergy.length} unseen energies, ${unseenFamily.length} in unseen families`,
		);
		const run = await trainRun({
			gpu,
			preset,
			source,
			streams,
			inputs,
			seed,
			folder,
			preparedFolder:
				(await preparedBeside(options)) ?? folder.file("prepared"),
			penaliseAsymmetry,
			randomStart,
			init,
			vae,
			budget: options.budget,
			signal,
			say,
		}).finally(async () => {
			await streams?.kernels.close();
			await streams?.observed.close();
		});
		const metrics: Metrics = {
			preset: options.preset,
			inputs,
			seed,
			adapter: gpu.adapterName,
			seconds: Math.round(folder.seconds),
			...run.summary,
		};
		const epochsOf = (name: NetworkName) => run.histories[name].train.length;
		const { size } = preset;
		const channels = isConvolutional(size)
			? size.blockOutChannels
			: size.encoder.channels;
		await writeReport(folder, run, metrics, {
			command: commandLine(call, ["--resume", "-r"]),
			field: source.field,
			parameters: [
				["data", options.data ?? `generated, ${options.scattering} scattering`],
				[
					"kernels",
					`${train.length} trained on, ${unseenEnergy.length} unseen energies, ${unseenFamily.length} in unseen families`,
				],
				...(streams
					? ([
							[
								"trained on",
								`${options.stream} new patterns of the wide generator in every epoch, none of these kernels`,
							],
						] as const)
					: []),
				["networks", options.model],
				["channels", channels.join(", ")],
				["precision of convolutions", precision],
				[
					"epochs",
					`VAE ${epochsOf("vae")}, aligner ${epochsOf("aligner")}, one-step ${epochsOf("oneStep")}`,
				],
			],
		});
		await folder.removeScratch();
		printTable(metrics);
		if (streams) {
			const seconds = streams.waited.reduce((a, b) => a + b, 0);
			say(
				`the networks waited ${seconds.toFixed(1)} s for new data, in ${streams.waited.length} epochs`,
			);
			say(
				`no step was taken on any of these kernels: the stream draws others${unseenFamily.length === 0 ? "" : options.data ? `, which may be relatives of ${options.data}'s unseen families` : ", and of the unseen families no relatives either"}`,
			);
		}
		if (bad.length > 0)
			warn(
				`left out ${bad.length} broken file${bad.length > 1 ? "s" : ""}: ${bad.map(({ message }) => message).join("; ")}`,
			);
		say(`everything is in ${out}; open ${out}/report.html`);
	} finally {
		gpu.dispose();
	}
}

/** New data in every epoch, where they are asked for. */
function openStreams(
	{ stream: patterns, seed, inputs }: TrainOptions,
	preset: Preset,
) {
	if (patterns === undefined) return undefined;
	const waited: number[] = [];
	const onWait = (epoch: number, milliseconds: number) => {
		waited.push(milliseconds / 1000);
		if (milliseconds > 1000)
			say(
				`waited ${(milliseconds / 1000).toFixed(1)} s for the data of epoch ${epoch + 1}`,
			);
	};
	const open = (observations: number) =>
		new WideStream({ seed, patterns, views: 4, observations, inputs, onWait });
	return { kernels: open(0), observed: open(preset.observations), waited };
}

/** A file of weights to start from, and what tells it from others. */
async function readPretrained(
	file: string,
): Promise<PretrainedWeights & { readonly sha256: string }> {
	const bytes = new Uint8Array(await readFile(file));
	const { tensors } = decodeSafetensors(bytes, file);
	return { source: file, tensors, sha256: await sha256(bytes) };
}

/** Where prepared data are kept for other runs too: beside the dataset, where that can be written. */
async function preparedBeside({
	data,
	preset,
	inputs,
}: TrainOptions): Promise<string | undefined> {
	if (!data) return undefined;
	const folder = join(data, ".qpi-cache", `${preset}-${inputs}`);
	return (await canWrite(folder)) ? folder : undefined;
}

async function openSource(
	options: TrainOptions,
	preset: Preset,
	signal: AbortSignal,
): Promise<{ source: Source; bad: readonly DatasetError[] }> {
	const { data, seed, skipBad } = options;
	if (!data) {
		const source = generatedSource(
			preset.kernels,
			{
				observations: preset.observations,
				seed,
				scattering: options.scattering,
			},
			// The stream draws the others.
			options.stream === undefined ? undefined : HELD_OUT_FAMILIES,
		);
		return { source, bad: [] };
	}
	let bar: ReturnType<typeof startProgress> | undefined;
	const dataset = await openDataset(data, {
		skipBad,
		maxObservations: preset.observations,
		onProgress(done, total, file) {
			signal.throwIfAborted();
			bar ??= startProgress("reading", Math.round(total / 1e6), {
				unit: "MB",
			});
			bar.update(Math.round(done / 1e6), { file });
		},
	}).finally(() => bar?.stop());
	for (const warning of dataset.warnings) warn(`warning: ${warning}`);
	for (const error of dataset.bad) warn(`left out: ${error.message}`);
	return { source: await datasetSource(dataset), bad: dataset.bad };
}

/** NCC and MAE of every method, a column each part of the split. */
function printTable({ methods, seconds }: Metrics): void {
	const parts = Object.entries(SPLITS) as [keyof typeof SPLITS, string][];
	say(
		`\nNCC / MAE${" ".repeat(19)}${parts.map(([, title]) => title.padEnd(20)).join("")}`,
	);
	for (const [method, title] of Object.entries(METHOD_TITLES)) {
		const row = methods[method as keyof typeof METHOD_TITLES];
		if (!row) continue;
		const cells = parts.map(([part]) => {
			const score = row[part];
			return score?.ncc == null || score.mae == null
				? "-".padEnd(20)
				: `${score.ncc.toFixed(3)} / ${score.mae.toFixed(3)}`.padEnd(20);
		});
		say(`${title.padEnd(28)}${cells.join("")}`);
	}
	say(`${seconds} s`);
}
