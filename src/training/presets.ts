import type { Size } from "../models/autoencoder.ts";
import type { Schedule } from "./tasks.ts";

export type PresetName = "smoke" | "quick" | "compact";

export interface Preset {
	readonly about: string;
	/** Made where no dataset is given. */
	readonly kernels: number;
	readonly observations: number;
	readonly size: Size;
	readonly vae: Schedule & { readonly repeats: number };
	readonly aligner: Schedule;
	readonly oneStep: Schedule;
	/** At most so many observations of each part are evaluated. */
	readonly evaluated: number;
}

/**
 * The paper's schedules (300, 50 and 50 epochs; 1e-4, 5e-5, 5e-5) belong to pretrained networks of 84 M parameters. These start from nothing and are small, so
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
			epochs: 4,
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
			encoder: { channels: [32, 64, 96], blocks: [1, 1] },
			decoder: { channels: [16, 32, 64], blocks: [1, 1] },
		},
		vae: {
			epochs: 300,
			batch: 8,
			learningRate: 1e-3,
			schedule: { every: 20, factor: 0.8 },
			repeats: 8,
		},
		aligner: {
			epochs: 50,
			batch: 8,
			learningRate: 5e-4,
			schedule: { every: 5, factor: 0.8 },
		},
		oneStep: {
			epochs: 50,
			batch: 8,
			learningRate: 5e-4,
			schedule: { every: 5, factor: 0.8 },
		},
		evaluated: 1000,
	},
};
