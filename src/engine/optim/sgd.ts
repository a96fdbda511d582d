import { lines } from "../device/dispatch.ts";
import type { Range } from "../layers/packs.ts";
import type { ParameterSource } from "../layers/parameters.ts";
import {
	checkNumber,
	type Group,
	Optimiser,
	type ParameterGroup,
} from "./optimiser.ts";

export interface SGDOptions {
	/** Learning rate. */
	readonly lr: number;
	/** The factor by which the last step goes on into this one; 0 by default. */
	readonly momentum?: number;
	/** weightDecay * weight is added to the gradient (L2 penalty); 0 by default. */
	readonly weightDecay?: number;
	/** Looks ahead by the momentum (Nesterov 1983, in the form of Sutskever et al. 2013); false by default. */
	readonly nesterov?: boolean;
}

const DEFAULTS = { momentum: 0, weightDecay: 0, nesterov: false };

/**
 * Stochastic gradient descent as torch has it, without dampening: g += weightDecay w; b = momentum b + g; w -= lr (nesterov ? g + momentum b : b). Frozen parameters and
 * such without a gradient stay as they are. Throws as Adam does, and on nesterov without a momentum.
 */
export class SGD extends Optimiser<SGDOptions> {
	constructor(
		params: ParameterSource | readonly ParameterGroup<SGDOptions>[],
		options: SGDOptions,
	) {
		super(params, options, {
			name: "SGD",
			defaults: DEFAULTS,
			moments: ["momentum"],
			check({ momentum, weightDecay, nesterov }) {
				checkNumber("SGD", "momentum", momentum);
				checkNumber("SGD", "weight decay", weightDecay);
				if (nesterov && momentum === 0)
					throw new Error("SGD: nesterov, momentum 0; expected a momentum");
			},
		});
	}

	protected override update(
		{ lr, options }: Group<SGDOptions>,
		range: Range,
		clip: number,
	): void {
		const { gpu } = this.parameters;
		const n = (range.end - range.first) / 4;
		gpu.run({
			shader: "sgd",
			entry: "step",
			bindings: { ...this.bindings(range), square: this.square },
			params: {
				n,
				clip,
				rate: lr,
				decay: options.weightDecay,
				momentum: options.momentum,
				nesterov: Number(options.nesterov),
			},
			workgroups: lines(gpu, n),
		});
	}
}
