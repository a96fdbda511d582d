import { AUTOENCODERS } from "../models/autoencoderKL.ts";
import type { NetworkSize } from "../models/networks.ts";
import type { Schedule } from "./tasks.ts";

export type PresetName = "smoke" | "quick" | "compact";

export interface Preset {
	readonly about: string;
	/** Made where no dataset is given. */
	readonly kernels: number;
	readonly observations: number;
	readonly size: NetworkSize;
	readonly vae: Schedule & { readonly repeats: number };
	readonly aligner: Schedule;
	readonly oneStep: Schedule;
	/** At most so many observations of each part are evaluated. */
	readonly evaluated: number;
}

/**
 * Aligner and one-step baseline always get the same number of steps at the same rates, so that they differ only in what they are taught. The paper's schedules belong to pretrained networks of 84 M parameters (`TRAININGS` below). These start from nothing and are small, so
 * the learning rates are higher and fall faster.
 */
export const PRESETS: Record<PresetName, Preset> = {
	smoke: {
		about: "a toy that only shows that everything works",
		kernels: 12,
		observations: 6,
		size: {
			encoder: { channels: [8, 8, 8], blocks: [0, 0] },
			decoder: { channels: [8, 8, 8], blocks: [0, 0] },
		},
		vae: {
			epochs: 3,
			batch: 4,
			learningRate: 2e-3,
			schedule: { every: 1, factor: 0.9 },
			repeats: 2,
		},
		aligner: {
			epochs: 3,
			batch: 4,
			learningRate: 2e-3,
			schedule: { every: 1, factor: 0.9 },
		},
		oneStep: {
			epochs: 3,
			batch: 4,
			learningRate: 2e-3,
			schedule: { every: 1, factor: 0.9 },
		},
		evaluated: 6,
	},
	quick: {
		about: "a few minutes on two cores; kernels that look like the truth",
		kernels: 100,
		observations: 10,
		size: {
			encoder: { channels: [16, 32, 64], blocks: [0, 0] },
			decoder: { channels: [8, 16, 32], blocks: [0, 0] },
		},
		vae: {
			epochs: 4,
			batch: 8,
			learningRate: 2e-3,
			schedule: { every: 2, factor: 0.3 },
			repeats: 4,
		},
		aligner: {
			epochs: 3,
			batch: 8,
			learningRate: 2e-3,
			schedule: { every: 1, factor: 0.4 },
		},
		oneStep: {
			epochs: 3,
			batch: 8,
			learningRate: 2e-3,
			schedule: { every: 1, factor: 0.4 },
		},
		evaluated: 60,
	},
	compact: {
		about: "the full set of 100 kernels, for a GPU or a night",
		kernels: 100,
		observations: 500,
		size: {
			encoder: { channels: [24, 48, 64], blocks: [1, 1] },
			decoder: { channels: [16, 32, 48], blocks: [0, 1] },
		},
		vae: {
			epochs: 60,
			batch: 8,
			learningRate: 1e-3,
			schedule: { every: 5, factor: 0.8 },
			repeats: 8,
		},
		aligner: {
			epochs: 8,
			batch: 8,
			learningRate: 5e-4,
			schedule: { every: 1, factor: 0.7 },
		},
		oneStep: {
			epochs: 8,
			batch: 8,
			learningRate: 5e-4,
			schedule: { every: 1, factor: 0.7 },
		},
		evaluated: 1000,
	},
};

/** Forms of the networks: the preset's principal components with U-Nets, or convolutional autoencoders of three sizes. */
export type ModelName = "components" | keyof typeof AUTOENCODERS;

export const MODELS: readonly ModelName[] = [
	"components",
	"tiny",
	"small",
	"paper",
];

/** What a size changes in a preset's training: of the kernel VAE, and of aligner and baseline. The paper's training belongs to its size, pretrained; smaller networks from random weights take larger steps. */
const TRAININGS: Record<
	keyof typeof AUTOENCODERS,
	{ vae: Partial<Preset["vae"]>; observed: Partial<Schedule> }
