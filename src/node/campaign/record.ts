/** campaign.json: what is done of a campaign. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROGRAM } from "../../extraction/results/files.ts";
import { FormatError } from "../../formats/measurement.ts";
import { writeFileAtomic } from "../files/files.ts";
import type { ShardMark } from "../files/shard.ts";
import { CAMPAIGN, PAGE, TABLE } from "./folders.ts";
import type { Row } from "./rows.ts";

/** Everything that a result depends on, and what it is told by where it differs. */
export interface Key {
	/** SHA-256 of the input. */
	readonly bytes: string;
	/** The options as they were understood. */
	readonly options: Readonly<Record<string, unknown>>;
	/** SHA-256 of the files that options name. */
	readonly files: Readonly<Record<string, string>>;
	readonly version: string;
}

/** An input that was done, or failed. */
export interface Entry {
	/** As it was given, and where that was. */
	readonly file: string;
	readonly path: string;
	/** Below the campaign's. */
	readonly folder: string;
	readonly seconds: number;
	/** Where it is done: what it was made from, the SHA-256 of its result.json, and its rows in the tables. */
	readonly done?: {
		readonly key: Key;
		readonly result: string;
		readonly rows: readonly Row[];
	};
	/** Why it failed. */
	readonly error?: string;
}

export interface Campaign {
	readonly shard?: ShardMark;
	/** The inputs that were given last, in their order. An input that is missing here is still to be done. */
	readonly entries: readonly Entry[];
	/** What earlier runs with other inputs finished in the same folder. */
	readonly others: readonly Entry[];
}

/** What an earlier run left. @throws FormatError where campaign.json is no campaign's, or `out` holds something else of ours */
export async function readCampaign(out: string): Promise<Campaign | undefined> {
	const path = join(out, CAMPAIGN);
	if (!existsSync(path)) {
		const names: string[] = await readdir(out).catch((error) => {
			if (error.code === "ENOTDIR")
				throw new FormatError(`${out} is no folder; give another --out`);
			return [];
		});
		const foreign = ["result.json", TABLE, PAGE].find((n) => names.includes(n));
		if (foreign)
			throw new FormatError(
				`${out} holds other results (${foreign}); give another --out for those of several files`,
			);
		return undefined;
	}
	try {
		const found = JSON.parse(await readFile(path, "utf8"));
		const lists = [found.entries, found.others];
		if (found.program === PROGRAM && lists.every(Array.isArray)) return found;
	} catch {}
	throw new FormatError(
		`${path}: found no campaign of ${PROGRAM}; give another --out`,
	);
}

/** Whole or not at all, also when interrupted. */
export async function writeCampaign(
	out: string,
	{ shard, entries, others }: Campaign,
): Promise<void> {
	const whole = { program: PROGRAM, shard, entries, others };
	const text = `${JSON.stringify(whole, null, "\t")}\n`;
	await writeFileAtomic(join(out, CAMPAIGN), text);
}

/** SHA-256 of a file; undefined where it cannot be read. */
export async function hashOf(file: string): Promise<string | undefined> {
	const hash = createHash("sha256");
	try {
		for await (const chunk of createReadStream(file)) hash.update(chunk);
	} catch {
		return undefined;
	}
	return hash.digest("hex");
}

/** Why an entry is to be done again; undefined where it is as wanted. */
export async function staleness(
	out: string,
	{ done, error, folder }: Entry,
	wanted: Key,
): Promise<string | undefined> {
	if (!done) return `it failed: ${error}`;
	const { key, result } = done;
	if ((await hashOf(join(out, folder, "result.json"))) !== result)
		return `${folder}/result.json is another one or gone`;
	if (key.version !== wanted.version)
		return `it was made by version ${key.version}`;
	if (key.bytes !== wanted.bytes) return "its bytes changed";
	for (const [what, a, b] of [
		["--", key.options, wanted.options],
		["the file of --", key.files, wanted.files],
	] as const)
		for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
			if (JSON.stringify(a[name]) !== JSON.stringify(b[name]))
				return `${what}${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} changed`;
	return undefined;
}
