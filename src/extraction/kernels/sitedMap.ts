import type { Site } from "../../qpi/operator/mapOperator.ts";
import type {
	MapPosterior,
	MapSystem,
} from "../../qpi/posterior/mapPosterior.ts";
import type { Covariance } from "../../qpi/posterior/prior.ts";

/** A map on its pixels and the sites of its scatterers. */
export interface SitedMap {
	/** [nx][ny], first index x; finite where it counts. */
	readonly image: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. */
	readonly pixel: number;
	/** What each pixel counts. */
	readonly weights: Float64Array;
	/** Order of the polynomials that are fitted along. */
	readonly order: number;
	readonly kinds: number;
	readonly sites: readonly Required<Site>[];
}

/** Kernels, and all that they were found with. */
export interface MapSolution extends MapPosterior {
	/** Pixels along a kernel's side. */
	readonly size: number;
	readonly covariance: Covariance;
	readonly system: MapSystem;
	readonly sites: readonly Required<Site>[];
	/** Pixels that err together, by which lambda and sigma^2 were widened; 1 where errors are white. */
	readonly colour: number;
}
