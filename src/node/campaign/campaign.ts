/** Many inputs, one after the other or some at a time, each by a process of its own; what is done stays done. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FormatError } from "../../formats/measurement.ts";
import { makeFolder } from "../files/files.ts";
import { VERSION } from "../files/package.ts";
import { formatSeconds } from "../files/progress.ts";
import { isIn, markOf, type Shard } from "../files/shard.ts";
import { THREADS, threadCount } from "../threads/threadCount.ts";
import { folderNames } from "./folders.ts";
import { Processes } from "./processes.ts";
import {
	type Campaign,
	type Entry,
	hashOf,
	type Key,
	readCampaign,
	staleness,
} from "./record.ts";
import { rowsOf } from "./rows.ts";
import { saveCampaign } from "./summary.ts";

export interface CampaignOptions {
	/** All of them, also those of other parts. */
	readonly files: readonly string[];
	readonly out: string;
	readonly shard?: Shard;
	/** Processes at a time; they share the threads. */
	readonly jobs: number;
	/** What this program is told to do with a file and a folder. */
	readonly wordsOf: (file: string, folder: string) => readonly string[];
	/** Everything else that results depend on: the options as they were understood, and the files that they name. */
	readonly options: Readonly<Record<string, unknown>>;
	readonly optionFiles: Readonly<Record<string, string>>;
	/** Told a line an input. */
	readonly say: (line: string) => void;
}

export interface CampaignEnd {
	/** Inputs that are to be done, and of these. */
	readonly count: number;
	readonly failed: number;
	/** The exit code where a signal ended it before its end. */
	readonly stopped?: number;
}

/**
 * Processes the inputs that are not done yet. After each one campaign.json and the tables are rewritten, so that finished results are complete whenever the program ends.
 * @throws FormatError where a file that an option names cannot be read, or `out` holds something else
 */
export async function runCampaign(
	options: CampaignOptions,
): Promise<CampaignEnd> {
	const { files, out, shard, jobs, say } = options;
	const base = await keyOf(options);
	const before = await readCampaign(out);
	checkShard(out, before, shard, files.length);
	const earlier = [...(before?.entries ?? []), ...(before?.others ?? [])];
	const known = new Map(earlier.map((entry) => [entry.path, entry]));
	const names = folderNames(
		files,
		new Map(earlier.map(({ path, folder }) => [path, folder])),
	);
	const inputs = files
		.map((file, i) => ({ file, path: resolve(file), folder: names[i] }))
		.filter((_, i) => isIn(shard, i));
	const paths = new Set(files.map((file) => resolve(file)));
	const others = earlier.filter(
		({ path, folder, done }) =>
			done && !paths.has(path) && existsSync(join(out, folder)),
	);
	const entries = inputs.map(({ path }) => known.get(path));
	const mark = markOf(shard, files.length);
	let writing = makeFolder(out);
	const save = () => {
		const there = entries.filter((entry) => entry !== undefined);
		writing = writing.then(() =>
			saveCampaign(out, { ...mark, entries: there, others }),
		);
		return writing;
	};
	await save();

	const processes = new Processes();
	const share = String(Math.max(1, Math.floor(threadCount() / jobs)));
	let next = 0;
	let [ended, ran, failed] = [0, 0, 0];
	const began = performance.now();
	/** As if the others took as long as those that ran so far. */
	const left = () => {
		const seconds = (performance.now() - began) / 1000;
		const rest = inputs.length - ended;
		return rest > 0
			? `, about ${formatSeconds((seconds / ran) * rest)} left`
			: "";
	};
	const tell = (file: string, what: string) =>
		say(`${ended}/${inputs.length} ${file}: ${what}`);
	const lane = async () => {
		while (next < inputs.length && processes.stopped === undefined) {
			const place = next++;
			const { file, path, folder } = inputs[place];
			const bytes = (await hashOf(file)) ?? "";
			const key = { ...base, bytes };
			const old = entries[place];
			const why = old && (await staleness(out, old, key));
			if (old && !why) {
				entries[place] = { ...old, file };
				ended++;
				tell(file, "done before");
				continue;
			}
			if (old?.done) say(`${file}: once more, for ${why}`);
			const words = options.wordsOf(file, join(out, folder));
			const { error, seconds } = await processes.run(words, {
				[THREADS]: share,
			});
			if (error !== undefined && processes.stopped !== undefined) return;
			const entry = { file, path, folder, seconds };
			entries[place] =
				error === undefined
					? { ...entry, done: await doneOf(join(out, folder), key) }
					: { ...entry, error };
			if (error !== undefined) failed++;
			await save();
			ended++;
			ran++;
			const time = `${seconds.toFixed(1)} s`;
			tell(
				file,
				error === undefined
					? `done in ${time}${left()}: ${join(out, folder, "report.html")}`
					: `failed after ${time}${left()}: ${error}`,
			);
		}
	};
	try {
		// Where one lane cannot go on (a full disk), the others end before that is said.
		const halt = (error: unknown) => {
			processes.stop("SIGTERM");
			throw error;
		};
		const lanes = Array.from({ length: jobs }, () => lane().catch(halt));
		await Promise.allSettled(lanes);
		await Promise.all(lanes);
		await save();
	} finally {
		processes.close();
	}
	return { count: inputs.length, failed, stopped: processes.stopped };
}

/** What decides the results besides an input's own bytes: the same for all inputs. */
async function keyOf({
	options,
	optionFiles,
}: CampaignOptions): Promise<Omit<Key, "bytes">> {
	const files: Record<string, string> = {};
	for (const [name, file] of Object.entries(optionFiles)) {
		const hash = await hashOf(file);
		if (!hash) throw new FormatError(`${file}: there is no such file`);
		files[name] = hash;
	}
	return { options, files, version: VERSION };
}

async function doneOf(
	folder: string,
	key: Key,
): Promise<NonNullable<Entry["done"]>> {
	const bytes = await readFile(join(folder, "result.json"));
	const hash = createHash("sha256").update(bytes).digest("hex");
	const result = JSON.parse(bytes.toString());
	// What was read, should the file have changed since it was looked at.
	const read = { ...key, bytes: result.input.sha256 };
	return { key: read, result: hash, rows: rowsOf(result) };
}

/** Parts of one folder would each forget what the others did. */
function checkShard(
	out: string,
	before: Campaign | undefined,
	shard: Shard | undefined,
	total: number,
): void {
	const was = before?.shard;
	const same =
		was && shard
			? was.index === shard.index && was.of === shard.of && was.total === total
			: !was && !shard;
	if (before && !same)
		throw new FormatError(
			`${out} holds ${was ? `part ${was.index}/${was.of} of ${was.total} files` : "results of all files"}; give each part a folder of its own as --out`,
		);
}
