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
	/** The number of parts in which a batch is computed. Their gradients are added up, so that a step needs the memory of one part only. 1 by default. */
	readonly accumulate?: number;
	/** Decay of the weights' moving average (engine/optim/average.ts). If given, the average is validated, and it is the training's result. None by default. */
	readonly average?: number;
	/** Largest global norm of the gradient; null leaves it as it is. */
	readonly clip: number | null;
	/** Awaited before each epoch (counted from 0; `more`: another one follows), to fetch data that are new in every epoch. */
	begin?(epoch: number, more: boolean): Promise<void>;
	/**
	 * The loss (a scalar on the tape) of the given samples, as a mean over them. `random` is the step's own stream; `draw` is another number for each part of each
	 * step, and the step's own where there is one part.
	 */
	loss(samples: readonly number[], random: Random, draw: number): Tensor;
	/** The figure that tells whether what is learnt holds beyond the training samples. */
	validate(): Promise<number>;
}
