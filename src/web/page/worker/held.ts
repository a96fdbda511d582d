/** What the worker of the extraction holds of the file that is open. */
import type { Extraction } from "../../../extraction/methods/extract.ts";
import type { ResultOptions } from "../../../extraction/results/files.ts";
import type { Input } from "../../../extraction/results/input.ts";
import type { Analysis } from "../../../extraction/results/items.ts";
import type { Preparation } from "../../../extraction/results/measured.ts";
import {
	type SeenLattice,
	seenLattices,
} from "../../../extraction/results/seenLattice.ts";
import type { Taken } from "../../../extraction/results/take.ts";
import { type ArrayLayout, arrange } from "../../../formats/axes.ts";
import type { PackedWeights } from "../basics/source.ts";
import type { AnalysisChoice } from "./analysisTypes.ts";
import type { OpenSource } from "./openSource.ts";

/** What is asked of it by a getter has to be there: else that throws. */
export class Held {
	/** The files that are open, and what was read of them. */
	source: OpenSource;
	/** Those that came with them. */
	readonly weights: PackedWeights | undefined;
	/** How the indices of its arrays are taken. */
	layout: ArrayLayout = {};
	/** The images of a measurement. */
	preparation: Preparation | undefined;
	/** Those of a file of the published dataset. */
	dataset: Taken | undefined;
	/** What the last extraction found, to take another method's kernels from. */
	fits:
		| {
				readonly taken: Taken;
				readonly extractions: readonly Extraction[];
				readonly about: ResultOptions["about"];
		  }
		| undefined;
	/** Of the last extraction, without what was asked for besides. */
	base: { readonly analysis: Analysis; readonly lattice: string } | undefined;
	/** What was asked for besides, and what it gave. */
	choice: AnalysisChoice = {};
	analysis: Analysis | undefined;
	options: ResultOptions | undefined;
	/** The images with what was asked of the lattice last. */
	latticed:
		| { readonly key: string; readonly preparation: Preparation }
		| undefined;
	#seen: readonly SeenLattice[] | undefined;

	constructor(source: OpenSource, weights?: PackedWeights) {
		this.source = source;
		this.weights = weights;
	}

	/** What was read. */
	get input(): Input {
		return this.source.input;
	}

	/** The same, of a measurement. */
	get measured() {
		return { ...this.input, measurement: needed(this.input.measurement) };
	}

	get images(): Preparation {
		return needed(this.preparation);
	}

	/** The lattices that its images show, strongest first: none in a file of the dataset. */
	get lattices(): readonly SeenLattice[] {
		const { measurement, file } = this.input;
		this.#seen ??= measurement
			? seenLattices(arrange(measurement, this.layout, file), file)
			: [];
		return this.#seen;
	}

	arranged(layout: ArrayLayout): void {
		[this.layout, this.#seen] = [layout, undefined];
	}
}

let held: Held | undefined;

/** A file that is opened begins anew. */
export function hold(source: OpenSource, weights?: PackedWeights): Held {
	held = new Held(source, weights);
	return held;
}

export const current = (): Held => needed(held);

export function needed<T>(value: T | undefined): T {
	if (value === undefined)
		throw new Error(
			"the worker was started anew and has to open the file first",
		);
	return value;
}