> = {
	tiny: { vae: { learningRate: 2e-3 }, observed: { learningRate: 2e-3 } },
	small: { vae: { learningRate: 2e-3 }, observed: { learningRate: 1e-3 } },
	paper: {
		vae: {
			epochs: 300,
			learningRate: 1e-4,
			schedule: { every: 20, factor: 0.97 },
			repeats: 1,
		},
		observed: {
			epochs: 50,
			learningRate: 5e-5,
			schedule: { every: 5, factor: 0.97 },
		},
	},
};

/**
 * A preset with convolutional networks in place of its own, and what their training needs; `channels` replaces the model's, and groupNorm then has the
 * largest number of groups that divides all of them. Throws where principal components are given channels.
 */
export function withModel(
	preset: Preset,
	model: ModelName,
	channels?: readonly number[],
): Preset {
	if (model === "components") {
		if (channels)
			throw new Error(
				"--channels is for the convolutional networks; --model components has its preset's",
			);
		return preset;
	}
	const { vae, observed } = TRAININGS[model];
	const known = AUTOENCODERS[model];
	const divisor = (a: number, b: number): number =>
		b === 0 ? a : divisor(b, a % b);
	const size = channels
		? {
				...known,
				blockOutChannels: channels,
				normNumGroups: channels.reduce(divisor, known.normNumGroups),
			}
		: known;
	return {
		...preset,
		size,
		vae: { ...preset.vae, ...vae },
		aligner: { ...preset.aligner, ...observed },
		oneStep: { ...preset.oneStep, ...observed },
	};
}

/** A preset with other numbers of epochs, where there are some: VAE, aligner, one-step. */
export function withEpochs(
	preset: Preset,
	epochs: readonly number[] | undefined,
): Preset {
	if (!epochs) return preset;
	const [vae, aligner, oneStep] = epochs;
	return {
		...preset,
		vae: { ...preset.vae, epochs: vae },
		aligner: { ...preset.aligner, epochs: aligner },
		oneStep: { ...preset.oneStep, epochs: oneStep },
	};
}

/** How all three networks are trained, instead of as a preset says. */
export interface Ways {
	/** See Task. */
	readonly accumulate?: number;
	readonly average?: number;
	/** A cosine after so many steps of warm-up. */
	readonly cosine?: number;
	/** See Schedule. */
	readonly symmetry?: number;
	readonly kl?: number;
	readonly noiseless?: boolean;
}

/** A preset with other ways, where some are given. */
export function withWays(
	preset: Preset,
	{ accumulate, average, cosine, symmetry, kl, noiseless }: Ways,
): Preset {
	const changed = {
		...(accumulate !== undefined && { accumulate }),
		...(average !== undefined && { average }),
		...(symmetry !== undefined && { symmetry }),
		...(kl !== undefined && { kl }),
		...(noiseless && { noiseless }),
		...(cosine !== undefined && { schedule: { warmUp: cosine } }),
	};
	return {
		...preset,
		vae: { ...preset.vae, ...changed },
		aligner: { ...preset.aligner, ...changed },
		oneStep: { ...preset.oneStep, ...changed },
	};
}

const TWO_EPOCHS: Schedule = {
	epochs: 2,
	batch: 8,
	learningRate: 2e-3,
	schedule: { every: 1, factor: 0.2 },
};

/** The weights that come with the package: a prior and networks for kernels that nobody has seen. */
export const WEIGHTS = {
	/** Patterns of the wide set, each from two sides. */
	models: 3200,
	/** Of these besides, of a formula with a sharp centre. */
	bare: 400,
	/** Principal components of the prior, and kernels whose coefficients are stored. */
	components: 1000,
	kept: 2400,
	/** Kernels for the networks, and images of each. */
	source: { kernels: 2400, observations: 4, heldOut: 100 },
	/** Those that a map of any size has. */
	inputs: "centred" as const,
	...PRESETS.quick,
	vae: { ...PRESETS.quick.vae, repeats: 1 },
	aligner: TWO_EPOCHS,
	oneStep: TWO_EPOCHS,
	evaluated: 200,
};
