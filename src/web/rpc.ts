/** Calls from a page into a worker: each is answered once and may tell how far it is before. */

export interface Progress {
	readonly done: number;
	/** 0: not known. */
	readonly total: number;
	readonly what: string;
}
export type Report = (progress: Progress) => void;

/** What a worker can be asked for: functions of one argument. */
// biome-ignore lint/suspicious/noExplicitAny: the handlers' own types are what counts
type Handlers = Record<string, (argument: any, report: Report) => unknown>;

type Question = { id: number; name: string; argument: unknown };
type Answer =
	| { id: number; progress: Progress }
	| { id: number; result: unknown }
	| { id: number; error: { name: string; message: string } };

const handed = new WeakMap<object, Transferable[]>();

/** Has arrays of a result go to the page as they are, which takes no time there: the worker has them no longer. */
export function handOver<T extends object>(
	result: T,
	arrays: readonly Float32Array[],
): T {
	handed.set(
		result,
		arrays.map(({ buffer }) => buffer as ArrayBuffer),
	);
	return result;
}

/** In the worker: answers calls, one after the other. */
export function answer(handlers: Handlers): void {
	const scope = self as unknown as {
		postMessage(message: Answer, transfer?: Transferable[]): void;
		onmessage: (event: MessageEvent<Question>) => void;
	};
	let queue = Promise.resolve();
	scope.onmessage = ({ data: { id, name, argument } }) => {
		queue = queue.then(async () => {
			try {
				const result = await handlers[name](argument, (progress) =>
					scope.postMessage({ id, progress }),
				);
				scope.postMessage({ id, result }, handed.get(Object(result)));
			} catch (thrown) {
				const { name, message } =
					thrown instanceof Error ? thrown : new Error(String(thrown));
				scope.postMessage({ id, error: { name, message } });
			}
		});
	};
}

/** A call was given up by stop(). */
export class StoppedError extends Error {
	override name = "StoppedError";
}

/** In the page: a worker of the handlers H, which is started by the first call. */
export class Remote<H extends Handlers> {
	readonly #url: string;
	readonly #ended: () => void;
	#worker: Worker | null = null;
	#next = 0;
	#open = new Map<
		number,
		{
			resolve: (result: unknown) => void;
			reject: (error: Error) => void;
			report?: Report;
		}
	>();

	/** @param ended is told that the worker is gone, with all that it knew */
	constructor(url: string, ended: () => void = () => {}) {
		this.#url = url;
		this.#ended = ended;
	}

	/** Rejects with the worker's error (its name and message), or a StoppedError after stop(). */
	call<K extends keyof H & string>(
		name: K,
		argument: Parameters<H[K]>[0],
		report?: Report,
	): Promise<Awaited<ReturnType<H[K]>>> {
		this.#worker ??= this.#start();
		const id = this.#next++;
		this.#worker.postMessage({ id, name, argument } satisfies Question);
		return new Promise<unknown>((resolve, reject) => {
			this.#open.set(id, { resolve, reject, report });
		}) as Promise<Awaited<ReturnType<H[K]>>>;
	}

	/** Ends the worker and with it all that it was doing; a later call starts a new one, which knows nothing. */
	stop(reason = "stopped"): void {
		this.#worker?.terminate();
		this.#worker = null;
		this.#ended();
		for (const { reject } of this.#open.values())
			reject(new StoppedError(reason));
		this.#open.clear();
	}

	#start(): Worker {
		const worker = new Worker(this.#url, { type: "module" });
		worker.onmessage = ({ data }: MessageEvent<Answer>) => {
			const call = this.#open.get(data.id);
			if (!call) return;
			if ("progress" in data) return call.report?.(data.progress);
			this.#open.delete(data.id);
			if ("result" in data) return call.resolve(data.result);
			const error = new Error(data.error.message);
			error.name = data.error.name;
			call.reject(error);
		};
		worker.onerror = (event) => {
			if (worker !== this.#worker) return;
			const message = event.message || `${this.#url} cannot be loaded`;
			for (const { reject } of this.#open.values()) reject(new Error(message));
			this.#open.clear();
			this.stop();
		};
		return worker;
	}
}
