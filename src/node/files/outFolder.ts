/** A folder of results that is whole or not there: made aside, then moved to its place. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { PROGRAM, resultJson } from "../../extraction/results/files.ts";
import { makeFolder, naming } from "./files.ts";

export class OutFolder {
	/** Where the files are in the end. */
	readonly path: string;
	/** Moved last: says that the folder is ours, and which files in it are. */
	readonly #contents: string;
	readonly #aside: string;
	readonly #names: string[] = [];
	#begun = false;
	readonly #interrupt = (signal: NodeJS.Signals) => {
		rmSync(this.#aside, { recursive: true, force: true });
		console.error("interrupted; nothing was written");
		process.exit(128 + constants.signals[signal]);
	};

	private constructor(path: string, contents: string) {
		this.path = path;
		this.#contents = contents;
		const name = `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
		this.#aside = join(dirname(path), name);
	}

	/**
	 * A folder that appears at `path` with `commit`. Until then nothing is there, and a signal that ends the program leaves nothing behind. Until the first `write` the system itself
	 * handles signals, so that they end even a program that is busy computing. Earlier results in `path` are replaced. Throws where `path` holds other files.
	 * @param contents the file that `commit` writes
	 * @param force whether other files may be there: those of the same name are replaced, the others stay; left out by callers that have no such option
	 */
	static async create(
		path: string,
		contents = "result.json",
		force?: boolean,
	): Promise<OutFolder> {
		const out = new OutFolder(resolve(path), contents);
		const names = existsSync(path)
			? await readdir(path).catch(() => {
					throw new Error(`${path} is no folder; give another --out`);
				})
			: [];
		if (names.length > 0 && !force && !(await earlier(path, contents)))
			throw new Error(
				`${path} holds other files (${names[0]}${names.length > 1 ? ", ..." : ""}); give an empty or new folder as --out${force === undefined ? "" : ", or --force to write beside them"}`,
			);
		checkPlace(out.path);
		await removeLeftovers(out.path);
		return out;
	}

	/** Writes a file of the results. */
	async write(name: string, data: string | Uint8Array): Promise<void> {
		if (!this.#begun) {
			this.#begun = true;
			for (const signal of SIGNALS) process.once(signal, this.#interrupt);
			await makeFolder(this.#aside);
		}
		await naming(
			join(this.path, name),
			writeFile(join(this.#aside, name), data),
		);
		this.#names.push(name);
	}

	/** Puts the results in their place; `result` becomes the file of contents, with the list of all others. */
	async commit(result: Record<string, unknown>): Promise<void> {
		await this.write(this.#contents, resultJson(result, this.#names));
		// These few moves are not worth interrupting.
		for (const signal of SIGNALS)
			process.off(signal, this.#interrupt).on(signal, wait);
		try {
			if (existsSync(this.path)) {
				for (const name of (await earlier(this.path, this.#contents)) ?? [])
					await rm(join(this.path, name), { force: true });
				for (const name of this.#names)
					await rename(join(this.#aside, name), join(this.path, name));
			} else await rename(this.#aside, this.path);
		} finally {
			for (const signal of SIGNALS) process.off(signal, wait);
			await this.discard();
		}
	}

	/** Removes what was written and not committed. */
	async discard(): Promise<void> {
		for (const signal of SIGNALS) process.off(signal, this.#interrupt);
		await rm(this.#aside, { recursive: true, force: true });
	}
}

/** Removes what killed programs were making of this folder; what one that still runs makes stays. */
async function removeLeftovers(path: string): Promise<void> {
	const parent = dirname(path);
	const ours = `.${basename(path)}.`;
	for (const name of await readdir(parent).catch(() => [])) {
		const pid = /^(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name.slice(ours.length))?.[1];
		if (name.startsWith(ours) && pid && !runs(Number(pid)))
			await rm(join(parent, name), { recursive: true, force: true });
	}
}

/** Whether there is such a process, ours or another user's. */
function runs(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code !== "ESRCH";
	}
}

/** Throws where nothing can be made at `path`: found out before the work, and not after it. */
function checkPlace(path: string): void {
	let folder = dirname(path);
	while (!existsSync(folder)) folder = dirname(folder);
	const probe = join(
		folder,
		`.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
	);
	try {
		mkdirSync(probe);
		rmdirSync(probe);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		throw Object.assign(
			new Error(
				`${folder}: nothing can be written here (${code}); give another --out`,
			),
			{ code: code === "ENOENT" ? "EACCES" : code },
		);
	}
}

const wait = () => {};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The files of earlier results in a folder, the list of contents first; undefined where there are none of ours. */
async function earlier(
	path: string,
	contents: string,
): Promise<string[] | undefined> {
	try {
		const result = JSON.parse(await readFile(join(path, contents), "utf8"));
		if (result.program !== PROGRAM) return undefined;
		const ours = (name: unknown) =>
			typeof name === "string" && /^[\w-][\w.-]*$/.test(name);
		return [contents, ...result.files.filter(ours)];
	} catch {
		return undefined;
	}
}
