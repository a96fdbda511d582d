import { type Nd, nd } from "../opTesting.ts";
import { silu } from "./elementwise.ts";

export function groupNorm(
	x: Nd,
	gamma: Nd,
	beta: Nd,
	groups: number,
	activate: boolean,
	eps = 1e-5,
): Nd {
	const channels = gamma.data.length;
	const [batch] = x.shape;
	const pixels = x.data.length / batch / channels;
	const width = channels / groups;
	const y = nd(x.shape, () => 0);
	for (let b = 0; b < batch; b++)
		for (let g = 0; g < groups; g++) {
			const members: number[] = [];
			for (let p = 0; p < pixels; p++)
				for (let c = g * width; c < (g + 1) * width; c++)
					members.push((b * pixels + p) * channels + c);
			const mean =
				members.reduce((sum, i) => sum + x.data[i], 0) / members.length;
			const variance =
				members.reduce((sum, i) => sum + (x.data[i] - mean) ** 2, 0) /
				members.length;
			for (const i of members) {
				const z =
					((x.data[i] - mean) / Math.sqrt(variance + eps)) *
						gamma.data[i % channels] +
					beta.data[i % channels];
				y.data[i] = activate ? silu(z) : z;
			}
		}
	return y;
}

/** Over the last dimension. */
export function layerNorm(x: Nd, weight: Nd, bias: Nd, eps?: number): Nd {
	const columns = weight.data.length;
	const rows = { shape: [x.data.length / columns, columns], data: x.data };
	const y = groupNorm(rows, weight, bias, 1, false, eps);
	return { shape: x.shape, data: y.data };
}

/** x [..., C] by the statistics of its channels, or by given ones. */
export function batchNorm(
	x: Nd,
	weight: Nd,
	bias: Nd,
	mean?: Nd,
	variance?: Nd,
	eps = 1e-5,
): Nd {
	const channels = weight.data.length;
	const count = x.data.length / channels;
	const average = (value: (i: number) => number) =>
		nd([channels], (c) => {
			let sum = 0;
			for (let i = c; i < x.data.length; i += channels) sum += value(i);
			return sum / count;
		}).data;
	const centre = mean?.data ?? average((i) => x.data[i]);
	const spread =
		variance?.data ?? average((i) => (x.data[i] - centre[i % channels]) ** 2);
	return nd(x.shape, (i) => {
		const c = i % channels;
		const normal = (x.data[i] - centre[c]) / Math.sqrt(spread[c] + eps);
		return normal * weight.data[c] + bias.data[c];
	});
}
