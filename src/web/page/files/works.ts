/** The files that are open, and the work on each: kept in the browser, so that neither a reload nor another file loses it. */
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import { openStore, type Store } from "../../store.ts";
import { byId, make } from "../basics/dom.ts";
import { type PackedWeights, type Source, sourceOf } from "../basics/source.ts";
import type { FoundInImage } from "../marks/search.ts";
import type {
	Analysed,
	ExtractRequest,
	Outcome,
	SeriesSeat,
	ShownItem,
} from "../worker/extractTypes.ts";
import { withAnalysed } from "./withAnalysed.ts";

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
interface KeptResults {
	readonly request: ExtractRequest;
	readonly outcome: Omit<Outcome, "items">;
	readonly items: KeptItems;
}

/** @param run the results that it is of */
type KeptAnalysis = WorkAnalysis & { readonly run: string };

/** What is kept: the list, and of each file itself, weights that came with it, the work on it, and its results. */
type Kept = {
	files: { readonly list: readonly OpenFile[]; readonly current: string };
} & Record<`${string} file`, File | readonly File[]> &
	Record<`${string} weights`, PackedWeights> &
	Record<`${string} state`, WorkState> &
	Record<`${string} results`, KeptResults> &
	Record<`${string} coming`, KeptItems> &
	Record<`${string} item ${string}`, ShownItem> &
	Record<`${string} analysis`, KeptAnalysis>;

/** Changes are written when nothing has changed for so long, milliseconds. */
const CALM = 300;

export class Works {
	#list: readonly OpenFile[] = [];
	#current: OpenFile | undefined;
	#store: Store<Kept> | null = null;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#unwritten: (() => WorkState) | undefined;
	/** The run of results that each file has, and when they are kept. */
	readonly #keeping = new WeakMap<
		OpenFile,
		{ readonly run: string; readonly done?: Promise<void> }
	>();
	readonly #choose: (file: OpenFile) => void;
	readonly #close: (file: OpenFile) => void;

	/** @param choose is told which file is wanted; @param close which is no longer */
	constructor(
		choose: (file: OpenFile) => void,
		close: (file: OpenFile) => void,
	) {
		this.#choose = choose;
		this.#close = close;
		// A tab may go without notice once it is hidden.
		document.addEventListener("visibilitychange", () => this.flush());
		addEventListener("pagehide", () => this.flush());
	}

	get current(): OpenFile | undefined {
		return this.#current;
	}

	get list(): readonly OpenFile[] {
		return this.#list;
	}

