/** What page and worker of the extraction tell each other. */

import type { Field } from "../../../drawing/panels.ts";
import type { BlindTurn } from "../../../extraction/blind/blind.ts";
import type { Peak } from "../../../extraction/findings/spectrum.ts";
import type { Distortion } from "../../../extraction/lattice/drift.ts";
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import type {
	Explained,
	ExtractOptions,
} from "../../../extraction/methods/extract.ts";
import type {
	FindOptions,
	Found,
} from "../../../extraction/results/findScatterers.ts";
import type { Series } from "../../../extraction/results/input.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import type { Rectangle } from "../../../extraction/scan/resample.ts";
import type { Axes } from "../../../formats/axes.ts";
import type { Progress } from "../../rpc.ts";
import type { PackedWeights } from "../basics/source.ts";
import type { AnalysisChoice, AnalysisPicture } from "./analysisTypes.ts";
import type { LatticeRow } from "./latticeTold.ts";

/** What a series would ask of a file: its bias and size, or why it can be no part of one. */
export interface SeriesSeat {
	/** eV */
	readonly energy?: number;
	/** Pixels and their size, in words. */
	readonly sides?: string;
	readonly why?: string;
}

/** What a file, or a series of files, holds. */
export interface Opened {
	readonly format: string;
	readonly nx: number;
	readonly ny: number;
	/** Angstrom; undefined when the file does not say. */
	readonly size?: { readonly x: number; readonly y: number };
	readonly channels: readonly {
		readonly name: string;
		readonly unit: string;
		/** How many there are. */
		readonly images: number;
		/** eV, one an image; empty where the file does not say. */
		readonly energies: readonly number[];
	}[];
	/** Of the channels, the one that is taken unless another is asked for. */
	readonly chosen: string;
	/** A file of the dataset's format, which says where its scatterers are. */
	readonly dataset: boolean;
	/** How its numbers were taken for pixels, where that is a question. */
	readonly layout?: string;
	/** What an array's indices can be, the usual first; none of a file that says it itself. */
	readonly axes: readonly Axes[];
	/** That it is one of this program's own results, to be looked at. */
	readonly own?: string;
	/** That it is several files, and where each map was. */
	readonly series?: Series;
	/** Of one file: what a series would ask of it. */
	readonly seat?: SeriesSeat;
	/** What else its header says, for people. */
	readonly details: readonly (readonly [string, string])[];
}

/** How places of the scan move in the corrected picture. */
export type Moves = Pick<Distortion, "matrix" | "field">;

/** The images as they are extracted from. */
export interface PreparedImages {
	readonly labels: readonly string[];
	/** The rectangle that is extracted from, in the picture's frame: its middle and sides, Angstrom. */
	readonly area: Rectangle;
	/** Where the scan was corrected by its lattice: the picture's frame is another than the scan's. */
	readonly moves?: Moves;
	/** What was found of the lattice, and done by it. */
	readonly lattice?: readonly LatticeRow[];
	readonly unit: string;
	readonly told: readonly string[];
	readonly warnings: readonly string[];
	/** Of a dataset's file, of each image. */
	readonly scatterers?: readonly (readonly DetectedScatterer[])[];
}

/** An image before its size is known, in pixels. */
export interface Pixels extends ShownImage {
	readonly label: string;
	readonly unit: string;
}

/** A prepared image as it is shown. */
export interface ShownImage {
	/** At most 2048 pixels a side. */
	readonly field: Field;
	/** Of its values, for the colours. */
	readonly range: readonly [number, number];
}

/** What a session holds. */
export interface Unpacked {
	/** Several are a series. */
	readonly files: readonly File[];
	readonly settings: PrepareOptions;
	/** Values of fields of what is chosen beside the image, by their ids. */
	readonly choices: Readonly<Record<string, string>>;
	/** Undefined where they are to be looked for. */
	readonly scatterers?: readonly DetectedScatterer[];
	/** Undefined where they are the shipped ones. */
	readonly weights?: PackedWeights;
}

/** Progress of a search. */
export interface Turn extends Progress {
	readonly turn: BlindTurn;
}

