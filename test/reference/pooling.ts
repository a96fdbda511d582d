import { type Nd, nd } from "../opTesting.ts";
import { placeOf } from "./broadcast.ts";

export interface Windows {
	readonly kernel: readonly [number, number];
	readonly stride: readonly [number, number];
	readonly padding: readonly [number, number];
}

/** `join` of what each window of x [B, H, W, C] holds of the image. */
export function pool(
	x: Nd,
	{ kernel, stride, padding }: Windows,
	join: (values: number[]) => number,
): Nd {
	const [b, h, w, c] = x.shape;
	const [oh, ow] = [h, w].map(
		(n, d) => Math.floor((n + 2 * padding[d] - kernel[d]) / stride[d]) + 1,
	);
	const shape = [b, oh, ow, c];
	return nd(shape, (at) => {
		const [image, i, j, k] = placeOf(at, shape);
		const values: number[] = [];
		for (let ky = 0; ky < kernel[0]; ky++)
			for (let kx = 0; kx < kernel[1]; kx++) {
				const r = i * stride[0] + ky - padding[0];
				const q = j * stride[1] + kx - padding[1];
				if (r >= 0 && r < h && q >= 0 && q < w)
					values.push(x.data[((image * h + r) * w + q) * c + k]);
			}
		return join(values);
	});
}
