/** The files that are open: how one is opened, left, taken up again and closed, and several made a series. */
import { type Remote, type Report, StoppedError } from "../rpc.ts";
import { byId, confirmed, input } from "./basics/dom.ts";
import { type Source, sourceOf } from "./basics/source.ts";
import type { Work } from "./basics/work.ts";
import {
	isTouched,
	type OpenFile,
	type WorkResults,
	type WorkState,
} from "./files/kept.ts";
import type { MeasuredImage } from "./files/measuredImage.ts";
import type { Now } from "./files/now.ts";
import { SeriesPanel } from "./files/seriesPanel.ts";
import type { Works } from "./files/works.ts";
import { ANALYSIS, type AnalysisForm } from "./forms/analysisForm.ts";
import type { ImageForm } from "./forms/imageForm.ts";
import { LATTICE, type LatticeForm } from "./forms/latticeForm.ts";
import type { Search } from "./marks/search.ts";
import type { Scatterers } from "./picture/scatterers.ts";
import type { Kernels } from "./results/kernels.ts";
import { offerPacked, showWeights } from "./training/weightsChoice.ts";
import type { ExtractHandlers } from "./worker/extractWorker.ts";

/** Fields of what is chosen beside the image. */
const CHOICES = [
	...["method", "symmetry", "window", "seed", "kinds", "signed"],
	...["weights", "seed-windows"],
	...ANALYSIS,
	...LATTICE,
];

const choiceOf = (field: HTMLInputElement): string =>
	field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value;

function setChoice(field: HTMLInputElement, value: string): void {
	if (field.type === "checkbox") field.checked = value !== "";
	else field.value = value;
}

interface Needs {
	readonly remote: Remote<ExtractHandlers>;
	readonly work: Work;
	readonly now: Now;
	readonly image: MeasuredImage;
	readonly kernels: Kernels;
	readonly works: Works;
	readonly form: ImageForm;
	readonly lattice: LatticeForm;
	readonly analysis: AnalysisForm;
	readonly scatterers: Scatterers;
	readonly search: Search;
}

