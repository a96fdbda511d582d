/** Single elements of a convolution and of its gradients, summed in float64. */
import type { ConvGeometry } from "../../src/engine/ops/convFamily.ts";
import type { Given } from "./check.ts";

type Data = Float64Array;

/** Of y, without gradient, else of the gradient to x (0) or to w (1). */
export function convElement(
	g: ConvGeometry,
	{ inputs: [x, w], dy }: Given,
	of: number,
	i: number,
): number {
	if (!dy) return elementOfY(g, x.data, w.data, i);
	return of === 0
		? elementOfX(g, dy.data, w.data, i)
		: elementOfW(g, x.data, dy.data, i);
}

/** One element of y, summed in float64. */
function elementOfY(g: ConvGeometry, x: Data, w: Data, index: number): number {
	const o = index % g.outChannels;
	const pixel = Math.floor(index / g.outChannels);
	let sum = 0;
	for (let ky = 0; ky < g.kernel[0]; ky++)
		for (let kx = 0; kx < g.kernel[1]; kx++) {
			const at = meet(g, pixel, ky, kx);
			if (at < 0) continue;
			for (let c = 0; c < g.channels; c++)
				sum +=
					x[at * g.channels + c] *
					w[((o * g.kernel[0] + ky) * g.kernel[1] + kx) * g.channels + c];
		}
	return sum;
}

function elementOfX(g: ConvGeometry, y: Data, w: Data, index: number): number {
	const c = index % g.channels;
	const place = Math.floor(index / g.channels);
	const image = g.outSize[0] * g.outSize[1];
	const b = Math.floor(place / (g.size[0] * g.size[1]));
	let sum = 0;
	for (let pixel = b * image; pixel < (b + 1) * image; pixel++)
		for (let ky = 0; ky < g.kernel[0]; ky++)
			for (let kx = 0; kx < g.kernel[1]; kx++) {
				if (meet(g, pixel, ky, kx) !== place) continue;
				for (let o = 0; o < g.outChannels; o++)
					sum +=
						y[pixel * g.outChannels + o] *
						w[((o * g.kernel[0] + ky) * g.kernel[1] + kx) * g.channels + c];
			}
	return sum;
}

function elementOfW(g: ConvGeometry, x: Data, y: Data, index: number): number {
	const c = index % g.channels;
	const kx = Math.floor(index / g.channels) % g.kernel[1];
	const ky = Math.floor(index / g.channels / g.kernel[1]) % g.kernel[0];
	const o = Math.floor(index / g.channels / g.kernel[1] / g.kernel[0]);
	let sum = 0;
	for (let pixel = 0; pixel < g.batch * g.outSize[0] * g.outSize[1]; pixel++) {
		const at = meet(g, pixel, ky, kx);
		if (at >= 0) sum += x[at * g.channels + c] * y[pixel * g.outChannels + o];
	}
	return sum;
}

/** The pixel of x that pixel (b, i, j) of y reads at a tap; -1 in the padding. */
function meet(g: ConvGeometry, pixel: number, ky: number, kx: number): number {
	const j = pixel % g.outSize[1];
	const i = Math.floor(pixel / g.outSize[1]) % g.outSize[0];
	const b = Math.floor(pixel / g.outSize[1] / g.outSize[0]);
	const h = i * g.stride[0] + ky - g.pad[0];
	const v = j * g.stride[1] + kx - g.pad[1];
	if (h < 0 || h >= g.size[0] || v < 0 || v >= g.size[1]) return -1;
	return (b * g.size[0] + h) * g.size[1] + v;
}
