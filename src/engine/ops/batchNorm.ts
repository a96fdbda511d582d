import { checkNames } from "../basics/options.ts";
import { show } from "../basics/shape.ts";
import { noGrad } from "../tensors/autograd.ts";
import { checkTensors, type Tensor } from "../tensors/tensor.ts";
import { add, div, mul, scale, sqrt, sub } from "./elementwise.ts";
import { groupNorm } from "./norm.ts";
import { mean } from "./reduce.ts";
import { reshape } from "./reshape.ts";

/** Of each channel, [C]. */
export interface ChannelStatistics {
	readonly mean: Tensor;
	readonly variance: Tensor;
}

export interface BatchNormOptions {
	/** Added to the variance; default 1e-5, torch's. */
	readonly eps?: number;
	/** The statistics to use, as after a training; default: those of x. */
	readonly running?: ChannelStatistics;
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015): x [..., C], weight and bias [C] -> y of x's shape, y = (x - mean) / sqrt(variance + eps) * weight + bias, with mean and
 * (biased) variance of each channel over all that is before it, or the given ones. Throws where shapes do not fit.
 */
export function batchNorm(
	x: Tensor,
	weight: Tensor,
	bias: Tensor,
	options: BatchNormOptions = {},
): Tensor {
	checkNames("batchNorm", options, ["eps", "running"]);
	const { eps = 1e-5, running } = options;
	const vectors = { weight, bias, ...running };
	checkTensors("batchNorm", { x, ...vectors });
	const channels = x.shape.at(-1) ?? 0;
	if (
		x.shape.length < 2 ||
		Object.values(vectors).some(
			({ shape }) => shape.length !== 1 || shape[0] !== channels,
		)
	)
		throw new Error(
			`batchNorm: x ${show(x.shape)}, ${Object.entries(vectors)
				.map(([name, t]) => `${name} ${show(t.shape)}`)
				.join(", ")}; expected x [..., C] and the others [C]`,
		);
	if (!(eps > 0 && Number.isFinite(eps)))
		throw new Error(
			`batchNorm: x ${show(x.shape)}, eps ${eps}; expected a positive eps`,
		);
	if (running) {
		const factor = div(weight, sqrt(add(running.variance, eps)));
		return add(mul(sub(x, running.mean), factor), bias);
	}
	// One image of all pixels, each channel a group.
	const image = reshape(x, [1, x.size / channels, channels]);
	const y = groupNorm(image, weight, bias, { groups: channels, eps });
	return reshape(y, x.shape);
}

/** Mean and unbiased variance of each channel of x [..., C], for the running statistics of batchNorm(), as torch keeps them; no gradient. Throws on a single pixel. */
export function channelStatistics(x: Tensor): ChannelStatistics {
	checkTensors("channelStatistics", { x });
	const pixels = x.size / (x.shape.at(-1) ?? 1);
	if (x.shape.length < 2 || pixels < 2)
		throw new Error(
			`channelStatistics: x ${show(x.shape)}; expected [..., C] of two pixels or more`,
		);
	return noGrad(x.gpu, () => {
		const dim = [...x.shape.keys()].slice(0, -1);
		const centre = mean(x, { dim });
		const off = sub(x, centre);
		const variance = mean(mul(off, off), { dim });
		return { mean: centre, variance: scale(variance, pixels / (pixels - 1)) };
	});
}
