/** The files that are open, and the work on each: kept in the browser, so that neither a reload nor another file loses it. */
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import { openStore, type Store } from "../../store.ts";
import { byId, make } from "../basics/dom.ts";
import { nextTask } from "../basics/inTurn.ts";
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
	/** Of several energies, the number of the one that is shown. */
	readonly shown: string;
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

/** Results without their items, which are kept one by one: to copy those of a hundred energies at once would hold up the page. */
interface KeptResults {
	readonly request: ExtractRequest;
	readonly outcome: Omit<Outcome, "items">;
	readonly items: number;
	/** Whether all items are there. */
	readonly whole: boolean;
}

/** What is kept: the list, and of each file itself, weights that came with it, the work on it, and its results. */
type Kept = {
	files: { readonly list: readonly OpenFile[]; readonly current: string };
} & Record<`${string} file`, File | readonly File[]> &
	Record<`${string} weights`, PackedWeights> &
	Record<`${string} state`, WorkState> &
	Record<`${string} results`, KeptResults> &
	Record<`${string} item ${number}`, ShownItem> &
	Record<`${string} analysis`, WorkAnalysis>;

/** Changes are written when nothing has changed for so long, milliseconds. */
const CALM = 300;

export class Works {
	#list: readonly OpenFile[] = [];
	#current: OpenFile | undefined;
	#store: Store<Kept> | null = null;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#unwritten: (() => WorkState) | undefined;
	/** What is being kept of each file, or was last. */
	readonly #keeping = new WeakMap<OpenFile, Outcome>();
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
	async read({ id }: OpenFile): Promise<KeptWork | undefined> {
		const store = this.#store;
		const file = await store?.get(`${id} file`);
		return (
			file && {
				source: sourceOf([file].flat(), await store?.get(`${id} weights`)),
				state: await store?.get(`${id} state`),
				results: asked(
					await this.#results(id),
					await store?.get(`${id} analysis`),
				),
			}
		);
	}

	/** How many items are kept with a file's results. */
	async #itemsOf(id: string): Promise<number> {
		const kept = await this.#store?.get(`${id} results`).catch(() => undefined);
		return kept?.items ?? 0;
	}

	/** Undefined where there are none, or not all of them. */
	async #results(id: string): Promise<WorkResults | undefined> {
		const kept = await this.#store?.get(`${id} results`);
		if (!kept?.whole) return undefined;
		const items: ShownItem[] = [];
		for (let i = 0; i < kept.items; i++) {
			const item = await this.#store?.get(`${id} item ${i}`);
			if (!item) return undefined;
			items.push(item);
		}
		return { request: kept.request, outcome: { ...kept.outcome, items } };
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
			...entry({ id }, "results", undefined),
			...entry({ id }, "analysis", undefined),
			...without(id, 0, await this.#itemsOf(id)),
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

	/** Those before are gone as soon as it begins: halves of two do not go together. */
	async keepResults({ request, outcome }: WorkResults): Promise<void> {
		const file = this.#current;
		if (!file) return;
		this.#keeping.set(file, outcome);
		const { items, ...rest } = outcome;
		const kept = { request, outcome: rest, items: items.length };
		const before = await this.#itemsOf(file.id);
		await this.#put({
			...entry(file, "results", { ...kept, whole: false }),
			...entry(file, "analysis", undefined),
			...without(file.id, items.length, before),
		});
		for (const [i, item] of items.entries()) {
			await nextTask();
			// Others have come meanwhile, or the file was closed.
			if (this.#keeping.get(file) !== outcome || !this.#list.includes(file))
				return;
			await this.#put(entry(file, `item ${i}`, item));
		}
		await this.#put(entry(file, "results", { ...kept, whole: true }));
	}

	/** Without the kernels' arrays, which are kept already. */
	async keepAnalysis(analysis: WorkAnalysis): Promise<void> {
		if (this.#current)
			await this.#put(entry(this.#current, "analysis", analysis));
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
	results: WorkResults | undefined,
	analysis: WorkAnalysis | undefined,
): WorkResults | undefined =>
	results && analysis
		? {
				request: analysis.request,
				outcome: withAnalysed(results.outcome, analysis.analysed),
			}
		: results;

/** An entry of the store. */
const entry = (
	{ id }: Pick<OpenFile, "id">,
	part:
		| "file"
		| "weights"
		| "state"
		| "results"
		| "analysis"
		| `item ${number}`,
	value:
		| File
		| readonly File[]
		| PackedWeights
		| WorkState
		| KeptResults
		| ShownItem
		| WorkAnalysis
		| undefined,
): Partial<Kept> => ({ [`${id} ${part}`]: value }) as Partial<Kept>;

/** Removes a file's items from one number on. */
const without = (id: string, from: number, to: number): Partial<Kept> =>
	Object.assign(
		{},
		...Array.from({ length: Math.max(0, to - from) }, (_, i) =>
			entry({ id }, `item ${from + i}`, undefined),
		),
	);
