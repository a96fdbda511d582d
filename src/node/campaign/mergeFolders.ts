/** Folders of parts made into the folder that one machine would have made. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import {
	constants,
	cp,
	readdir,
	readFile,
	rename,
	rm,
	rmdir,
	writeFile,
} from "node:fs/promises";
import { constants as os } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { resultJson } from "../../extraction/results/files.ts";
import { FormatError } from "../../formats/measurement.ts";
import { MANIFEST, type Manifest } from "../../qpi/dataset/manifest.ts";
import { loadManifest } from "../datasets/dataset.ts";
import { TRUTH, type TrueMap } from "../datasets/mapsFolder.ts";
import { makeFolder } from "../files/files.ts";
import { type ShardMark, together } from "../files/shard.ts";
import { CAMPAIGN } from "./folders.ts";
import { readCampaign } from "./record.ts";
import { saveCampaign } from "./summary.ts";

/** What a folder is told by, how its parts are put together, and what that gives, for people. */
const MERGES: Readonly<
	Record<string, (parts: readonly string[], aside: string) => Promise<string>>
> = {
	[CAMPAIGN]: mergeCampaigns,
	[TRUTH]: mergeMaps,
	[MANIFEST]: mergeDatasets,
};

/**
 * Makes `out` of the folders of all parts, all or nothing. Returns what was merged, e.g. "12 maps".
 * @throws FormatError where a folder is no part or the parts differ in kind, Error where they are not one whole or `out` holds something
 */
export async function mergeFolders(
	parts: readonly string[],
	out: string,
): Promise<string> {
	const kinds = parts.map((part) => {
		const kind = Object.keys(MERGES).find((n) => existsSync(join(part, n)));
		if (!kind)
			throw new FormatError(
				`${part}: found none of ${Object.keys(MERGES).join(", ")}, expected a folder that --shard made`,
			);
		return kind;
	});
	const other = kinds.findIndex((kind) => kind !== kinds[0]);
	if (other > 0)
		throw new FormatError(
			`${parts[other]}: found ${kinds[other]}, expected ${kinds[0]} as in ${parts[0]}`,
		);
	return aside(out, (folder) => MERGES[kinds[0]](parts, folder));
}

/** Lets `make` fill a folder beside `out`, which then becomes it. */
async function aside<T>(
	out: string,
	make: (folder: string) => Promise<T>,
): Promise<T> {
	const there = await readdir(out).catch(() => undefined);
	if (there?.length || (!there && existsSync(out)))
		throw new Error(
			`${out} is there already; give a new or empty folder as --out`,
		);
	const folder = join(
		dirname(resolve(out)),
		`.${basename(resolve(out))}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
	);
	const interrupt = (signal: NodeJS.Signals) => {
		rmSync(folder, { recursive: true, force: true });
		console.error("interrupted; nothing was written");
		process.exit(128 + os.signals[signal]);
	};
	const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
	for (const signal of signals) process.once(signal, interrupt);
	try {
		await makeFolder(folder);
		const made = await make(folder);
		if (there) await rmdir(out);
		await rename(folder, out);
		return made;
	} finally {
		for (const signal of signals) process.off(signal, interrupt);
		await rm(folder, { recursive: true, force: true });
	}
}

/** Without a second copy on disk where the file system can do that. */
const copy = (from: string, to: string) =>
	cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });

async function mergeCampaigns(
	parts: readonly string[],
	aside: string,
): Promise<string> {
	const read = await Promise.all(
		parts.map(async (name) => {
			const found = await readCampaign(name);
			const { shard, entries = [], others = [] } = found ?? {};
			return { name, shard, things: entries, others };
		}),
	);
	const entries = together(read);
	const seen = new Map<string, string>();
	for (const { name, things } of read)
		for (const { file, folder, done } of things) {
			const twin = seen.get(folder);
			if (twin !== undefined)
				throw new FormatError(
					`${name}: found ${folder} for ${file}, which ${twin} has too: the parts were made of different lists`,
				);
			seen.set(folder, file);
			if (done) await copy(join(name, folder), join(aside, folder));
		}
	await saveCampaign(aside, { entries, others: [] });
	return `results of ${count(entries.length, "file")}`;
}

interface Truth {
	readonly generator: string;
	readonly seed: number;
	readonly options: unknown;
	readonly shard?: ShardMark;
	readonly maps: Readonly<Record<string, TrueMap>>;
}

async function mergeMaps(
	parts: readonly string[],
	aside: string,
): Promise<string> {
	const read = await Promise.all(
		parts.map(async (name) => {
			const text = await readFile(join(name, TRUTH), "utf8");
			const truth: Truth = JSON.parse(text);
			const maps = Object.entries(truth.maps).map(([map, entry]) => ({
				...{ name, map, entry },
			}));
			return { name, truth, shard: truth.shard, things: maps };
		}),
	);
	same(
		read.map(({ name, truth }) => ({ name, values: truth })),
		["generator", "seed", "options"],
	);
	const all = together(read);
	const names: string[] = [];
	for (const { name, entry } of all)
		for (const file of [entry.file, entry.marks, ...entry.kernels]) {
			await copy(join(name, file), join(aside, file));
			names.push(file);
		}
	const [{ generator, seed, options }] = read.map(({ truth }) => truth);
	const maps = Object.fromEntries(all.map(({ map, entry }) => [map, entry]));
	await writeFile(
		join(aside, TRUTH),
		resultJson({ generator, seed, options, maps }, names),
	);
	return count(all.length, "map");
}

async function mergeDatasets(
	parts: readonly string[],
	aside: string,
): Promise<string> {
	const read = await Promise.all(
		parts.map(async (name) => {
			const manifest = (await loadManifest(name)) as Manifest;
			const { shard, kernels } = manifest;
			const things = kernels.map((kernel) => ({ name, kernel }));
			return { name, manifest, shard, things };
		}),
	);
	same(
		read.map(({ name, manifest }) => ({ name, values: manifest })),
		["generator", "seed", "options", "count"],
	);
	const all = together(read);
	for (const { name, kernel } of all)
		await copy(join(name, kernel.file), join(aside, kernel.file));
	const [{ manifest }] = read;
	const whole: Manifest = { ...manifest, kernels: all.map((k) => k.kernel) };
	delete whole.shard;
	await writeFile(join(aside, MANIFEST), JSON.stringify(whole));
	return count(all.length, "kernel");
}

/** Parts of one whole have these in common. */
function same<T>(
	parts: readonly { readonly name: string; readonly values: T }[],
	keys: readonly (keyof T & string)[],
): void {
	const [first] = parts;
	for (const { name, values } of parts)
		for (const key of keys)
			if (JSON.stringify(values[key]) !== JSON.stringify(first.values[key]))
				throw new FormatError(
					`${name}: found another ${key} than in ${first.name}, expected parts of one whole`,
				);
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
