/** Prepares the images of a stack in workers of their own, as many as the machine runs at once. */
import {
	type Preprocessed,
	type PreprocessOptions,
	preprocess,
} from "../../../extraction/preprocess.ts";
import type { Scan } from "../../../extraction/scan/scan.ts";
import { Remote, type Report } from "../../rpc.ts";
import type { PrepareHandlers } from "./prepareWorker.ts";

/** Images from which on workers are worth their start. */
const MANY = 12;
/** Each has its own memory. */
const MOST_WORKERS = 8;

/** As preprocess() prepares each. Throws what it throws. */
export const preparingAll =
	(report?: Report) =>
	async (
		scans: readonly Scan[],
		options: PreprocessOptions,
	): Promise<Preprocessed[]> => {
		if (scans.length < MANY)
			return scans.map((scan) => preprocess(scan, options));
		const out: Preprocessed[] = [];
		const cores = Math.max(1, navigator.hardwareConcurrency ?? 1);
		const workers = Array.from(
			{ length: Math.min(cores, MOST_WORKERS) },
			() => new Remote<PrepareHandlers>("prepareWorker.js"),
		);
		let [next, done] = [0, 0];
		const take = async (worker: (typeof workers)[number]) => {
			while (next < scans.length) {
				const i = next++;
				out[i] = await worker.call("preprocess", [scans[i], options]);
				report?.({
					...{ done: ++done, total: scans.length },
					what: "preparing images",
				});
			}
		};
		try {
			await Promise.all(workers.map(take));
		} catch (error) {
			const { name, message } = error as Error;
			throw name === "RangeError" ? new RangeError(message) : error;
		} finally {
			for (const worker of workers) worker.stop();
		}
		return out;
	};
