import { checkNames } from "../basics/options.ts";
import { scope } from "../basics/scope.ts";
import { show } from "../basics/shape.ts";
import { batchNorm, channelStatistics } from "../ops/batchNorm.ts";
import { add, scale } from "../ops/elementwise.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { type GroupNormOptions, groupNorm } from "../ops/norm.ts";
import { noGrad } from "../tensors/autograd.ts";
import type { Tensor } from "../tensors/tensor.ts";
import * as init from "./init.ts";
import { checkSizes, type Layer } from "./layer.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameters.ts";

/** Ones and zeros, [channels] each: what normalisations begin with. */
class Affine extends Module {
	readonly weight: Parameter;
	readonly bias: Parameter;

	constructor(what: string, channels: number) {
		super();
		checkSizes(what, { channels });
		this.weight = new Parameter([channels], init.ones([channels]));
		this.bias = new Parameter([channels]);
	}
}

/** groupNorm(), with SiLU behind it where `activation` says so. */
export class GroupNorm extends Affine implements Layer {
	readonly options: GroupNormOptions;

	constructor(
		groups: number,
		channels: number,
		options: Omit<GroupNormOptions, "groups"> = {},
	) {
		super("GroupNorm", channels);
		checkNames("GroupNorm", options, ["eps", "activation"]);
		this.options = { ...options, groups };
	}

	forward(x: Tensor): Tensor {
		return groupNorm(x, this.weight, this.bias, this.options);
	}
}

/** layerNorm() over the last dimension, of `channels`. */
export class LayerNorm extends Affine implements Layer {
	readonly options: { readonly eps?: number };

	constructor(channels: number, options: { readonly eps?: number } = {}) {
		super("LayerNorm", channels);
		checkNames("LayerNorm", options, ["eps"]);
		this.options = options;
	}

	forward(x: Tensor): Tensor {
		return layerNorm(x, this.weight, this.bias, this.options);
	}
}

/**
 * batchNorm() of images. In training it takes the batch's own statistics, and moves the running ones towards them by `momentum`; after eval() it takes the running ones. These are part of
 * the state, by torch's names.
 */
export class BatchNorm2d extends Affine implements Layer {
	readonly running_mean: Buffer;
	readonly running_var: Buffer;
	readonly eps: number;
	readonly momentum: number;

	constructor(
		channels: number,
		options: { readonly eps?: number; readonly momentum?: number } = {},
	) {
		super("BatchNorm2d", channels);
		checkNames("BatchNorm2d", options, ["eps", "momentum"]);
		const { eps = 1e-5, momentum = 0.1 } = options;
		if (!(momentum >= 0 && momentum <= 1))
			throw new Error(
				`BatchNorm2d: momentum ${momentum}; expected a number from 0 to 1`,
			);
		this.eps = eps;
		this.momentum = momentum;
		this.running_mean = new Buffer([channels]);
		this.running_var = new Buffer([channels], init.ones([channels]));
	}

	forward(x: Tensor): Tensor {
		const { weight, bias, eps } = this;
		if (x.shape.length !== 4)
			throw new Error(
				`BatchNorm2d: x ${show(x.shape)}; expected images [B, H, W, C]`,
			);
		const running = { mean: this.running_mean, variance: this.running_var };
		if (!this.training) return batchNorm(x, weight, bias, { eps, running });
		const y = batchNorm(x, weight, bias, { eps });
		this.#follow(x);
		return y;
	}

	#follow(x: Tensor): void {
		const { gpu } = x;
		noGrad(gpu, () =>
			scope(gpu, () => {
				const { mean, variance } = channelStatistics(x);
				for (const [running, found] of [
					[this.running_mean, mean],
					[this.running_var, variance],
				]) {
					const kept = scale(running, 1 - this.momentum);
					gpu.copy(add(kept, scale(found, this.momentum)), running);
					if (!gpu.rehearsed) running.touch();
				}
			}),
		);
	}
}
