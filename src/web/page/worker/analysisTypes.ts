/** What page and worker tell each other of what is read from kernels and maps in Fourier space. */
import type { Field } from "../../../drawing/panels.ts";
import type { PeakShape } from "../../../extraction/findings/peakFit.ts";
import type { PointGroup } from "../../../extraction/findings/pointGroups.ts";
import type {
	Lattice,
	Pair,
	Vector,
} from "../../../extraction/lattice/lattice.ts";

/** What is asked of kernels besides; none of it changes them. */
export interface AnalysisChoice {
	/** Degrees from the x axis. */
	readonly cut?: readonly number[];
	readonly peakShape?: PeakShape;
	/** 1/Angstrom; true is q*. */
	readonly ring?: readonly number[] | true;
	readonly symmetrised?: readonly PointGroup[];
	/** For q in its units; the scan stays as it is (--no-calibrate). */
	readonly lattice?: Lattice;
}

/** A picture of an analysis that was asked for. */
export interface AnalysisPicture {
	readonly name: string;
	readonly title: string;
	readonly caption: string;
	/** On white. */
	readonly png: Blob;
	/** For a dark theme; results that an earlier version kept have none. */
	readonly dark?: Blob;
}

/** The lattice that spectra are drawn with. */
export interface ShownLattice {
	/** Reciprocal lattice vectors, 1/Angstrom. */
	readonly peaks: Pair;
	/** Those that the pixels show, of q and -q one. */
	readonly vectors: readonly (Vector & {
		readonly h: number;
		readonly k: number;
	})[];
	/** Corners of the first Brillouin zone. */
	readonly zone: readonly Vector[];
	/** Of the image that shows it. */
	readonly lattice: Lattice;
	/** Where it is from, for people. */
	readonly told: string;
	/** Whether people gave it; else it was only seen. */
	readonly given: boolean;
}

export interface MapFftWanted {
	/** Of `items`, which are the kinds of one image after the other. */
	readonly index: number;
	readonly items: number;
	readonly linear: boolean;
}

/** |FFT| of a measured map. */
export interface MapFft {
	/** Over the value that one pixel in a thousand exceeds; q = 0 is the middle pixel. */
	readonly field: Field;
	/** Or log10. */
	readonly linear: boolean;
	/** Window and zero padding. */
	readonly note: string;
	readonly lattice: ShownLattice | null;
}
