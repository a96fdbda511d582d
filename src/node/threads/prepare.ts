import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { PreparedData } from "../../training/data.ts";
import {
	assemble,
	type ObservationTask,
	PREPARATION,
	type PreparedIndex,
	type PrepareOptions,
	prepareData,
} from "../../training/prepare.ts";
import type { Source } from "../../training/source.ts";
import { makeFolder, writeFileAtomic } from "../files/files.ts";
import { startProgress } from "../files/progress.ts";
import { INPUTS_WORKER } from "./inputsWorker.ts";
import { mapInWorkers } from "./pool.ts";

interface Index extends PreparedIndex {
	readonly key: string;
	/** Of the binary file and the rest of the index. */
	readonly checksum: number;
}

/**
 * Prepares data in worker threads and keeps it in `folder`: the numbers, as 32-bit floats, and an index with
 * their checksum. What an earlier call left there is taken if it is whole and of the same data; else it is made anew.
 */
export async function prepare(
	source: Source,
	options: PrepareOptions & { readonly folder: string },
): Promise<PreparedData> {
	const { inputs, most, folder } = options;
	const key = createHash("sha256")
		.update(JSON.stringify([PREPARATION, source.identity, source.split]))
		.update(JSON.stringify([inputs, most]))
		.digest("hex");
	const index = (await readIndex(folder, key)) ?? (await make());
	const file = openSync(join(folder, "data.f32"), "r");
	const readAt = (position: number, into: Float32Array) => {
		const view = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
		const got = readSync(file, view, 0, view.length, 4 * position);
		if (got !== view.length)
			throw new Error(`${folder}/data.f32 is shorter than its index says`);
	};
	return assemble(index, inputs, readAt, () => closeSync(file));

	async function make(): Promise<Index> {
		await makeFolder(folder);
		// The half-written file of a run that was killed.
		for (const name of await readdir(folder))
			if (/^data\.\d+\.tmp$/.test(name)) await rm(join(folder, name));
		const aside = join(folder, `data.${process.pid}.tmp`);
		const file = await open(aside, "w");
		let checksum = 0;
		try {
			const { kernels, observations, evaluated } = await prepareData(source, {
				...options,
				async write({ buffer, byteOffset, byteLength }) {
					const bytes = new Uint8Array(buffer, byteOffset, byteLength);
					checksum = crc32(bytes, checksum);
					await file.write(bytes);
				},
				compute: (tasks, onProgress) =>
					mapInWorkers<ObservationTask, Float32Array>(INPUTS_WORKER, tasks, {
						onProgress,
					}),
			});
			await file.sync();
			await file.close();
			await rename(aside, join(folder, "data.f32"));
			const index = { key, kernels, observations, evaluated };
			checksum = crc32(JSON.stringify(index), checksum);
			const whole = { ...index, checksum };
			await writeFileAtomic(join(folder, "index.json"), JSON.stringify(whole));
			return whole;
		} finally {
			await file.close().catch(() => undefined);
			await rm(aside, { force: true });
		}
	}
}

/** The same with a progress bar for the kernels and one for the observations. */
export async function prepareWithBars(
	...[source, options]: Parameters<typeof prepare>
): Promise<PreparedData> {
	const bars = new Map<string, ReturnType<typeof startProgress>>();
	return prepare(source, {
		...options,
		onProgress(what, done, total) {
			const bar = bars.get(what) ?? startProgress(what, total, { unit: what });
			bars.set(what, bar);
			bar.update(done);
			if (done === total) bar.stop();
		},
	}).finally(() => {
		for (const bar of bars.values()) bar.stop();
	});
}

async function readIndex(
	folder: string,
	key: string,
): Promise<Index | undefined> {
	try {
		const index: Index = JSON.parse(
			await readFile(join(folder, "index.json"), "utf8"),
		);
		if (index.key !== key) return undefined;
		const { checksum: claimed, ...rest } = index;
		const file = await open(join(folder, "data.f32"));
		let checksum = 0;
		for await (const chunk of file.createReadStream())
			checksum = crc32(chunk as Uint8Array, checksum);
		return crc32(JSON.stringify(rest), checksum) === claimed
			? index
			: undefined;
	} catch {
		return undefined; // not there, or damaged: it is made again
	}
}
