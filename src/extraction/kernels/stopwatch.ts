import type { MapOptions } from "../methods/extractMap.ts";

/** Seconds of each part, and a breath between them, so that who waits can stop it. */
export class Stopwatch {
	readonly seconds: Record<string, number> = {};
	readonly #tell: MapOptions["onProgress"];
	#done = 0;
	#what = "";
	#since = 0;

	readonly #parts: number;

	constructor(images: number, tell: MapOptions["onProgress"]) {
		this.#parts = PARTS + images - 1;
		this.#tell = tell;
	}

	async start(what: string): Promise<void> {
		this.stop();
		this.#what = what;
		this.#tell?.(Math.min(this.#done++, this.#parts), this.#parts, what);
		await new Promise((resolve) => setTimeout(resolve));
		this.#since = performance.now();
	}

	stop(): void {
		if (this.#what === "") return;
		const seconds = (performance.now() - this.#since) / 1000;
		this.seconds[this.#what] = (this.seconds[this.#what] ?? 0) + seconds;
		this.#what = "";
	}
}

/** About as many parts as the extraction of one image has. */
const PARTS = 9;
