/** How the kernels of a map are extracted, and with what. */

import type {
	NetworkMethod,
	Networks,
} from "../../models/trained/trainedNetworks.ts";
import type { KernelPrior } from "../../qpi/posterior/prior.ts";
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import type { TellPart } from "../kernels/stopwatch.ts";

export type MapMethod = "ridge" | "refined" | NetworkMethod;

/** What was learned beforehand: the prior for refined, networks of centred inputs for the two network methods. */
export interface LearnedForMaps {
	readonly prior?: KernelPrior;
	readonly networks?: Networks;
}

export interface MapOptions {
	/** "auto" takes the one that explains most of the held-out pixels, of a stack for all of it by some of its images. */
	readonly method?: MapMethod | "auto";
	/** Radius of the kernels, Angstrom; where they sink into the noise when not given. */
	readonly window?: number;
	/** Averages the kernels over rotations by 360/n degrees. */
	readonly symmetry?: 1 | 2 | 3 | 4 | 6;
	/** Whether refined may move the scatterers and change their amplitudes, where the evidence pays for it; it may when not given. */
	readonly adjust?: boolean;
	/** Whether to find what is explained of held-out pixels, and the jackknife; "auto" needs it. */
	readonly holdOut?: boolean;
	/** Posterior samples; 16 when not given. */
	readonly samples?: number;
	readonly seed?: number;
	/** What solves many right-hand sides at once; one after another on this thread when not given. */
	readonly solver?: ManySolver;
	readonly onProgress?: TellPart;
}