/** Loads what is chosen into all other parts of the tab, and keeps what was done with it. */
export class OpenFiles {
	readonly #needs: Needs;
	readonly #series = new SeriesPanel<OpenFile>(
		(files) => void this.#takeSeries(files),
		() => void this.#takeApart(),
	);

	constructor(needs: Needs) {
		this.#needs = needs;
	}

	/** Something was done with the file that is open. */
	changed(): void {
		if (this.#needs.now.file) this.#needs.works.changed(() => this.#state);
	}

	get #state(): WorkState {
		const { form, scatterers, search } = this.#needs;
		return {
			settings: form.settings,
			shown: input("energy").value,
			choices: Object.fromEntries(
				CHOICES.map((id) => [id, choiceOf(input(id))]),
			),
			scatterers: { list: scatterers.list, asFound: scatterers.asFound },
			found: search.found,
		};
	}

	/** Opens files that people chose: the first is shown. */
	open(
		name: string,
		get: () => readonly File[] | Promise<readonly File[]>,
	): void {
		void this.#needs.work.instead(`reading ${name}`, async (report) => {
			const [first, ...rest] = await get();
			const packed = await this.#unpacked(first);
			const { source } = packed ?? { source: sourceOf([first]) };
			await this.#load(source, report, packed, rest);
		});
	}

	/** A session's files, and what was done with them; undefined for any other file. */
	async #unpacked(chosen: File) {
		const packed = await this.#needs.remote.call("unpack", chosen);
		if (!packed) return undefined;
		const { files, settings, choices, weights, scatterers: list } = packed;
		const state: WorkState = {
			...{ settings, choices },
			scatterers: { list: list ?? [], asFound: !list },
		};
		return { source: sourceOf(files, weights), state };
	}

	/** Files stand beside the one that is shown until they are chosen; what cannot be read is told. */
	async #aside(files: readonly File[], report: Report): Promise<void> {
		const { remote, works } = this.#needs;
		const added: OpenFile[] = [];
		const unread: string[] = [];
		for (const [done, each] of files.entries()) {
			report({ done, total: files.length, what: `reading ${each.name}` });
			try {
				const { source, state } = (await this.#unpacked(each)) ?? {
					source: sourceOf([each]),
				};
				const seat = state ? undefined : await remote.call("seat", each);
				added.push(await works.add(source, seat, { aside: true, state }));
			} catch (error) {
				if (error instanceof StoppedError) throw error;
				unread.push((error as Error).message);
			}
		}
		const { current } = works;
		this.#series.opened(current ? [current, ...added] : added, unread);
		this.#showSeries();
	}

	/** Files that are open, as one series in their place; those that were worked on stay too. */
	#takeSeries(files: readonly OpenFile[]): Promise<void> {
		const { work, works } = this.#needs;
		return work.instead(`a series of ${files.length} files`, async (report) => {
			works.flush();
			const kept = await Promise.all(files.map((each) => works.read(each)));
			const parts = kept.flatMap((each) => each?.source.files ?? []);
			await this.#load(sourceOf(parts), report);
			for (const [i, each] of files.entries())
				if (!isTouched(kept[i])) await works.remove(each);
			this.#showSeries();
		});
	}

	/** A series as files beside each other in its place; it stays too where it was worked on. */
	#takeApart(): Promise<void> {
		const { work, works, now } = this.#needs;
		return work.instead("taking the series apart", async (report) => {
			const [series, from] = [works.current, now.file];
			if (!series || !from) return;
			works.flush();
			const kept = await works.read(series);
			const [first, ...rest] = from.files;
			await this.#load(sourceOf([first]), report, undefined, rest);
			if (!isTouched(kept)) await works.remove(series);
			this.#showSeries();
		});
	}

	#showSeries(): void {
		const { works, now } = this.#needs;
		this.#series.show(works.list, works.current?.id, now.opened?.series);
	}

	/** Opens a file anew, as it was left. */
	reopen(wanted: OpenFile): void {
		const { work, works } = this.#needs;
		void work.instead(`reading ${wanted.name}`, async (report) => {
			works.flush();
			const kept = await works.read(wanted);
			if (!kept) {
				await works.remove(wanted);
				throw new Error(
					`${wanted.name}: this browser no longer has it; choose the file again`,
				);
			}
			await this.#load(kept.source, report, { ...kept, id: wanted });
		});
	}

	/**
	 * @param before what was done with it when it was open last
	 * @param beside files that were chosen together with it, and stay beside it
	 */
	async #load(
		chosen: Source,
		report: Report,
		before?: { id?: OpenFile; state?: WorkState; results?: WorkResults },
		beside: readonly File[] = [],
	): Promise<void> {
		const { remote, now, image, kernels, works } = this.#needs;
		const { form, lattice, analysis } = this.#needs;
		const what = await remote.call("open", chosen, report);
		works.flush();
		void (before?.id ? works.go(before.id) : works.add(chosen, what.seat));
		// What was known is of another file.
		this.#forget();
		[now.file, now.opened] = [chosen, what];
		await this.#aside(beside, report);
		image.take(chosen, what);
		byId("steps").scrollTop = 0;
		const sizeless = form.fill(chosen, what);
		offerPacked(chosen.weights);
		analysis.clear();
		lattice.clear();
		input("seed-windows").value = "";
		if (before?.state) await this.#restore(before.state);
		lattice.look();
		kernels.checkStale(); // where the first image fails there is a file all the same
		await image.first(what, sizeless, report);
		if (before?.results) kernels.restore(before.results);
	}

	/** Makes the forms say what they said when the file was left. */
	async #restore(left: WorkState): Promise<void> {
		const { image, form, lattice, scatterers, search } = this.#needs;
		form.restore(left.settings);
		await image.lay();
		input("energy").max = String(form.images - 1);
		if (left.shown !== undefined) input("energy").value = left.shown;
		for (const [id, value] of Object.entries(left.choices))
			setChoice(input(id), value);
		showWeights();
		lattice.settle();
		search.found = left.found;
		scatterers.reset(left.scatterers.list, left.scatterers.asFound);
	}

	/** Nothing is open. */
	#forget(): void {
		const { now, image, kernels, scatterers } = this.#needs;
		now.forget();
		image.forget();
		kernels.forget();
		scatterers.reset([], true);
	}

	/** Closes a file; what was done with it is given up only when people say so. */
	async close(unwanted: OpenFile): Promise<void> {
		const { work, works } = this.#needs;
		works.flush();
		// Of what cannot be read nobody knows whether it was worked on.
		const given = await works.read(unwanted).then(isTouched, () => true);
		if (given && !(await confirmed("close-file", "close"))) return;
		const isShown = works.current?.id === unwanted.id;
		await works.remove(unwanted);
		if (!isShown) return this.#showSeries();
		if (works.current) return this.reopen(works.current);
		work.stop();
		this.#forget();
		byId("image-form").hidden = true;
		byId("file-about").textContent = "";
		this.#showSeries();
	}
}
