import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
	type Checkpoint,
	decodeCheckpoint,
	encodeCheckpoint,
} from "../../training/checkpoint.ts";
import { makeFolder, openBytes, writeFileAtomic } from "./files.ts";

/** Everything that decides what a run computes. Two runs with the same configuration on the same adapter give the same bits. */
export type RunConfig = Readonly<Record<string, unknown>>;

const CONFIG = "run.json";
/** Seconds spent so far, while the run is unfinished. */
const SPENT = "seconds.txt";
/** Files that writeFileAtomic() did not live to rename. */
const LEFTOVER = /\.\d+\.[0-9a-f]{8}\.tmp$/;

/** The folder of a training run: its configuration, its checkpoints, and what it writes at the end. */
export class RunFolder {
	readonly path: string;
	readonly #key: string;
	/** Seconds of earlier processes. */
	readonly #before: number;
	readonly #opened = performance.now();

	private constructor(path: string, key: string, before: number) {
		this.path = path;
		this.#key = key;
		this.#before = before;
	}

	/** Seconds spent on the run: by this process, and by earlier ones up to their last checkpoint. */
	get seconds(): number {
		return this.#before + (performance.now() - this.#opened) / 1000;
	}

	/**
	 * Starts a run in `path`, or goes on with the one that is there; what a killed run was writing just then is removed. Throws where `path` holds a run and `resume` is not asked for, where
	 * there is none to resume, or where that one had another configuration.
	 */
	static async open(
		path: string,
		config: RunConfig,
		resume: boolean,
	): Promise<RunFolder> {
		const file = join(path, CONFIG);
		const text = `${JSON.stringify(config, null, "\t")}\n`;
		if (RunFolder.holdsRun(path)) {
			if (!resume)
				throw new Error(
					`${path} already holds a run; give --resume to go on with it, or another --out`,
				);
			const before = await readFile(file, "utf8");
			if (before !== text)
				throw new Error(
					`${path} holds a run with other options: ${differences(before, config)}. Give the same ones, or another --out.`,
				);
		} else {
			if (resume && existsSync(path))
				throw new Error(`${path} holds no run to resume (no ${CONFIG})`);
			if (resume) throw new Error(`there is no run ${path} to resume`);
			const there = existsSync(path)
				? (await readdir(path)).filter((name) => !LEFTOVER.test(name))
				: [];
			if (there.length > 0)
				throw new Error(
					`${path} holds other files (${there[0]}${there.length > 1 ? ", ..." : ""}); give an empty or new folder as --out`,
				);
			await makeFolder(path);
			await writeFileAtomic(file, text);
		}
		for (const name of await readdir(path))
			if (LEFTOVER.test(name)) await rm(join(path, name));
		const before = Number(
			await readFile(join(path, SPENT), "utf8").catch(() => "0"),
		);
		return new RunFolder(
			path,
			JSON.stringify(config),
			before > 0 && before < Number.POSITIVE_INFINITY ? before : 0,
		);
	}

	static holdsRun(path: string): boolean {
		return existsSync(join(path, CONFIG));
	}

	file(name: string): string {
		return join(this.path, name);
	}

	/** The text of a file that the run has written, if it has. */
	async read(name: string): Promise<string | undefined> {
		const path = this.file(name);
		return existsSync(path) ? readFile(path, "utf8") : undefined;
	}

	write(
		name: string,
		data: string | Uint8Array | AsyncIterable<Uint8Array>,
	): Promise<void> {
		return writeFileAtomic(this.file(name), data);
	}

	/** The last checkpoint of a network, if there is one. */
	async checkpoint(network: string): Promise<Checkpoint | undefined> {
		const file = this.file(checkpointName(network));
		if (!existsSync(file)) return undefined;
		const source = await openBytes(file);
		try {
			const key = `${network} ${this.#key}`;
			const checkpoint = await decodeCheckpoint(source, key);
			return { ...checkpoint, close: () => source.close() };
		} catch (error) {
			await source.close();
			throw error;
		}
	}

	async saveCheckpoint(network: string, checkpoint: Checkpoint): Promise<void> {
		await this.write(
			checkpointName(network),
			encodeCheckpoint(checkpoint, `${network} ${this.#key}`),
		);
		await this.write(SPENT, `${this.seconds.toFixed(1)}\n`);
	}

	/** Removes what only an unfinished run needs. */
	async removeScratch(): Promise<void> {
		for (const name of ["prepared", SPENT])
			await rm(this.file(name), { recursive: true, force: true });
	}
}

function checkpointName(network: string): string {
	return `${network}.checkpoint.safetensors`;
}

function differences(before: string, config: RunConfig): string {
	let old: RunConfig;
	try {
		old = JSON.parse(before);
	} catch {
		return `${CONFIG} is no JSON`;
	}
	const show = (value: unknown) => JSON.stringify(value) ?? "nothing";
	return [...new Set([...Object.keys(old), ...Object.keys(config)])]
		.filter((name) => show(old[name]) !== show(config[name]))
		.map((name) => `${name} ${show(old[name])}, now ${show(config[name])}`)
		.join("; ");
}
