/** What a run leaves behind for its report. */
import type { Metrics } from "../metrics.ts";

/** The pictures, in the order of the report; also the stems of their files. */
export type FigureName =
	| "comparison"
	| "curves"
	| "losses"
	| "latents"
	| "kernels";

export interface Figure {
	name: FigureName;
	png: Uint8Array;
	/** In place of the usual caption. */
	caption?: string;
}

export interface RunSummary {
	title: string;
	metrics: Metrics;
	/** Further rows of the table of parameters, in order. */
	parameters?: readonly (readonly [name: string, value: string | number])[];
	figures: readonly Figure[];
	/** The command line that does the run again. */
	command: string;
}
