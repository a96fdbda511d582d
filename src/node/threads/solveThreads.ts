import { factorsOf } from "../../qpi/posterior/blockCovariance.ts";
import type { Accuracy } from "../../qpi/posterior/lanczos.ts";
import type { Covariance } from "../../qpi/posterior/prior.ts";
import type { ManySolver, Right } from "../../qpi/posterior/solveMany.ts";
import { PoolWorker } from "./pool.ts";
import { SOLVE_WORKER, type SolveTask } from "./solveWorker.ts";
import { threadCount } from "./threadCount.ts";

/**
 * Right-hand sides spread over worker threads, each solved by one of them as `onThisThread` does it: the same bits. The threads start with the first call and
 * stay for the next ones; the large arrays lie in memory that all of them share. To be closed.
 */
export class SolveThreads implements ManySolver {
	readonly name: string;
	/** Threads. */
	readonly together: number;
	#workers: PoolWorker[] = [];
	/** Copies in shared memory. */
	readonly #shared = new WeakMap<object, ArrayBufferView>();
	/** Components by number, for workers get another view of them each time. */
	readonly #numbers = new WeakMap<Float32Array, number>();
	#next = 0;

	/** @throws RangeError without a thread */
	constructor(threads = threadCount()) {
		if (!(Number.isInteger(threads) && threads >= 1))
			throw new RangeError(
				`SolveThreads: expected at least 1 thread, got ${threads}`,
			);
		this.together = threads;
		this.name = threads === 1 ? "1 thread" : `${threads} threads`;
	}

	/** @throws what a worker threw, or that one ended or was closed: then all have ended, and the next call starts others */
	async solve(
		rights: readonly Right[],
		covariance: Covariance,
		lambda: number,
		accuracy: Accuracy,
	): Promise<Float64Array[]> {
		const parts = factorsOf(covariance);
		const factors = this.#share(parts);
		const components = parts.map((of) => this.#numberOf(of.components));
		const workers = this.#workers;
		while (workers.length < Math.min(this.together, rights.length))
			workers.push(new PoolWorker(SOLVE_WORKER, undefined));
		const out = new Array<Float64Array>(rights.length);
		let next = 0;
		const work = async (worker: PoolWorker) => {
			while (next < rights.length) {
				const i = next++;
				const { system, right } = rights[i];
				const normal = this.#share(system.matrix.describe());
				const task: SolveTask = {
					...{ normal, factors, components },
					...{ right, lambda, accuracy },
				};
				[out[i]] = (await worker.send([task])) as Float64Array[];
			}
		};
		try {
			await Promise.all(workers.map(work));
		} catch (error) {
			await this.close();
			throw error;
		}
		return out;
	}

	/** Ends the threads, and with them what they are at. */
	async close(): Promise<void> {
		await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
	}

	#numberOf(components: Float32Array): number {
		const found = this.#numbers.get(components);
		if (found !== undefined) return found;
		this.#numbers.set(components, this.#next);
		return this.#next++;
	}

	/** Plain data with its arrays in shared memory, each copied once. */
	#share<T>(value: T): T {
		if (typeof value !== "object" || value === null) return value;
		if (value instanceof Float64Array || value instanceof Float32Array) {
			let copy = this.#shared.get(value);
			if (!copy) {
				const Kind = value.constructor as typeof Float64Array;
				const fresh = new Kind(new SharedArrayBuffer(value.byteLength));
				fresh.set(value);
				copy = fresh;
				this.#shared.set(value, copy);
			}
			return copy as T;
		}
		if (Array.isArray(value)) return value.map((v) => this.#share(v)) as T;
		return Object.fromEntries(
			Object.entries(value).map(([key, v]) => [key, this.#share(v)]),
		) as T;
	}
}
