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
