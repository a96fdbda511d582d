/** The files that are open, and the work on each: kept in the browser, so that neither a reload nor another file loses it. */
import { openStore, type Store } from "../../store.ts";
import { byId, make } from "../basics/dom.ts";
import { type Source, sourceOf } from "../basics/source.ts";
import type { SeriesSeat } from "../worker/extractTypes.ts";
import {
	entry,
	type Kept,
	type KeptWork,
	type OpenFile,
	type WorkAnalysis,
	type WorkResults,
	type WorkState,
} from "./kept.ts";
import { KeptResults } from "./keptResults.ts";

/** Changes are written when nothing has changed for so long, milliseconds. */
const CALM = 300;

export class Works {
	#list: readonly OpenFile[] = [];
	#current: OpenFile | undefined;
	/** Undefined where the browser keeps nothing. */
	#store: Store<Kept> | undefined;
	#results: KeptResults | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#unwritten: (() => WorkState) | undefined;
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
			this.#results = new KeptResults(this.#store);
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
		const file = await store?.get(`${id} file`);
		return (
			file && {
				source: sourceOf([file].flat(), await store?.get(`${id} weights`)),
				state: await store?.get(`${id} state`),
				results: await this.#results?.of(wanted),
			}
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
	async remove(file: OpenFile): Promise<void> {
		this.#list = this.#list.filter(({ id }) => id !== file.id);
		if (this.#current?.id === file.id) {
			this.#current = this.#list.at(-1);
			this.#unwritten = undefined;
		}
		this.#show();
		await this.#put({
			...entry(file, "file", undefined),
			...entry(file, "weights", undefined),
			...entry(file, "state", undefined),
			// Where nothing can be read, nothing can be written.
			...(await this.#results?.without(file).catch(() => ({}))),
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

	/** Of the file that is shown. */
	async keepResults(results: WorkResults): Promise<void> {
		const file = this.#current;
		if (file)
			await this.#keep(() =>
				this.#results?.keep(file, results, () => this.#list.includes(file)),
			);
	}

	/** As keepResults(), what was asked of them since. */
	async keepAnalysis(analysis: WorkAnalysis): Promise<void> {
		const file = this.#current;
		if (file)
			await this.#keep(() => this.#results?.keepAnalysis(file, analysis));
	}

	#put(entries: Partial<Kept>): Promise<void> {
		return this.#keep(() =>
			this.#store?.put({
				...entries,
				files: { list: this.#list, current: this.#current?.id ?? "" },
			}),
		);
	}

	/** What cannot be kept is said, and stops nothing. */
	async #keep(work: () => Promise<void> | undefined): Promise<void> {
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
