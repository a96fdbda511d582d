import type { InputKind } from "../../qpi/operator/inputs.ts";
import type { Prepared } from "../../training/data.ts";
import {
	assembleEpoch,
	type DataStream,
	type StreamPattern,
	type StreamTask,
} from "../../training/stream.ts";
import { mapInWorkers } from "../threads/pool.ts";
import { STREAM_WORKER } from "./streamWorker.ts";

/** Raised when the same seed gives other data. */
const VERSION = 2;

export interface WideStreamOptions {
	readonly seed: number;
	/** Patterns of an epoch, kernels of each (it is seen from so many sides), and images of each kernel, which may be none. */
	readonly patterns: number;
	readonly views: number;
	readonly observations: number;
	readonly inputs: InputKind;
	/** Worker threads; the data do not depend on them. As many as the machine runs at once when not given. */
	readonly threads?: number;
	/** Told how long an epoch's data were waited for. */
	readonly onWait?: (epoch: number, milliseconds: number) => void;
}

/**
 * New patterns of the wide generator and new images of them in every epoch, made in worker threads while the epoch before is trained on; two epochs' data
 * are in memory at most. Pattern i of epoch e is number e * patterns + i of the seed's stream, so a training that goes on from epoch e sees what it would have seen.
 * To be closed.
 */
export class WideStream implements DataStream {
	readonly identity: string;
	readonly kernels: number;
	readonly observations: number;
	readonly #options: WideStreamOptions;
	#results: AsyncGenerator<StreamPattern> | undefined;
	/** The epoch that is being made, or made and not yet asked for. */
	#next = -1;
	#making: Promise<Prepared> | undefined;
	/** Settles when the epoch that was last prepared is being made. */
	#beginning: Promise<void> = Promise.resolve();

	/** Throws a RangeError on counts that are none. */
	constructor(options: WideStreamOptions) {
		const { seed, patterns, views, observations, inputs } = options;
		for (const count of [patterns, views, observations + 1])
			if (!(Number.isInteger(count) && count >= 1))
				throw new RangeError(
					`a stream of ${patterns} patterns from ${views} sides with ${observations} images of each; expected whole numbers, patterns and sides from 1`,
				);
		this.#options = options;
		this.kernels = patterns * views;
		this.observations = observations;
		this.identity = `wide stream ${VERSION} ${JSON.stringify({ seed, patterns, views, observations, inputs })}`;
	}

	async epoch(epoch: number, more: boolean): Promise<Prepared> {
		const asked = performance.now();
		await this.#beginning;
		if (epoch !== this.#next || !this.#making) {
			this.prepare(epoch);
			await this.#beginning;
		}
		const data = (await this.#making) as Prepared;
		this.#options.onWait?.(epoch, performance.now() - asked);
		this.#making = undefined;
		if (more) this.#make(epoch + 1);
		return data;
	}

	prepare(epoch: number): void {
		this.#beginning = this.#beginning
			.then(() => this.#end())
			.then(() => this.#begin(epoch));
		// As with what is made: a failure is epoch()'s or close()'s to report.
		this.#beginning.catch(() => {});
	}

	/** Ends the worker threads; epoch() starts others. */
	async close(): Promise<void> {
		await this.#beginning;
		await this.#end();
	}

	async #end(): Promise<void> {
		const results = this.#results;
		this.#results = undefined;
		this.#making = undefined;
		await results?.return(undefined);
	}

	#begin(epoch: number): void {
		const { threads, patterns } = this.#options;
		this.#results = mapInWorkers<StreamTask, StreamPattern>(
			STREAM_WORKER,
			this.#tasks(epoch * patterns),
			{ threads, batch: 1 },
		);
		this.#make(epoch);
	}

	*#tasks(first: number): Generator<StreamTask> {
		const { seed, views, observations, inputs } = this.#options;
		for (let number = first; ; number++)
			yield { seed, number, views, observations, inputs };
	}

	#make(epoch: number): void {
		this.#next = epoch;
		this.#making = this.#collect(epoch);
		// A failure is reported when the epoch is asked for; until then it must not count as unhandled.
		this.#making.catch(() => {});
	}

	async #collect(epoch: number): Promise<Prepared> {
		const results = this.#results;
		const made: StreamPattern[] = [];
		while (made.length < this.#options.patterns) {
			const next = await results?.next();
			if (!next || next.done) throw new Error("the stream was closed");
			made.push(next.value);
		}
		return assembleEpoch(made, this.#options, epoch * this.kernels);
	}
}
