/** What a search works on, and what it tells. */
import type { SitedMap } from "../kernels/sitedMap.ts";
import type { Seen } from "./deconvolve.ts";
import type { Completed } from "./look.ts";

/** A map that is searched: binned, clipped where it stands out too far. */
export interface Searched {
	readonly map: SitedMap;
	readonly seen: Seen;
	/** Pixels along the side of kernels, and of seeds. */
	readonly size: number;
	readonly seedReach: number;
	/** Of a pixel, standard deviation. */
	readonly white: number;
	readonly signed: boolean;
	/** Whether there may well be nothing, so that little is tried. */
	readonly doubtful?: boolean;
}

/** What is being done, the kernel that grows, and the marks so far. */
export type Report = (
	what: string,
	kernel?: { readonly kernel: Float64Array; readonly size: number },
	sites?: Completed["map"]["sites"],
) => Promise<void>;
