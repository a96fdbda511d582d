/** Told before each part how many are done, of about how many, and which comes. */
export type TellPart = (done: number, total: number, what: string) => void;

/** Seconds of each part, and a breath between them, so that who waits can stop it. */
export class Stopwatch {
	readonly seconds: Record<string, number> = {};
	readonly #tell: TellPart | undefined;
	#done = 0;
	#what = "";
	#since = 0;

	readonly #parts: number;

	constructor(images: number, tell: TellPart | undefined) {
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
