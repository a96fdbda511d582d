/** What the networks are shown of an observation: channels last, [ix][iy][channel], 64 x 64 pixels. */

import {
	activationMap,
	minMax,
	standardise,
	unitRms,
} from "../dataset/preprocess.ts";
import { ForwardOperator, type Position, pixelOf } from "./forward.ts";
import { centre, ridge } from "./ridge.ts";

export type InputKind = "physics" | "centred" | "paper";

/** Channels of each form of input, and which of them already is an image of the kernel. */
export const INPUTS: Readonly<
	Record<
		InputKind,
		{ readonly channels: number; readonly kernelChannel: number | null }
	>
> = {
	physics: { channels: 5, kernelChannel: 4 },
	centred: { channels: 3, kernelChannel: 2 },
	paper: { channels: 2, kernelChannel: null },
};

/** Activation map and overlap are sparse; drawn out by this their peaks are of order one, their RMS 0.1 to 0.4. */
export const GAIN = 8;

/**
 * Five channels in which the search for the scatterers is already done; all but the first two are centred on the kernel, at the
 * kernel image's pixels. Each is of order one:
 *
 * 0. Y, mean zero, standard deviation one;
 * 1. M, bilinear at subpixel positions, times 8;
 * 2. backprojection `A^T Y / count` of that Y: the mean over the scatterers of what surrounds them, count being how many have a
 *    pixel of the image at that lag (at least 1);
 * 3. overlap `A^T M / n`, the backprojection's point-spread function, times 8;
 * 4. the ridge kernel, stopped after 12 steps at lambda 1, to unit root mean square: like targets of unit RMS, zero staying zero.
 *
 * `scale` is the RMS taken from channel 4, in the image's own units: channel * scale is the ridge kernel.
 * An image without contrast or scatterers gives zeros in the channels that follow from it.
 *
 * @throws RangeError when the image holds a value that is not finite
 */
export function physicsInputs(
	image: ArrayLike<number>,
	scatterers: readonly Position[],
): { inputs: Float32Array; scale: number } {
	const operator = new ForwardOperator(scatterers);
	const y = standardise(image);
	const map = activationMap(scatterers, "bilinear");
	const back = centre(operator.adjoint(Float64Array.from(y.image)));
	const count = coverage(operator);
	const overlap = centre(operator.adjoint(Float64Array.from(map)));
	const n = Math.max(1, operator.scatterers.length);
	const kernel = unitRms(centre(ridge(operator, y.image).kernel));
	const inputs = interleave([
		y.image,
		map.map((v) => v * GAIN),
		back.map((v, i) => v / Math.max(1, count[i])),
		overlap.map((v) => (v / n) * GAIN),
		kernel.image,
	]);
	return { inputs, scale: kernel.rms * y.std };
}

/**
 * Those of the physics inputs that are images of the kernel's window, whatever the size of the image and the number of scatterers:
 * backprojection, overlap and ridge kernel (channels 2 to 4 of physicsInputs()).
 *
 * @throws RangeError when the image holds a value that is not finite
 */
export function centredInputs(
	image: ArrayLike<number>,
	scatterers: readonly Position[],
): Float32Array {
	const { inputs } = physicsInputs(image, scatterers);
	const { channels } = INPUTS.physics;
	return inputs.filter((_, i) => i % channels >= 2);
}

/**
 * The reference's two channels: Y from 0 to 1 by its own minimum and maximum, and the binary activation map, here of the whole
 * field (the reference leaves out scatterers beyond 100 A).
 * @throws RangeError when the image holds a value that is not finite
 */
export function paperInputs(
	image: ArrayLike<number>,
	scatterers: readonly Position[],
): Float32Array {
	return interleave([minMax(image), activationMap(scatterers, "paper")]);
}

/** The inputs of a kind, [64][64][channels], of an image of 64 x 64 pixels. @throws RangeError when the image holds a value that is not finite */
export function inputsOf(
	kind: InputKind,
	image: ArrayLike<number>,
	scatterers: readonly Position[],
): Float32Array {
	if (kind === "paper") return paperInputs(image, scatterers);
	return kind === "centred"
		? centredInputs(image, scatterers)
		: physicsInputs(image, scatterers).inputs;
}

/** For each pixel of the kernel image, the (weighted) number of scatterers whose surroundings at that lag are inside the image. */
function coverage({
	scatterers,
	weights,
	size,
}: ForwardOperator): Float32Array {
	const count = new Float32Array(size * size);
	const inside = (coordinate: number) =>
		Array.from({ length: size }, (_, i) => {
			const pixel = pixelOf(coordinate, size) + i - (size - 1) / 2;
			return pixel >= -0.5 && pixel <= size - 0.5;
		});
	scatterers.forEach(({ x, y }, j) => {
		const column = inside(y);
		inside(x).forEach((row, ix) => {
			if (!row) return;
			for (let iy = 0; iy < size; iy++)
				if (column[iy]) count[ix * size + iy] += weights[j];
		});
	});
	return count;
}

function interleave(channels: Float32Array[]): Float32Array {
	const c = channels.length;
	const out = new Float32Array(c * channels[0].length);
	channels.forEach((channel, k) => {
		for (let i = 0; i < channel.length; i++) out[i * c + k] = channel[i];
	});
	return out;
}
