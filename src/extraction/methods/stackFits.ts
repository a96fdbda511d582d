/** The kernels of a stack's images by each method that is compared. */
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import { binned } from "../kernels/bin.ts";
import {
	type EnergyAmplitudes,
	energyAmplitudes,
	sitesAt,
} from "../kernels/energyAmplitudes.ts";
import type { Explained } from "../kernels/extraction.ts";
import type { FurtherImages, MapKernels } from "../kernels/furtherImages.ts";
import { HeldOut, inSample, OF_MANY } from "../kernels/heldOut.ts";
import type { MapSolution, SitedMap } from "../kernels/sitedMap.ts";

/** What a method has found in the image that shows the scatterers best, and what it takes to other images. */
export interface Reference {
	readonly found: MapSolution;
	/** @param sites those that were found when not given */
	again(sites?: MapSolution["sites"]): FurtherImages;
}

/** Of one image by one method. */
export interface Fitted {
	readonly fit: MapKernels;
	/** Without one part of the image each. */
	readonly groups: readonly Float64Array[];
	readonly explained: Explained;
}

/** Images that methods are compared on, and that are asked whether amplitudes change with energy. */
const ASKED = 12;

/** Amplitudes from kernels and kernels from amplitudes. */
const ROUNDS = 2;

/** Evenly spread places of a list of n, the first, the last and one more among them. */
export function askedOf(n: number, one: number): number[] {
	const count = Math.min(n, ASKED);
	const even = Array.from({ length: count }, (_, k) =>
		Math.round((k * (n - 1)) / Math.max(1, count - 1)),
	);
	return [...new Set([...even, one])].sort((a, b) => a - b);
}

/** Fits of images on binned pixels, each made when it is first asked for. */
export class StackFits {
	readonly #map: SitedMap;
	readonly #factor: number;
	readonly #window: number;
	readonly #solver: ManySolver;
	readonly #holdOut: boolean;
	readonly #many: boolean;
	readonly #reference: Reference;
	readonly #images: FurtherImages;
	readonly #parts: HeldOut | undefined;
	readonly #fits = new Map<ArrayLike<number>, Promise<Fitted>>();
	#amplitudes: EnergyAmplitudes | undefined;

	/** @param map of the reference image, at its own pixels @param window radius of the kernels, Angstrom */
	constructor(
		map: SitedMap,
		reference: Reference,
		options: {
			readonly factor: number;
			readonly window: number;
			readonly solver: ManySolver;
			readonly holdOut: boolean;
			/** Whether there are more images than this one. */
			readonly many: boolean;
		},
	) {
		this.#map = map;
		this.#factor = options.factor;
		this.#window = options.window;
		this.#solver = options.solver;
		this.#holdOut = options.holdOut;
		this.#many = options.many;
		this.#reference = reference;
		this.#images = reference.again();
		const { found } = reference;
		this.#parts = options.holdOut
			? new HeldOut(binned(map, options.factor), found, options.window)
			: undefined;
	}

	/** @param image at the map's own pixels */
	of(image: ArrayLike<number>): Promise<Fitted> {
		let fitted = this.#fits.get(image);
		if (!fitted) {
			fitted = this.#fit(image);
			this.#fits.set(image, fitted);
		}
		return fitted;
	}

	/** Whether amplitudes change with energy, by these images; from then on they do where they are to. */
	async askFor(
		images: readonly ArrayLike<number>[],
	): Promise<EnergyAmplitudes | undefined> {
		const seen = [];
		for (const image of images) {
			const { fit } = await this.of(image);
			if (fit.sigma > 0) seen.push({ map: this.#binned(image), fit });
		}
		if (seen.length < 2) return undefined;
		const asked = energyAmplitudes(seen);
		if (asked.byEnergy) {
			this.#amplitudes = asked;
			this.#fits.clear();
		}
		return asked;
	}

	#binned(image: ArrayLike<number>): SitedMap {
		return binned({ ...this.#map, image }, this.#factor);
	}

	async #fit(image: ArrayLike<number>): Promise<Fitted> {
		const map = this.#binned(image);
		const { found } = this.#reference;
		let fit: MapKernels =
			image === this.#map.image
				? found
				: await this.#images.solve(map.image, this.#solver);
		let parts = this.#parts;
		if (this.#amplitudes && fit.sigma > 0) {
			for (let round = 0; round < ROUNDS; round++) {
				const sites = sitesAt({ map, fit }, this.#amplitudes, found.sites);
				fit = await this.#reference.again(sites).solve(map.image, this.#solver);
			}
			if (this.#holdOut) parts = new HeldOut(map, fit, this.#window);
		}
		const left = await parts?.judge(
			map.image,
			fit,
			this.#solver,
			this.#many ? OF_MANY : undefined,
		);
		return {
			// What is large is kept of the reference alone.
			fit: { ...fit, covariance: found.covariance },
			groups: left?.kernels ?? [],
			explained: {
				heldOut: left?.share ?? null,
				inSample: inSample(map, fit),
			},
		};
	}
}
