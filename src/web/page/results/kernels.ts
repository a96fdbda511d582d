/** The kernels: what is asked for, what came of it, and whether it is still what the forms say. */
import type { Remote, Report } from "../../rpc.ts";
import { input, numberOf, save, select } from "../basics/dom.ts";
import type { Guide } from "../basics/guide.ts";
import { nextTask } from "../basics/inTurn.ts";
import { stemOf } from "../basics/source.ts";
import type { Work } from "../basics/work.ts";
import type { WorkResults } from "../files/kept.ts";
import type { MeasuredImage } from "../files/measuredImage.ts";
import type { Now } from "../files/now.ts";
import type { Works } from "../files/works.ts";
import type { AnalysisForm } from "../forms/analysisForm.ts";
import type { ImageForm } from "../forms/imageForm.ts";
import type { Search } from "../marks/search.ts";
import type { Layers } from "../picture/layers.ts";
import type { Scatterers } from "../picture/scatterers.ts";
import { chosenWeights } from "../training/weightsChoice.ts";
import type {
	Charts,
	ExtractRequest,
	Outcome,
} from "../worker/extractTypes.ts";
import type { ExtractHandlers } from "../worker/extractWorker.ts";
import { OPEN_FILE } from "./commandFiles.ts";
import type { Results } from "./results.ts";

interface Needs {
	readonly remote: Remote<ExtractHandlers>;
	readonly work: Work;
	readonly now: Now;
	readonly image: MeasuredImage;
	readonly works: Works;
	readonly form: ImageForm;
	readonly scatterers: Scatterers;
	readonly search: Search;
	readonly analysis: AnalysisForm;
	readonly results: Results;
	readonly layers: Layers;
	readonly guide: Guide;
}

/** Asks the worker for kernels, shows them, and knows whether they are stale. */
export class Kernels {
	readonly #needs: Needs;
	/** What the results that are shown were asked for with. */
	#extracted: ExtractRequest | undefined;
	/** Whether the worker has them still. */
	#held = false;

	constructor(needs: Needs) {
		this.#needs = needs;
	}

	/** The worker is gone, with all that it knew. */
	workerEnded(): void {
		this.#held = false;
	}

	/** Nothing is open. */
	forget(): void {
		this.#extracted = undefined;
		this.#held = false;
		this.#needs.results.hide();
		this.#needs.layers.of(null);
	}

	/** Shows those that were kept with a file. */
	restore({ request, outcome }: WorkResults): void {
		this.#show(request, outcome, { kept: true });
		this.#held = false; // the worker that had them is gone
	}

