/** Everything that takes time: one thing after the other, its progress, its end, its error. */
import { type Progress, type Report, StoppedError } from "../../rpc.ts";
import { byId } from "./dom.ts";

/** Work of less than this shows no progress, milliseconds. */
const SOON = 400;

export class Work {
	readonly #stop: () => void;
	#busy = false;
	/** To be done after what is being done now: what people asked for, then what follows from the forms. */
	#asked: (() => void) | null = null;
	readonly #followUps = new Map<string, () => void>();

	/** @param stop ends what is being done: its promise rejects with a StoppedError */
	constructor(stop: () => void) {
		this.#stop = stop;
	}

	/** Whether something takes so long that its progress is shown. */
	get isSeen(): boolean {
		return !byId("work").hidden;
	}

	stop(): void {
		this.#stop();
	}

	/** As act(), but what is being done is stopped for it. */
	async instead(
		what: string,
		work: (report: Report) => Promise<void>,
	): Promise<void> {
		if (!this.#busy) return this.act(what, work);
		this.#asked = () => void this.act(what, work);
		this.#stop();
	}

	/** Does `work` and shows how far it is; where it throws, what it threw. */
	async act(
		what: string,
		work: (report: Report) => Promise<unknown>,
	): Promise<void> {
		byId("fault").hidden = true;
		if (this.#busy) {
			// What is too short to be seen must not swallow a click; what is seen can be stopped.
			if (byId("work").hidden) this.#asked = () => void this.act(what, work);
			return;
		}
		this.#busy = true;
		const began = performance.now();
		let last: Progress = { done: 0, total: 0, what };
		const show = () => showProgress(last, performance.now() - began);
		show();
		const appear = setTimeout(() => visible(true), SOON);
		const tick = setInterval(show, 1000);
		try {
			await work((progress) => {
				last = progress;
				show();
			});
		} catch (error) {
			if (!(error instanceof StoppedError)) fail(error as Error);
		} finally {
			clearTimeout(appear);
			clearInterval(tick);
			visible(false);
			this.#busy = false;
			const asked = this.#asked;
			this.#asked = null;
			asked?.();
			for (const [form, then] of this.#followUps) {
				if (this.#busy) break;
				this.#followUps.delete(form);
				then();
			}
		}
	}

	/** Calls `then` at once or, while something is done, after it; of several of one form only the last. */
	whenFree(form: string, then: () => void): void {
		if (this.#busy) this.#followUps.set(form, then);
		else then();
	}
}

/** What would only wait is not offered while the bar is seen. */
function visible(is: boolean): void {
	byId("work").hidden = !is;
	for (const button of document.querySelectorAll<
		HTMLInputElement | HTMLButtonElement
	>("[data-waits]"))
		button.disabled = is;
}

function showProgress(
	{ done, total, what }: Progress,
	milliseconds: number,
): void {
	const bar = byId<HTMLProgressElement>("work-bar");
	if (total > 0) [bar.max, bar.value] = [total, done];
	else bar.removeAttribute("value");
	const seconds = milliseconds / 1000;
	// Read out when it changes, as the figures are not.
	const line = byId("work-what");
	if (line.textContent !== what) line.textContent = what;
	byId("work-figures").textContent = [
		total > 0 && `${Math.floor((100 * done) / total)} %`,
		seconds > 2 && `${seconds.toFixed(0)} s`,
	]
		.filter(Boolean)
		.join(", ");
}

function fail(error: Error): void {
	const box = byId("fault");
	(box.querySelector("p") as HTMLElement).textContent = error.message;
	byId("go-on").hidden = error.name !== "DeviceLostError";
	box.hidden = false;
	box.scrollIntoView({ block: "nearest" });
}
