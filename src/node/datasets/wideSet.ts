import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, writeFileAtomic } from "../files/files.ts";
import { mapInWorkers } from "../threads/pool.ts";
import { WIDE_WORKER, type WideAnswer, type WideTask } from "./wideWorker.ts";

const NODES = 128 * 128;
/** Seen from two sides each: turned and stretched anew. */
const VIEWS = 2;
/** Raised when the same seed gives other kernels. */
const VERSION = 1;

/** The wide set of kernels (src/qpi/generator/wide.ts), as a file of 32-bit floats. */
export interface WideSet {
	readonly identity: string;
	/** What each kernel is; their number is its length. */
	readonly kinds: readonly string[];
	/** Kernel i, 128 x 128 nodes, unit RMS in the central 64 x 64. */
	read(i: number): Promise<Float32Array>;
	close(): Promise<void>;
}

/** Makes `models` patterns of Hamiltonians and `bare` ones of a formula and keeps them in `folder` as kernels.f32 and kernels.json, or takes what an earlier call with the same options left there. */
export async function openWideSet(
	folder: string,
	{
		models,
		bare,
		seed,
		signal,
		onProgress,
	}: {
		models: number;
		bare: number;
		seed: number;
		signal?: AbortSignal;
		onProgress?: (done: number) => void;
	},
): Promise<WideSet> {
	const identity = JSON.stringify({ wide: VERSION, models, bare, seed });
	const data = join(folder, "kernels.f32");
	const list = join(folder, "kernels.json");
	const known = await readFile(list, "utf8")
		.then((text) => JSON.parse(text))
		.catch(() => undefined);
	if (known?.identity !== identity) await make();
	const { kinds } = JSON.parse(await readFile(list, "utf8"));
	const file = await open(data);
	return {
		identity,
		kinds,
		async read(i) {
			const kernel = new Float32Array(NODES);
			const bytes = new Uint8Array(kernel.buffer);
			const { bytesRead } = await file.read(
				bytes,
				0,
				bytes.length,
				i * bytes.length,
			);
			if (bytesRead < bytes.length)
				throw new Error(
					`${data} ends before kernel ${i} of ${kinds.length}: remove it, and it is made again`,
				);
			return kernel;
		},
		close: () => file.close(),
	};

	async function make() {
		await makeFolder(folder);
		const aside = `${data}.${process.pid}.tmp`;
		const file = await open(aside, "w");
		const kinds: string[] = [];
		try {
			const tasks = Array.from({ length: models + bare }, (_, number) => ({
				seed,
				number,
				bare: number >= models,
				views: VIEWS,
			}));
			let done = 0;
			for await (const { kind, kernels } of mapInWorkers<WideTask, WideAnswer>(
				WIDE_WORKER,
				tasks,
				{ batch: 4 },
			)) {
				signal?.throwIfAborted();
				await file.write(new Uint8Array(kernels.buffer));
				for (let v = 0; v < VIEWS; v++) kinds.push(kind);
				onProgress?.(++done);
			}
			await file.close();
			await rename(aside, data);
			await writeFileAtomic(list, JSON.stringify({ identity, kinds }));
		} finally {
			await file.close().catch(() => undefined);
			await rm(aside, { force: true });
		}
	}
}
