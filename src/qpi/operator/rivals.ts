/** Two trivial ways to a kernel that know only the training kernels: what a learned model must beat to have learned to extract. */

import { unitRms } from "../dataset/preprocess.ts";
import type { HalfSpectrum } from "../maths/realFft.ts";
import { ForwardOperator, type Position } from "./forward.ts";
import { dot, embed, removeMean } from "./ridge.ts";

/**
 * The mean of the training kernels, each at unit root mean square (the amplitude of a dI/dV pattern is arbitrary): blind to the image.
 * @throws when there are no kernels
 */
export function meanKernel(kernels: readonly Float32Array[]): Float32Array {
	if (kernels.length === 0)
		throw new Error("meanKernel: there are no kernels to average");
	const mean = new Float32Array(kernels[0].length);
	for (const kernel of kernels) {
		const { image } = unitRms(kernel);
		for (let i = 0; i < mean.length; i++) mean[i] += image[i] / kernels.length;
	}
	return mean;
}

/** The training kernel found for an image. */
export interface Nearest {
	/** Its place in the list. */
	readonly index: number;
	/** Factor of the kernel at the best fit; 0 when no kernel fits with a positive one. */
	readonly amplitude: number;
	/** Share of the image's variance that the fit explains. */
	readonly explained: number;
}

/**
 * The nearest training kernel by the observation: the one whose superposition at the known scatterers, with amplitude and offset fitted,
 * leaves the least residual, `min over i, a > 0, b of |Y - a A K_i - b|^2`. (This is the strong reading of "nearest"; the nearest observation would
 * need the same arrangement of scatterers.) A negative amplitude is no match: it would be another kernel.
 *
 * Kernels are taken as zero outside their 64 x 64 window. Their spectra are kept, so a search costs one pruned inverse transform a kernel.
 */
export class NearestKernel {
	readonly #spectra: readonly HalfSpectrum[];

	/** @throws when there are no kernels, or one is not 64 x 64 */
	constructor(kernels: readonly Float32Array[]) {
		if (kernels.length === 0)
			throw new Error("NearestKernel: there are no kernels to choose from");
		const operator = new ForwardOperator([]);
		this.#spectra = kernels.map((kernel) => operator.spectrum(embed(kernel)));
	}

	/** image (64 x 64) and where its scatterers are, in Angstrom. */
	find(image: ArrayLike<number>, scatterers: readonly Position[]): Nearest {
		const operator = new ForwardOperator(scatterers);
		const y = Float64Array.from(image);
		removeMean(y);
		const total = dot(y, y);
		let best: Nearest = { index: 0, amplitude: 0, explained: 0 };
		const fit = new Float64Array(y.length);
		this.#spectra.forEach((spectrum, index) => {
			removeMean(operator.applySpectrum(spectrum, fit));
			const power = dot(fit, fit);
			const overlap = dot(fit, y);
			// The share explained by the best a is <Y, AK>^2 / |Y|^2 |AK|^2.
			const explained = overlap ** 2 / (total * power);
			if (overlap > 0 && explained > best.explained)
				best = { index, amplitude: overlap / power, explained };
		});
		return best;
	}
}
