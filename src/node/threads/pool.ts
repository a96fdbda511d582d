import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { threadCount } from "./threadCount.ts";

export interface PoolOptions {
	/** Worker threads; as many as the machine runs at once when not given, never more than there are batches. */
	readonly threads?: number;
	/** Items sent to a worker in one message. */
	readonly batch?: number;
	/** What the workers find as `workerData`. */
	readonly workerData?: unknown;
	/** Called with the number of results after each batch. */
	readonly onProgress?: (done: number) => void;
}

type Reply = { results: unknown[] } | { error: unknown };

/**
 * Maps items through worker threads that run the module `entry` (which calls `serve`), and yields the results in the items' order.
 * Items are pulled as the results are taken, so that a long list need not be in memory: about two batches a thread are under way. Leaving the loop
 * early ends the workers.
 * @throws what the worker's function threw, or that a worker ended; the other workers are stopped. RangeError without a thread
 */
export async function* mapInWorkers<Item, Result>(
	entry: URL,
	items: Iterable<Item>,
	{
		threads = threadCount(),
		batch = 8,
		workerData,
		onProgress,
	}: PoolOptions = {},
): AsyncGenerator<Result> {
	if (!(threads >= 1 && batch >= 1))
		throw new RangeError(
			`mapInWorkers: expected at least 1 thread and 1 item a batch, got ${threads} and ${batch}`,
		);
	const workers: PoolWorker[] = [];
	const pending: Promise<unknown[]>[] = [];
	const batches = inBatches(items, batch);
	let exhausted = false;
	let sent = 0;
	let done = 0;
	try {
		for (;;) {
			while (!exhausted && pending.length < 2 * threads) {
				const next = batches.next();
				if (next.done) {
					exhausted = true;
					break;
				}
				if (workers.length < threads)
					workers.push(new PoolWorker(entry, workerData));
				const reply = workers[sent++ % workers.length].send(next.value);
				// A failure is reported when its turn comes; until then it must not count as unhandled.
				reply.catch(() => {});
				pending.push(reply);
			}
			const first = pending.shift();
			if (!first) return;
			const results = await first;
			done += results.length;
			onProgress?.(done);
			yield* results as Result[];
		}
	} finally {
		await Promise.all(workers.map((worker) => worker.stop()));
	}
}

/**
 * To be called once by a worker's entry module: answers each batch with `work` of its items. The results' typed arrays (a result itself or
 * its direct properties) are handed over without a copy. Does nothing in the main thread.
 */
export function serve<Item, Result>(work: (item: Item) => Result): void {
	const port = parentPort;
	if (isMainThread || !port) return;
	port.on("message", (items: Item[]) => {
		try {
			const results = items.map(work);
			port.postMessage({ results } satisfies Reply, results.flatMap(buffersOf));
		} catch (error) {
			port.postMessage({ error } satisfies Reply);
		}
	});
}

/** A worker thread that runs `serve`. While nothing is asked of it, it keeps no process alive. */
export class PoolWorker {
	readonly #worker: Worker;
	/** Batches sent and not yet answered; a worker answers in order. */
	readonly #waiting: {
		resolve: (results: unknown[]) => void;
		reject: (error: unknown) => void;
	}[] = [];
	#failure: unknown;
	#stopping = false;

	constructor(entry: URL, workerData: unknown) {
		this.#worker = new Worker(entry, { workerData });
		this.#worker.unref();
		this.#worker.on("message", (reply: Reply) => {
			const waiting = this.#waiting.shift();
			if ("error" in reply) waiting?.reject(reply.error);
			else waiting?.resolve(reply.results);
			if (this.#waiting.length === 0 && !this.#stopping) this.#worker.unref();
		});
		this.#worker.on("error", (error) => this.#fail(error));
		this.#worker.on("exit", (code) =>
			this.#fail(new Error(`a worker thread ended early with code ${code}`)),
		);
	}

	/** @returns the results of `work`; rejects with the error that it threw, or when the worker ends early */
	send(items: unknown[]): Promise<unknown[]> {
		return new Promise((resolve, reject) => {
			if (this.#failure) return reject(this.#failure);
			this.#waiting.push({ resolve, reject });
			this.#worker.ref();
			this.#worker.postMessage(items);
		});
	}

	async stop(): Promise<void> {
		// Its end is waited for, even where its last answer is still on its way.
		this.#stopping = true;
		this.#worker.ref();
		await this.#worker.terminate();
	}

	#fail(error: unknown): void {
		this.#failure ??= error;
		for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
	}
}

function* inBatches<Item>(
	items: Iterable<Item>,
	size: number,
): Generator<Item[], undefined> {
	let batch: Item[] = [];
	for (const item of items) {
		batch.push(item);
		if (batch.length < size) continue;
		yield batch;
		batch = [];
	}
	if (batch.length > 0) yield batch;
}

function buffersOf(result: unknown): ArrayBuffer[] {
	const values =
		result && typeof result === "object" && !ArrayBuffer.isView(result)
			? Object.values(result)
			: [result];
	return values
		.filter((value) => ArrayBuffer.isView(value))
		.map((view) => view.buffer as ArrayBuffer);
}