/** What a search found, and what it was given. */
export interface FoundWith {
	readonly options: FindOptions;
	readonly result: Found;
}

export interface ExtractRequest {
	/** Those of prepare(). */
	readonly settings: PrepareOptions;
	/** As edited, in the scan's own frame; null: those of `found`, or a dataset's own. */
	readonly scatterers: readonly DetectedScatterer[] | null;
	/** What was found, where nothing was edited since. */
	readonly found: FoundWith | null;
	/** A key of METHODS. */
	readonly method: string;
	/** Radius of the kernels, Angstrom. */
	readonly window?: number;
	readonly symmetry?: ExtractOptions["symmetry"];
	readonly seed: number;
	/** Undefined where nothing is asked for. */
	readonly analysis?: AnalysisChoice;
	/** The stamp of weights that were trained here or came with the file, and their folder; the shipped ones when not given. */
	readonly weights?: { readonly stamp: string; readonly folder: string };
}

/** One kernel, for the views, in the image's unit. */
export interface ShownItem {
	readonly label: string;
	readonly method: string;
	/** Pixels along the side of kernel and uncertainty; of the others along x and y. */
	readonly size: number;
	readonly nx: number;
	readonly ny: number;
	readonly kernel: Float32Array;
	readonly uncertainty: Float32Array;
	/** NaN where not used. */
	readonly image: Float32Array;
	readonly model: Float32Array;
	readonly residual: Float32Array;
	/** Of the image; and how far from it the colours of all three reach. */
	readonly median: number;
	readonly limit: number;
	readonly spectrum: {
		readonly magnitude: Float32Array;
		readonly size: number;
		readonly step: number;
	};
	readonly q: Peak | null;
	readonly findings: readonly string[];
	readonly explained: readonly (Explained & {
		readonly name: string;
		readonly chosen: boolean;
	})[];
	/** Of the scatterers, in the scan's frame. */
	readonly places: readonly { readonly x: number; readonly y: number }[];
	/** What the image says of each, and what it has besides. */
	readonly marks?: readonly {
		readonly x: number;
		readonly y: number;
		/** Of its amplitude, standard deviations. */
		readonly significance?: number;
		/** Whether there is nothing like the kernel. */
		readonly empty: boolean;
	}[];
	readonly missed?: readonly { readonly x: number; readonly y: number }[];
}

/** PNGs of charts of a kernel. */
export interface Charts {
	readonly profile: Blob;
	/** Where there are several energies. */
	readonly dispersion: Blob | null;
}

export interface Outcome {
	/** Of all files of the results but result.json. */
	readonly names: readonly string[];
	readonly items: readonly ShownItem[];
	/** Of the items, the one that is explained best. */
	readonly shown: number;
	/** Angstrom a pixel. */
	readonly spacing: number;
	readonly centre: { readonly x: number; readonly y: number };
	readonly unit: string;
	readonly warnings: readonly string[];
	/** Keys of METHODS that another kernel can be had by without new fits. */
	readonly methods: readonly string[];
	/** What does the same on the command line. */
	readonly command: string;
	/** The file that was extracted from. */
	readonly file: string;
	/** Of a series, how many files. */
	readonly files?: number;
	/** PNG of q(E), where there are several energies. */
	readonly dispersion: Blob | null;
	/** Of what was asked for besides, and what that says. */
	readonly pictures?: readonly AnalysisPicture[];
	readonly told?: readonly string[];
	/** What ran. */
	readonly adapter: string | null;
}

/** What an analysis says anew of kernels that are there. */
export interface Analysed
	extends Pick<
		Outcome,
		"names" | "command" | "warnings" | "pictures" | "told" | "dispersion"
	> {
	/** Of each item. */
	readonly findings: readonly (readonly string[])[];
}

export type LayerName = "model" | "residual";

/** A layer as the worker makes it: at the picture's resolution, with its range. */
export interface LayerRequest {
	readonly name: LayerName;
	readonly image: ArrayLike<number>;
	readonly values: Float32Array;
	readonly nx: number;
	readonly ny: number;
	readonly spacing: number;
	readonly centre: { readonly x: number; readonly y: number };
}
