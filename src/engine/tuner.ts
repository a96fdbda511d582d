import type { Gpu } from "./gpu.ts";
import { scope } from "./scope.ts";

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

/** Milliseconds that all first measurements together may take. */
const BUDGET = 8000;
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
	 * Measures the classes that were asked for and have no choice yet, until none is left or the time is used up; the others stay with their
	 * default, and are asked for again. Returns what was measured: milliseconds by class and variant.
	 */
	async tune(
		gpu: Gpu,
		budget = BUDGET,
	): Promise<Record<string, Record<string, number>>> {
		const end = performance.now() + budget;
		const measured: Record<string, Record<string, number>> = {};
		const classes = [...this.#open].sort(([, a], [, b]) => b.uses - a.uses);
		this.#open.clear();
		for (const [key, { candidates, run }] of classes) {
			if (performance.now() > end) break;
			const times: Record<string, number> = {};
			for (const candidate of candidates)
				times[nameOfVariant(candidate)] = await time(gpu, () => run(candidate));
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
		if (Object.keys(measured).length > 0)
			await this.#save?.(Object.fromEntries(this.#choices));
		return measured;
	}
}

/** Milliseconds that are enough to measure at once. */
const ENOUGH = 20;

/** The shortest of three, each of as many runs as fill a millisecond; the first run, which compiles, does not count. A long one is not repeated. */
async function time(gpu: Gpu, run: () => void): Promise<number> {
	const once = async (runs: number) => {
		const start = performance.now();
		for (let i = 0; i < runs; i++) scope(gpu, run);
		await gpu.idle();
		return (performance.now() - start) / runs;
	};
	await once(1);
	const first = await once(1);
	if (first > ENOUGH) return first;
	const runs = Math.ceil(1 / Math.max(0.01, first));
	return Math.min(await once(runs), await once(runs), await once(runs));
}
