import { encodeNpy } from "../../formats/npy.ts";
import { streamSafetensors } from "../../formats/safetensors.ts";
import { toDiffusers } from "../../models/diffusers.ts";
import { isConvolutional, type NetworkSize } from "../../models/networks.ts";
import type { PreparedData } from "../../training/data.ts";
import { scoreFile } from "../../training/evaluate.ts";
import { epochsWithin, secondsAStep } from "../../training/pace.ts";
import { type Preset, withEpochs } from "../../training/presets.ts";
import {
	type TrainedRun,
	type TrainingEvents,
	type TrainOptions,
	trainAndEvaluate,
} from "../../training/run.ts";
import type { Source } from "../../training/source.ts";
import { trainedOn } from "../../training/tasks.ts";
import { type Progress, startProgress } from "../files/progress.ts";
import type { RunFolder } from "../files/runFolder.ts";
import { prepareWithBars } from "../threads/prepare.ts";
import { LearningCurve } from "./learningCurve.ts";

export interface TrainRunOptions
	extends Omit<TrainOptions, "data" | "store" | "events" | "preset"> {
	readonly preset: Preset;
	readonly source: Source;
	readonly folder: RunFolder;
	/** Where the prepared data are kept: in the run's folder, or beside the dataset for other runs to use. */
	readonly preparedFolder: string;
	readonly randomStart: boolean;
	/** Seconds of training: decides the epochs, in place of the preset's. */
	readonly budget?: number;
}

/** Prepares the data, trains and evaluates with bars, and writes split, weights and latents into the run's folder. */
export async function trainRun(options: TrainRunOptions): Promise<TrainedRun> {
	const { preset, source, inputs, folder, signal } = options;
	await folder.write("split.json", JSON.stringify(source.split));
	const data = await prepareWithBars(source, {
		inputs,
		most: preset.evaluated,
		folder: options.preparedFolder,
		signal,
	});
	try {
		const { budget } = options;
		const within = budget
			? await withinBudget({ ...options, budget }, data)
			: preset;
		const curve = await LearningCurve.open(options.gpu, folder);
		const run = await withBars(folder, preset.size, (events) =>
			trainAndEvaluate({
				...options,
				preset: within,
				data,
				store: {
					checkpoint: (network) => folder.checkpoint(network),
					// If the run is killed between these two, it repeats the epoch, and the new row replaces this one.
					async saveCheckpoint(network, checkpoint) {
						await curve.add(network, checkpoint.history);
						await folder.saveCheckpoint(network, checkpoint);
					},
				},
				events,
			}),
		);
		await folder.write(
			"scores.json",
			`${JSON.stringify(scoreFile(options.seed, run.scores, data))}\n`,
		);
		await folder.write(
			"latents.npy",
			encodeNpy(run.latents, [data.kernels.length, 2, 4, 8, 8]),
		);
		return run;
	} finally {
		data.inputs.close();
	}
}

/** The file of the numbers of epochs that a time budget gave when the run began; a resumed run uses the same. */
const EPOCHS = "epochs.json";

async function withinBudget(
	options: TrainRunOptions & { readonly budget: number },
	data: PreparedData,
): Promise<Preset> {
	const { gpu, preset, inputs, streams, folder, budget, say } = options;
	const stored = await folder.read(EPOCHS);
	if (stored) return withEpochs(preset, JSON.parse(stored));
	const kernels = data.kernels.filter(({ trained }) => trained).length;
	const samples = {
		vae: (streams?.kernels.kernels ?? kernels) * preset.vae.repeats,
		observed: streams
			? streams.observed.kernels * streams.observed.observations
			: trainedOn(data).length,
	};
	const seconds = await secondsAStep(gpu, preset, inputs);
	const steps = {
		vae: Math.ceil(samples.vae / preset.vae.batch),
		aligner: Math.ceil(samples.observed / preset.aligner.batch),
		oneStep: Math.ceil(samples.observed / preset.oneStep.batch),
	};
	const epochs = epochsWithin(
		budget,
		seconds,
		steps,
		options.vae ? 0 : undefined,
	);
	const each = (name: keyof typeof seconds) =>
		`${(1000 * seconds[name]).toFixed(0)} ms`;
	say(
		`a step takes ${each("vae")} (VAE), ${each("aligner")} (aligner), ${each("oneStep")} (one-step): ${epochs.join(", ")} epochs in ${(budget / 60).toFixed(1)} minutes`,
	);
	await folder.write(EPOCHS, JSON.stringify(epochs));
	return withEpochs(preset, epochs);
}

/** Shows each network's training as a bar, and writes its weights into the folder when it is done; those of a convolutional one as diffusers stores them. */
export async function withBars<T>(
	folder: RunFolder,
	size: NetworkSize,
	work: (events: TrainingEvents) => Promise<T>,
): Promise<T> {
	const inLibrarysForm = isConvolutional(size);
	let bar: Progress | undefined;
	try {
		return await work({
			onStart(_, title, start, steps) {
				bar = startProgress(title, steps, { unit: "steps", start });
			},
			onStep: (_, done, loss) => bar?.update(done, { loss }),
			async onTrained(network, trained) {
				bar?.stop();
				const values = trained.packed.lazy();
				await folder.write(
					`${network}.safetensors`,
					streamSafetensors(
						new Map(
							[...(inLibrarysForm ? toDiffusers(values) : values)].map(
								([name, tensor]) => [name, { ...tensor, dtype: "F32" }],
							),
						),
						{ network },
					),
				);
			},
		});
	} finally {
		bar?.stop();
	}
}
