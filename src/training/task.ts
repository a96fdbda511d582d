import type { Parameters } from "../engine/layers/parameters.ts";
import type { RateSchedule } from "../engine/optim/schedules.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Random } from "../random.ts";

/** Everything that one training needs besides the loop. */
export interface Task {
	readonly name: string;
	/** What is trained: a module's `packed`. */
	readonly parameters: Parameters;
	/** Samples in an epoch. */
	readonly samples: number;
	readonly epochs: number;
	readonly batch: number;
	readonly learningRate: number;
	readonly schedule: RateSchedule;
	/** A batch is computed in so many parts, whose gradients are added up: one step takes the memory of one part. 1 by default. */
	readonly accumulate?: number;
	/** Decay of the weights' moving average (engine/optim/average.ts). If given, the average is validated, and it is the training's result. None by default. */
	readonly average?: number;
	/** Largest global norm of the gradient; null leaves it as it is. */
	readonly clip: number | null;
	/** Awaited before an epoch, counted from 0, with whether another follows: data that are new in every epoch are fetched here. */
	begin?(epoch: number, more: boolean): Promise<void>;
	/**
	 * The loss (a scalar on the tape) of the given samples, as a mean over them. `random` is the step's own stream; `draw` is another number for each part of each
	 * step, and the step's own where there is one part.
	 */
	loss(samples: readonly number[], random: Random, draw: number): Tensor;
	/** The figure that tells whether what is learnt holds beyond the training samples. */
	validate(): Promise<number>;
}