	/** What was open when the page was left last. */
	async begin(): Promise<OpenFile | undefined> {
		await this.#keep(async () => {
			this.#store = await openStore<Kept>(
				"qpi-lens-work",
				"the work on this file",
			);
			const kept = await this.#store.get("files");
			this.#list = kept?.list ?? [];
			this.#current = this.#list.find(({ id }) => id === kept?.current);
		});
		this.#show();
		return this.#current;
	}

	/** The file, the work on it, and its results; undefined where they are lost. */
	async read(wanted: OpenFile): Promise<KeptWork | undefined> {
		const { id } = wanted;
		const store = this.#store;
		await this.#keeping.get(wanted)?.done;
		const file = await store?.get(`${id} file`);
		return (
			file && {
				source: sourceOf([file].flat(), await store?.get(`${id} weights`)),
				state: await store?.get(`${id} state`),
				results: await this.#results(wanted),
			}
		);
	}

	/** Undefined where there are none. */
	async #results(file: OpenFile): Promise<WorkResults | undefined> {
		const { id } = file;
		const kept = await this.#store?.get(`${id} results`);
		// An earlier version kept them otherwise.
		if (!kept?.items.run) return undefined;
		const { run, count } = kept.items;
		const items: ShownItem[] = [];
		for (let i = 0; i < count; i++) {
			const item = await this.#store?.get(`${id} item ${run} ${i}`);
			if (!item) return undefined;
			items.push(item);
		}
		// Others may have come meanwhile.
		if (!this.#keeping.has(file)) this.#keeping.set(file, { run });
		const results = {
			request: kept.request,
			outcome: { ...kept.outcome, items },
		};
		const analysis = await this.#store?.get(`${id} analysis`);
		return analysis?.run === run ? asked(results, analysis) : results;
	}

	/** What takes the items of a file's results away, or of those that were coming. */
	async #without(
		id: string,
		what: "results" | "coming",
	): Promise<Partial<Kept>> {
		const store = this.#store;
		const { run, count = 0 } =
			(what === "results"
				? (await store?.get(`${id} results`))?.items
				: await store?.get(`${id} coming`)) ?? {};
		return Object.assign(
			entry({ id }, what, undefined),
			...Array.from({ length: count }, (_, i) =>
				entry({ id }, `item ${run} ${i}`, undefined),
			),
		);
	}

	/**
	 * A file was opened.
	 * @param aside whether it only stands beside the one that is shown
	 */
	async add(
		{ name, files, weights }: Source,
		seat: SeriesSeat | undefined,
		{ aside = false, state }: { aside?: boolean; state?: WorkState } = {},
	): Promise<OpenFile> {
		this.flush();
		const added: OpenFile = { id: crypto.randomUUID(), name, seat };
		this.#list = [...this.#list, added];
		const entries = {
			...entry(added, "file", files.length > 1 ? files : files[0]),
			...(weights && entry(added, "weights", weights)),
			...(state && entry(added, "state", state)),
		};
		if (!aside) {
			await this.go(added, entries);
			return added;
		}
		this.#show();
		await this.#put(entries);
		return added;
	}

	/** Another of the files is the one that is shown. */
	async go(file: OpenFile, besides: Partial<Kept> = {}): Promise<void> {
		this.#current = file;
		this.#show();
		await this.#put(besides);
	}

	/** Forgets a file, and the work on it. */
	async remove({ id }: OpenFile): Promise<void> {
		this.#list = this.#list.filter((each) => each.id !== id);
		if (this.#current?.id === id) {
			this.#current = this.#list.at(-1);
			this.#unwritten = undefined;
		}
		this.#show();
		await this.#put({
			...entry({ id }, "file", undefined),
			...entry({ id }, "weights", undefined),
			...entry({ id }, "state", undefined),
			...entry({ id }, "analysis", undefined),
			// Where nothing can be read, nothing can be written.
			...(await this.#without(id, "results").catch(() => ({}))),
			...(await this.#without(id, "coming").catch(() => ({}))),
		});
	}

	/** Something was done: it is kept once it has come to rest. */
	changed(state: () => WorkState): void {
		this.#unwritten = state;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.flush(), CALM);
	}

	/** Writes what has not been written. */
	flush(): void {
		const [file, state] = [this.#current, this.#unwritten];
		this.#unwritten = undefined;
		if (file && state) void this.#put(entry(file, "state", state()));
	}

	/** Those before stay until these are there: halves of two do not go together. */
	async keepResults(results: WorkResults): Promise<void> {
		const file = this.#current;
		if (!file) return;
		const run = crypto.randomUUID();
		const others = this.#keeping.get(file)?.done;
		const done = this.#keepRun(file, run, results, others);
		this.#keeping.set(file, { run, done });
		await done;
	}

	async #keepRun(
		file: OpenFile,
		run: string,
		{ request, outcome: { items, ...outcome } }: WorkResults,
		others?: Promise<void>,
	): Promise<void> {
		await others;
		const count = items.length;
		const isWanted = () =>
			this.#keeping.get(file)?.run === run && this.#list.includes(file);
		await this.#keep(async () => {
			const store = this.#store;
			await store?.put({
				...(await this.#without(file.id, "coming")),
				...entry(file, "coming", { run, count }),
			});
			for (const [i, item] of items.entries()) {
				if (!isWanted()) return;
				await store?.put(entry(file, `item ${run} ${i}`, item));
			}
			const before = await this.#without(file.id, "results");
			if (!isWanted()) return;
			await store?.put({
				...before,
				...entry(file, "coming", undefined),
				...entry(file, "results", { request, outcome, items: { run, count } }),
			});
		});
	}

	/** Without the kernels' arrays, which are kept already. */
	async keepAnalysis(analysis: WorkAnalysis): Promise<void> {
		const file = this.#current;
		const { run } = (file && this.#keeping.get(file)) ?? {};
		if (file && run)
			await this.#put(entry(file, "analysis", { ...analysis, run }));
	}

	#put(entries: Partial<Kept>): Promise<void> {
		return this.#keep(async () => {
			await this.#store?.put({
				...entries,
				files: { list: this.#list, current: this.#current?.id ?? "" },
			});
		});
	}

	/** What cannot be kept is said, and stops nothing. */
	async #keep(work: () => Promise<void>): Promise<void> {
		const notice = byId("not-kept");
		try {
			await work();
			notice.hidden = true;
		} catch (error) {
			notice.textContent = `${(error as Error).message}. It will be lost with this tab.`;
			notice.hidden = false;
		}
	}

	#show(): void {
		byId("files").replaceChildren(
			...this.#list.map((file) => {
				const open = make(
					"button",
					{ type: "button", title: file.name },
					file.name,
				);
				if (file.id === this.#current?.id) open.ariaCurrent = "true";
				open.addEventListener("click", () => {
					if (file.id !== this.#current?.id) this.#choose(file);
				});
				const close = make(
					"button",
					{ type: "button", ariaLabel: `close ${file.name}` },
					"×",
				);
				close.addEventListener("click", () => this.#close(file));
				return make("li", {}, open, close);
			}),
		);
	}
}

/** Results with what was asked of them last. */
const asked = (
	{ outcome }: WorkResults,
	{ request, analysed }: WorkAnalysis,
): WorkResults => ({ request, outcome: withAnalysed(outcome, analysed) });

/** An entry of the store. */
const entry = (
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
		| KeptResults
		| KeptItems
		| ShownItem
		| KeptAnalysis
		| undefined,
): Partial<Kept> => ({ [`${id} ${part}`]: value }) as Partial<Kept>;
