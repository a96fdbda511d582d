import { type Scoped, scope } from "../basics/scope.ts";

/** What is timed: a Gpu. */
interface Timed extends Scoped {
	idle(): Promise<void>;
}

/** One way to run a kernel: values of its shader's override constants. */
export type Variant = Readonly<Record<string, number>>;

/** What is kept of a choice, e.g. "QUADS=4": variants may be added or reordered between versions. */
export const nameOfVariant = (variant: Variant): string =>
	Object.entries(variant)
		.map(([constant, value]) => `${constant}=${value}`)
		.join(",");

/** Choices by shape class, as they are kept between processes. */
export type Choices = Readonly<Record<string, string>>;

export interface TunerOptions {
	/** Choices of earlier processes on this adapter. */
	readonly choices?: Choices;
	/** Called with all choices when some were added. */
	readonly save?: (choices: Choices) => Promise<void>;
	/** false: every class keeps its default, and nothing is measured. Default true. */
	readonly measure?: boolean;
}

interface Open {
	readonly candidates: readonly Variant[];
	readonly run: (variant: Variant) => void;
	uses: number;
}

/** Milliseconds that all measurements of a tuner together may take; the last one may end later. */
const BUDGET = 8000;
/** Milliseconds of a measurement: much more than a submit and the wait for it take. */
const FILL = 10;
/** A variant must beat the default by this factor: else noise would choose. */
const MARGIN = 0.9;

/**
 * Chooses between the variants of a kernel, for each class of shapes, by measuring them on the adapter. An op asks pick() as it dispatches and never waits:
 * until tune() has measured, it gets the default.
 *
 * All variants that are offered for a class must give the same bits (they cut the output into other tiles, but add up each element in the same
 * order), so that it makes no difference to a result when, or whether, a choice is made.
 */
export class Tuner {
	readonly #choices: Map<string, string>;
	readonly #save: TunerOptions["save"];
	readonly #measure: boolean;
	#left = BUDGET;
	readonly #open = new Map<string, Open>();

	constructor({ choices = {}, save, measure = true }: TunerOptions = {}) {
		this.#choices = new Map(measure ? Object.entries(choices) : []);
		this.#save = save;
		this.#measure = measure;
	}

	/**
	 * The variant to run for a class of shapes; the first candidate is the default. `run` makes everything that a measurement of a variant
	 * needs and dispatches it, on whatever is in the pool's memory.
	 */
	pick(
		key: string,
		candidates: readonly Variant[],
		run: (variant: Variant) => void,
	): Variant {
		if (candidates.length === 1 || !this.#measure) return candidates[0];
		const chosen = this.#choices.get(key);
		const known = candidates.find((c) => nameOfVariant(c) === chosen);
		if (known) return known;
		const open = this.#open.get(key);
		if (open) open.uses++;
		else this.#open.set(key, { candidates, run, uses: 1 });
		return candidates[0];
	}

	/**
	 * Measures the classes that were asked for and have no choice yet, until none is left, the tuner's time is used up, or `signal` aborts (which throws its
	 * reason); the others stay with their default. Returns what was measured: milliseconds by class and variant, infinite for one that failed.
	 */
	async tune(
		gpu: Timed,
		signal?: AbortSignal,
	): Promise<Record<string, Record<string, number>>> {
		const begin = performance.now();
		const measured: Record<string, Record<string, number>> = {};
		const classes = [...this.#open].sort(([, a], [, b]) => b.uses - a.uses);
		this.#open.clear();
		for (const [key, { candidates, run }] of classes) {
			signal?.throwIfAborted();
			if (performance.now() - begin > this.#left) break;
			const times: Record<string, number> = {};
			for (const candidate of candidates) {
				const time = this.time(gpu, () => run(candidate));
				// The default must run; of another, a driver that cannot compile it says no more than that it is no choice.
				times[nameOfVariant(candidate)] = await (candidate === candidates[0]
					? time
					: time.catch(() => Number.POSITIVE_INFINITY));
			}
			measured[key] = times;
			const [first, ...others] = candidates.map(nameOfVariant);
			const best = others.reduce(
				(a, b) => (times[b] < times[a] ? b : a),
				first,
			);
			this.#choices.set(
				key,
				times[best] < MARGIN * times[first] ? best : first,
			);
		}
		this.#left -= performance.now() - begin;
		if (Object.keys(measured).length > 0)
			await this.#save?.(Object.fromEntries(this.#choices));
		return measured;
	}

	/** The shortest of three, each of as many runs as fill some milliseconds; the first run, which compiles, does not count. */
	protected async time(gpu: Timed, run: () => void): Promise<number> {
		const once = async (runs: number) => {
			const start = performance.now();
			for (let i = 0; i < runs; i++) scope(gpu, run);
			await gpu.idle();
			return (performance.now() - start) / runs;
		};
		await once(1);
		const first = await once(1);
		const runs = Math.ceil(FILL / Math.max(0.01, first));
		if (runs === 1) return Math.min(first, await once(1));
		return Math.min(await once(runs), await once(runs), await once(runs));
	}
}
