/** What the browser keeps of the files that are open. */
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import type { PackedWeights, Source } from "../basics/source.ts";
import type { FoundInImage } from "../marks/search.ts";
import type {
	Analysed,
	ExtractRequest,
	Outcome,
	SeriesSeat,
	ShownItem,
} from "../worker/extractTypes.ts";

/** What people did with a file. */
export interface WorkState {
	/** Of the image. */
	readonly settings: PrepareOptions;
	/** Of several energies, the number of the one that is shown; undefined: as the settings say. */
	readonly shown?: string;
	/** Of method, symmetry, window, seed, kinds: by the ids of their fields. */
	readonly choices: Readonly<Record<string, string>>;
	readonly scatterers: {
		readonly list: readonly DetectedScatterer[];
		readonly asFound: boolean;
	};
	readonly found?: FoundInImage;
}

/** Results, and what they were asked for with. */
export interface WorkResults {
	readonly request: ExtractRequest;
	readonly outcome: Outcome;
}

/** What was asked of those results since, and what that says. */
export interface WorkAnalysis {
	readonly request: ExtractRequest;
	readonly analysed: Analysed;
}

/** A file that is open, or a series of files. */
export interface OpenFile {
	readonly id: string;
	readonly name: string;
	/** Of one file: what a series would ask of it. */
	readonly seat?: SeriesSeat;
}

/** What there is of it. */
export interface KeptWork {
	readonly source: Source;
	readonly state?: WorkState;
	readonly results?: WorkResults;
}

/** Whether people have done something with it that they would not like to lose. */
export const isTouched = (kept: KeptWork | undefined): boolean =>
	kept !== undefined &&
	((kept.state !== undefined && !kept.state.scatterers.asFound) ||
		kept.results !== undefined ||
		kept.state?.settings.mask !== undefined);

/** Items of results are kept one by one, under a name of their own: to copy those of a hundred energies at once would hold up the page. */
interface KeptItems {
	readonly run: string;
	readonly count: number;
}

/** Results without their items; written when these have been. */
interface KeptOutcome {
	readonly request: ExtractRequest;
	readonly outcome: Omit<Outcome, "items">;
	readonly items: KeptItems;
}

/** Of the run of results that it names: of others it says nothing. */
type KeptAnalysis = WorkAnalysis & { readonly run: string };

/** What is kept: the list, and of each file itself, weights that came with it, the work on it, and its results. */
export type Kept = {
	files: { readonly list: readonly OpenFile[]; readonly current: string };
} & Record<`${string} file`, File | readonly File[]> &
	Record<`${string} weights`, PackedWeights> &
	Record<`${string} state`, WorkState> &
	Record<`${string} results`, KeptOutcome> &
	Record<`${string} coming`, KeptItems> &
	Record<`${string} item ${string}`, ShownItem> &
	Record<`${string} analysis`, KeptAnalysis>;

/** An entry of the store. */
export const entry = (
	{ id }: Pick<OpenFile, "id">,
	part:
		| "file"
		| "weights"
		| "state"
		| "results"
		| "analysis"
		| "coming"
		| `item ${string}`,
	value:
		| File
		| readonly File[]
		| PackedWeights
		| WorkState
		| KeptOutcome
		| KeptItems
		| ShownItem
		| KeptAnalysis
		| undefined,
): Partial<Kept> => ({ [`${id} ${part}`]: value }) as Partial<Kept>;
