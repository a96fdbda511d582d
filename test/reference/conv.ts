import { type Nd, nd } from "../opTesting.ts";

interface Window {
	stride: readonly [number, number];
	/** top, bottom, left, right */
	pad: readonly [number, number, number, number];
}

export function conv2d(x: Nd, w: Nd, { stride, pad }: Window): Nd {
	const [batch, height, width, channels] = x.shape;
	const [outChannels, kh, kw] = w.shape;
	const oh = Math.floor((height + pad[0] + pad[1] - kh) / stride[0]) + 1;
	const ow = Math.floor((width + pad[2] + pad[3] - kw) / stride[1]) + 1;
	const y = nd([batch, oh, ow, outChannels], () => 0);
	eachTap(batch, oh, ow, kh, kw, { stride, pad }, (b, i, j, ky, kx, h, v) => {
		if (h < 0 || h >= height || v < 0 || v >= width) return;
		for (let o = 0; o < outChannels; o++)
			for (let c = 0; c < channels; c++)
				y.data[((b * oh + i) * ow + j) * outChannels + o] +=
					x.data[((b * height + h) * width + v) * channels + c] *
					w.data[((o * kh + ky) * kw + kx) * channels + c];
	});
	return y;
}

export function convTranspose2d(x: Nd, w: Nd, { stride, pad }: Window): Nd {
	const [batch, height, width, inChannels] = x.shape;
	const [, kh, kw, channels] = w.shape;
	const oh = (height - 1) * stride[0] - pad[0] - pad[1] + kh;
	const ow = (width - 1) * stride[1] - pad[2] - pad[3] + kw;
	const y = nd([batch, oh, ow, channels], () => 0);
	eachTap(
		batch,
		height,
		width,
		kh,
		kw,
		{ stride, pad },
		(b, i, j, ky, kx, h, v) => {
			if (h < 0 || h >= oh || v < 0 || v >= ow) return;
			for (let o = 0; o < inChannels; o++)
				for (let c = 0; c < channels; c++)
					y.data[((b * oh + h) * ow + v) * channels + c] +=
						x.data[((b * height + i) * width + j) * inChannels + o] *
						w.data[((o * kh + ky) * kw + kx) * channels + c];
		},
	);
	return y;
}

/** Position (i, j) of the small image meets (h, v) of the large one at tap (ky, kx). */
function eachTap(
	batch: number,
	rows: number,
	columns: number,
	kh: number,
	kw: number,
	{ stride, pad }: Window,
	visit: (
		b: number,
		i: number,
		j: number,
		ky: number,
		kx: number,
		h: number,
		v: number,
	) => void,
): void {
	for (let b = 0; b < batch; b++)
		for (let i = 0; i < rows; i++)
			for (let j = 0; j < columns; j++)
				for (let ky = 0; ky < kh; ky++)
					for (let kx = 0; kx < kw; kx++)
						visit(
							b,
							i,
							j,
							ky,
							kx,
							i * stride[0] - pad[0] + ky,
							j * stride[1] - pad[2] + kx,
						);
}

/** Adds bias to the last dimension, then multiplies what is below zero by `slope`. */
export function finish(y: Nd, bias: Nd | undefined, slope: number): Nd {
	return nd(y.shape, (i) => {
		const z = y.data[i] + (bias ? bias.data[i % bias.data.length] : 0);
		return z > 0 ? z : slope * z;
	});
}

export function matmul(a: Nd, b: Nd): Nd {
	const [m, k] = a.shape;
	const n = b.shape[1];
	const y = nd([m, n], () => 0);
	for (let i = 0; i < m; i++)
		for (let j = 0; j < n; j++)
			for (let l = 0; l < k; l++)
				y.data[i * n + j] += a.data[i * k + l] * b.data[l * n + j];
	return y;
}

export function transpose(a: Nd): Nd {
	const [m, n] = a.shape;
	return nd([n, m], (i) => a.data[(i % m) * n + Math.floor(i / m)]);
}
