/** Results that the browser keeps: item by item, whole or not at all. */
import type { Store } from "../../store.ts";
import type { ShownItem } from "../worker/extractTypes.ts";
import {
	entry,
	type Kept,
	type OpenFile,
	type WorkAnalysis,
	type WorkResults,
} from "./kept.ts";
import { withAnalysed } from "./withAnalysed.ts";

export class KeptResults {
	readonly #store: Store<Kept>;
	/** The run of results that each file has, and when they are kept. */
	readonly #runs = new WeakMap<
		OpenFile,
		{ readonly run: string; readonly done?: Promise<void> }
	>();

	constructor(store: Store<Kept>) {
		this.#store = store;
	}

	/** Undefined where there are none. Those that are being kept are waited for. */
	async of(file: OpenFile): Promise<WorkResults | undefined> {
		const { id } = file;
		await this.#runs.get(file)?.done?.catch(() => {}); // told by who keeps them
		const kept = await this.#store.get(`${id} results`);
		// An earlier version kept them otherwise.
		if (!kept?.items.run) return undefined;
		const { run, count } = kept.items;
		const items: ShownItem[] = [];
		for (let i = 0; i < count; i++) {
			const item = await this.#store.get(`${id} item ${run} ${i}`);
			if (!item) return undefined;
			items.push(item);
		}
		// Others may have come meanwhile.
		if (!this.#runs.has(file)) this.#runs.set(file, { run });
		const results = {
			request: kept.request,
			outcome: { ...kept.outcome, items },
		};
		const analysis = await this.#store.get(`${id} analysis`);
		return analysis?.run === run ? asked(results, analysis) : results;
	}

	/**
	 * Those before stay until these are there: halves of two do not go together.
	 * @param isOpen whether the file is; where it is closed meanwhile no more is written
	 */
	keep(
		file: OpenFile,
		results: WorkResults,
		isOpen: () => boolean,
	): Promise<void> {
		const run = crypto.randomUUID();
		const others = this.#runs.get(file)?.done?.catch(() => {});
		const isWanted = () => this.#runs.get(file)?.run === run && isOpen();
		const done = this.#keep(file, run, results, isWanted, others);
		this.#runs.set(file, { run, done });
		return done;
	}

	async #keep(
		file: OpenFile,
		run: string,
		{ request, outcome: { items, ...outcome } }: WorkResults,
		isWanted: () => boolean,
		others?: Promise<void>,
	): Promise<void> {
		await others;
		const count = items.length;
		await this.#store.put({
			...(await this.#without(file, "coming")),
			...entry(file, "coming", { run, count }),
		});
		for (const [i, item] of items.entries()) {
			if (!isWanted()) return;
			await this.#store.put(entry(file, `item ${run} ${i}`, item));
		}
		const before = await this.#without(file, "results");
		if (!isWanted()) return;
		await this.#store.put({
			...before,
			...entry(file, "coming", undefined),
			...entry(file, "results", { request, outcome, items: { run, count } }),
		});
	}

	/** Without the kernels' arrays, which are kept already. */
	async keepAnalysis(file: OpenFile, analysis: WorkAnalysis): Promise<void> {
		const { run } = this.#runs.get(file) ?? {};
		if (run)
			await this.#store.put(entry(file, "analysis", { ...analysis, run }));
	}

	/** What takes all of a file's results away. */
	async without(file: OpenFile): Promise<Partial<Kept>> {
		return {
			...(await this.#without(file, "results")),
			...(await this.#without(file, "coming")),
			...entry(file, "analysis", undefined),
		};
	}

	async #without(
		file: OpenFile,
		what: "results" | "coming",
	): Promise<Partial<Kept>> {
		const { id } = file;
		const { run, count = 0 } =
			(what === "results"
				? (await this.#store.get(`${id} results`))?.items
				: await this.#store.get(`${id} coming`)) ?? {};
		return Object.assign(
			entry(file, what, undefined),
			...Array.from({ length: count }, (_, i) =>
				entry(file, `item ${run} ${i}`, undefined),
			),
		);
	}
}

/** Results with what was asked of them last. */
const asked = (
	{ outcome }: WorkResults,
	{ request, analysed }: WorkAnalysis,
): WorkResults => ({ request, outcome: withAnalysed(outcome, analysed) });