	get #request(): ExtractRequest {
		const { now, form, scatterers, search, analysis } = this.#needs;
		return {
			settings: form.settings,
			scatterers: scatterers.asFound ? null : scatterers.list,
			found:
				(scatterers.asFound && !now.opened?.dataset && search.found) || null,
			method: select("method").value,
			window: numberOf(input("window")),
			symmetry: (Number(select("symmetry").value) ||
				undefined) as ExtractRequest["symmetry"],
			seed: input("seed").valueAsNumber,
			analysis: analysis.choice,
			weights: chosenWeights(),
		};
	}

	/** Says whether the results are still what is asked for, and what to do next. */
	checkStale(): void {
		const { now, scatterers, results, guide } = this.#needs;
		const stale =
			JSON.stringify(this.#request) !== JSON.stringify(this.#extracted);
		results.stale(stale);
		guide.tell({
			open: Boolean(now.file),
			own: Boolean(now.opened?.own),
			sized: Boolean(now.opened?.size),
			prepared: Boolean(now.images),
			used: scatterers.list.filter(({ keep }) => keep).length,
			asFound: scatterers.asFound,
			result: !this.#extracted ? "none" : stale ? "stale" : "fresh",
		});
	}

	#show(
		wanted: ExtractRequest,
		outcome: Outcome,
		{ inPlace = false, kept = false } = {},
	): void {
		const { results, layers, works, image } = this.#needs;
		this.#extracted = wanted;
		results.show(outcome, inPlace);
		// Neither is ever beside the other's energy.
		if (kept) image.shownBeside(results);
		else image.follow(results);
		// They are seen first.
		void nextTask().then(() => {
			if (this.#extracted !== wanted) return;
			layers.of(outcome);
			if (!kept) return works.keepResults({ request: wanted, outcome });
		});
		// People edit while they wait.
		this.checkStale();
	}

	/** Prepares, and extracts as the forms say. */
	extract(): void {
		const { remote, work, image, form } = this.#needs;
		if (!form.isValid()) return;
		void work.act("extracting", async (report) => {
			const settings = await image.prepare(report);
			const wanted = { ...this.#request, settings };
			// A double click is no second wish.
			if (
				this.#held &&
				JSON.stringify(wanted) === JSON.stringify(this.#extracted)
			)
				return;
			const outcome = await remote.call("extract", wanted, report);
			this.#held = true;
			await nextTask(); // what has come was unpacked in this one
			this.#show(wanted, outcome);
		});
	}

	/** Makes the worker have the results that are shown. */
	async #remake(wanted: ExtractRequest, report: Report): Promise<void> {
		const { remote, now, image } = this.#needs;
		if (!now.file) return;
		await remote.call("open", now.file, report);
		await remote.call("prepare", wanted.settings, report);
		await remote.call("extract", wanted, report);
		image.workerHas(now.file, JSON.stringify(wanted.settings));
		this.#held = true;
	}

	/** Asks other things of the same kernels, where nothing else has changed. */
	analyse(): void {
		const { remote, work, works, results } = this.#needs;
		const wanted = this.#request;
		const before = this.#extracted && {
			...this.#extracted,
			analysis: wanted.analysis,
		};
		if (!this.#held || JSON.stringify(before) !== JSON.stringify(wanted))
			return;
		if (JSON.stringify(this.#extracted) === JSON.stringify(wanted)) return;
		void work.act("analysing", async () => {
			const analysed = await remote.call("analyse", wanted);
			results.tell(analysed);
			this.#extracted = wanted;
			void works.keepAnalysis({ request: wanted, analysed });
			this.checkStale();
		});
	}

	/** Shows another method's kernel, where it was compared and nothing else has changed. */
	switchMethod(): void {
		const { remote, work, results } = this.#needs;
		const wanted = this.#request;
		const before = this.#extracted && {
			...this.#extracted,
			method: wanted.method,
		};
		if (
			JSON.stringify(before) === JSON.stringify(wanted) &&
			this.#held &&
			results.compares(wanted.method)
		)
			void work.act(`by ${wanted.method}`, async () =>
				this.#show(wanted, await remote.call("byMethod", wanted), {
					inPlace: true,
				}),
			);
	}

	/** Charts of a kernel, where they can be had. */
	async chartsOf(index: number): Promise<Charts | null> {
		// Where it is stopped there is none.
		return this.#held
			? this.#needs.remote.call("charts", index).catch(() => null)
			: null;
	}

	/** Saves a file of the results by its name, "zip" for all. @param index of the kernel that is shown */
	save(name: string, index: number): void {
		const { remote, work, now } = this.#needs;
		if (name === OPEN_FILE) {
			if (now.file) save(now.file.files[0], now.file.files[0].name);
			return;
		}
		void work.act("making the files", async (report) => {
			// They were kept, the numbers behind them were not.
			if (!this.#held && this.#extracted)
				await this.#remake(this.#extracted, report);
			const blob =
				name === "zip"
					? await remote.call("files", null, report)
					: await remote.call("file", { name, index }, report);
			const stem = now.file ? stemOf(now.file) : "kernel";
			save(blob, name === "zip" ? `${stem}-kernel.zip` : name);
		});
	}

	/** Saves the file that is open with all that was done with it. */
	saveSession(): void {
		const { remote, work, now } = this.#needs;
		if (!now.file) return;
		const saved = now.file;
		void work.act("packing the session", async () =>
			save(
				await remote.call("session", {
					files: saved.files,
					request: this.#request,
				}),
				`${stemOf(saved)}.qpi`,
			),
		);
	}
}
