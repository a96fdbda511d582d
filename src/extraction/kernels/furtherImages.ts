/** The scatterers that one image has shown, in further images of them. */
import {
	type MapPosterior,
	MapSolver,
	type MapSystem,
} from "../../qpi/posterior/mapPosterior.ts";
import type { Covariance } from "../../qpi/posterior/prior.ts";
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import type { MapSolution } from "./sitedMap.ts";

/** Kernels of an image, and what they were found with. */
export type MapKernels = Omit<MapSolution, "u">;

/** What further images are solved with. */
export interface Further {
	/** Sites and weights. */
	readonly system: MapSystem;
	readonly sites: MapSolution["sites"];
	readonly size: number;
	/** What each image's lambda is found under. */
	readonly covariance: Covariance;
	/** The prior near the first answer C u; where there is none the first answer stays. */
	readonly near?: (u: MapPosterior["u"]) => Covariance;
	/** lambda grows by as much from the first answer on. */
	readonly growth: number;
	readonly colour: number;
}

/** Lanczos steps of a first answer that only a prior is made near, and of the one under that. */
const FEW = 24;
const ACCURACY = { tolerance: 0.03, steps: 32 };

/** Solves for one image after the other: the operator, and what is known of its spectrum, serve all of them. */
export class FurtherImages {
	readonly #shared: Further;
	readonly #solver: MapSolver;

	constructor(shared: Further) {
		this.#shared = shared;
		this.#solver = new MapSolver(shared.system, shared.covariance);
	}

	/** @param image [nx][ny], on the pixels of the first */
	async solve(image: ArrayLike<number>, many: ManySolver): Promise<MapKernels> {
		const { system, sites, size, covariance, near, growth, colour } =
			this.#shared;
		const rest = { system, sites, size, colour };
		const rough = this.#solver.solve(image, near && { steps: FEW });
		if (!near) return { ...rough, ...rest, covariance };
		const alike = near(rough.u);
		const lambda = growth * rough.lambda;
		const rights = [{ system, right: system.see(image).right }];
		const [kernels] = await many.solve(rights, alike, lambda, ACCURACY);
		return {
			...{ ...rest, kernels, lambda, covariance: alike, scale: rough.scale },
			sigma: Math.sqrt(colour) * rough.sigma,
			evidence: Number.NaN,
		};
	}
}
