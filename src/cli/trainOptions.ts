/** The options of `train`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Precision } from "../node/device/adapter.ts";
import type { Scattering } from "../qpi/generator/generator.ts";
import { INPUTS, type InputKind } from "../qpi/operator/inputs.ts";
import {
	MODELS,
	type ModelName,
	PRESETS,
	type PresetName,
	type Ways,
} from "../training/presets.ts";
import { positive, positiveWhole, whole } from "./command.ts";

/** So many positive whole numbers with commas between. */
const wholes = (count: number, expected: string) => (text: string) => {
	const numbers = text.split(",").map(Number);
	if (
		numbers.length !== count ||
		!numbers.every((n) => Number.isInteger(n) && n > 0)
	)
		throw new InvalidArgumentError(expected);
	return numbers;
};

const threeEpochs = wholes(
	3,
	"Expected three whole numbers with commas between: VAE,aligner,one-step.",
);
const fourWidths = wholes(
	4,
	"Expected four whole numbers with commas between, as 8,16,32,64.",
);

const decay = (text: string) => {
	const value = positive(text);
	if (value >= 1)
		throw new InvalidArgumentError("Expected a number between 0 and 1.");
	return value;
};

const weight = (text: string) => {
	const value = Number(text);
	if (text.trim() === "" || !(value >= 0 && Number.isFinite(value)))
		throw new InvalidArgumentError("Expected a number from 0.");
	return value;
};

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** "90s", "30m", "2h" or minutes, to seconds. */
const duration = (text: string) => {
	const found = /^(\d{1,6}(?:\.\d{1,6})?)(s|m|h)?$/.exec(text);
	const unit = SECONDS[found?.[2] ?? "m"] ?? Number.NaN;
	const seconds = Number(found?.[1]) * unit;
	if (!(seconds > 0))
		throw new InvalidArgumentError("Expected a time such as 90s, 30m or 2h.");
	return seconds;
};

/** What `train` was told. */
export interface TrainOptions extends Ways {
	budget?: number;
	preset: PresetName;
	model: ModelName;
	channels?: number[];
	init?: string;
	vae?: string;
	data?: string;
	out?: string;
	seed: number;
	inputs: InputKind;
	resume: boolean;
	adapter?: string;
	precision: Precision;
	tune: boolean;
	epochs?: number[];
	stream?: number;
	scattering: Scattering;
	skipBad: boolean;
	penaliseAsymmetry: boolean;
	randomStart: boolean;
}

export function addTrainOptions(command: Command): Command {
	return command
		.addOption(
			new Option("-p, --preset <name>", "size of the data and of the networks")
				.choices(Object.keys(PRESETS))
				.default("quick"),
		)
		.addOption(
			new Option(
				"-m, --model <name>",
				"form of the networks: the preset's principal components with U-Nets, or the paper's convolutional autoencoder in one of three sizes (paper: with the paper's rates and 300, 50 and 50 epochs)",
			)
				.choices(MODELS)
				.default("components"),
		)
		.option(
			"--channels <list>",
			"channels of the convolutional networks at each resolution, the image's first, in place of the model's: 8,16,32,64",
			fourWidths,
		)
		.option(
			"--init <file>",
			"weights of an AutoencoderKL of this size that the convolutional networks start from (.safetensors of the diffusers library)",
		)
		.option(
			"--vae <run>",
			"the folder of a finished training with the same convolutional networks, whose kernel VAE is taken and not trained again",
		)
		.option(
			"-d, --data <dir>",
			"a folder in the published format (generate makes one); without it the data are made",
		)
		.option(
			"-o, --out <dir>",
			"where everything is written (default: runs/PRESET-INPUTS-seedN, with the model named where it is not components)",
		)
		.option("-s, --seed <n>", "seed of data, weights and training", whole, 1)
		.addOption(
			new Option(
				"-i, --inputs <kind>",
				"what aligner and baseline see: five channels with the search for the scatterers done, or those of the five that are centred on the kernel, or image and activation map as in the paper",
			)
				.choices(Object.keys(INPUTS))
				.default("physics"),
		)
		.option("-r, --resume", "go on with the run in --out", false)
		.option(
			"-a, --adapter <name>",
			"a part of the adapter's name, or swiftshader (also: QPI_LENS_ADAPTER)",
		)
		.addOption(
			new Option(
				"--precision <type>",
				"f16: convolutions on the matrix units of a graphics card, sums in f32, scaled losses",
			)
				.choices(["f32", "f16"])
				.default("f32"),
		)
		.option(
			"--no-tune",
			"do not measure which variants of the kernels are the fastest on this adapter",
		)
		.option(
			"-e, --epochs <vae,aligner,one-step>",
			"epochs, in place of the preset's",
			threeEpochs,
		)
		.option(
			"--budget <time>",
			"train for about so long (30m, 2h): decides the epochs by timing a few steps, the same number for aligner and baseline",
			duration,
		)
		.option(
			"--accumulate <n>",
			"compute each batch in n parts, one after the other: less memory, the same step",
			positiveWhole,
		)
		.option(
			"--average <decay>",
			"keep an exponential moving average of the weights, as 0.999, and evaluate that",
			decay,
		)
		.option(
			"--cosine <steps>",
			"the learning rate rises over so many steps and then falls along a cosine to zero, in place of the preset's schedule",
			whole,
		)
		.option(
			"--stream <patterns>",
			"train on so many new patterns of the wide generator every epoch, each from four sides with the preset's number of images; the data then only judge",
			positiveWhole,
		)
		.addOption(
			new Option(
				"--scattering <kind>",
				"how images are made without --data: plain superposition or full multiple scattering",
			)
				.choices(["linear", "full"])
				.default("linear"),
		)
		.option("--skip-bad", "leave out broken files of --data", false)
		.option(
			"--symmetry <weight>",
			"weight of the VAE's symmetry loss, in place of the published 0.7; 0 leaves it out",
			weight,
		)
		.option(
			"--kl <weight>",
			"weight of the KL loss, in place of the published 1e-6",
			weight,
		)
		.option(
			"--noiseless",
			"ablation: aligner and baseline are trained on the images without noise alone, each the more often",
			false,
		)
		.option(
			"--penalise-asymmetry",
			"symmetry loss for 1-fold kernels too, as the published code has it",
			false,
		)
		.option(
			"--random-start",
			"ablation: the latent starts from random directions, not from principal components",
			false,
		);
}
