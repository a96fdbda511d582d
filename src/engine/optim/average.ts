import { lines } from "../device/dispatch.ts";
import { Packed } from "../layers/packs.ts";
import type { Parameters } from "../layers/parameters.ts";

/**
 * The exponential moving average of a network's parameters (Polyak and Juditsky 1992 for the averaging; the form is TensorFlow's
 * tf.train.ExponentialMovingAverage with `num_updates`): after step t, `average += (1 - d) (value - average)` with `d = min(decay, (1 + t) / (10 + t))`, so that
 * the first steps, far from where the training ends, are soon forgotten. It begins with the parameters as they are. Stays on the device, 4 bytes a weight.
 */
export class Average {
	readonly parameters: Parameters;
	readonly decay: number;
	/** To be saved and loaded; as long as exchange() is not in force. */
	readonly values: Packed;

	/** Throws on a decay that is not from 0 to below 1. */
	constructor(parameters: Parameters, decay: number) {
		if (!(decay >= 0 && decay < 1))
			throw new Error(`Average: decay ${decay}; expected 0 <= decay < 1`);
		const { gpu, values } = parameters;
		this.parameters = parameters;
		this.decay = decay;
		this.values = new Packed(gpu, values.layout);
		this.restart();
	}

	/** Forgets the past: the average is what the parameters are. */
	restart(): void {
		const { gpu, values } = this.parameters;
		values.packs.forEach((pack, i) => {
			gpu.copy(pack, this.values.packs[i]);
		});
		this.values.touch();
	}

	/** Takes in the parameters as they are after the given number of steps. */
	update(steps: number): void {
		const take = 1 - Math.min(this.decay, (1 + steps) / (10 + steps));
		this.#run("average", "x", "y", take);
		this.values.touch();
	}

	/** Swaps parameters and average: after the first call the network computes with its average, after the second it is as before. */
	exchange(): void {
		this.#run("exchange", "z", "y", 0);
		this.values.touch();
		this.parameters.values.touch();
	}

	dispose(): void {
		this.values.dispose();
	}

	#run(entry: string, value: string, average: string, take: number): void {
		const { gpu, values } = this.parameters;
		values.packs.forEach((pack, i) => {
			const n = pack.size / 4;
			gpu.run({
				shader: "packs",
				entry,
				bindings: { [value]: pack, [average]: this.values.packs[i] },
				params: { n, first: 0, take },
				workgroups: lines(gpu, n),
			});
		});
	}
}
