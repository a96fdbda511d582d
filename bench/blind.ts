/**
 * `npm run bench:blind`: what is found in maps in which nothing is marked, by density, noise, number of kinds, spread of amplitudes and background, by our method, by SBD-STM, and
 * by other programs' files (--other; bench/blind/others.ts says of which form). Seeded; a row that is in the file of results already is not made again.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { positiveWhole } from "../src/cli/command.ts";
import { makeMaps } from "../src/node/datasets/makeMaps.ts";
import { ourMethod, sbdMethod } from "../src/node/evaluation/blindMethods.ts";
import {
	type BlindFound,
	type BlindInput,
	evaluateBlind,
} from "../src/node/evaluation/evaluateBlind.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { SolveThreads } from "../src/node/threads/solveThreads.ts";
import { levels } from "./blind/levels.ts";
import { readOther } from "./blind/others.ts";
import { type Row, type Rows, tablesOf } from "./blind/tables.ts";

interface Options {
	readonly maps: number;
	readonly seed: number;
	readonly quick: boolean;
	readonly methods: string;
	readonly other?: string;
	readonly filter: string;
	readonly folder: string;
	readonly out: string;
	readonly again: boolean;
}

const options = new Command("npm run bench:blind --")
	.option("--maps <n>", "maps a level", positiveWhole, 2)
	.option("--seed <n>", "seed", positiveWhole, 1)
	.option("--quick", "few and small maps", false)
	.option("--methods <names>", "of ours, sbd", "ours,sbd")
	.option("--other <name=folder>", "also what another program found")
	.option("--filter <text>", "only levels whose name contains it", "")
	.option("--folder <folder>", "where the maps go", "runs/blind")
	.option("--again", "also rows that are there already", false)
	.option(
		"--out <folder>",
		"where rows.json and tables.md go",
		fileURLToPath(new URL("results/blind", import.meta.url)),
	)
	.parse()
	.opts<Options>();

const TITLES: Record<string, string> = {
	ours: "Ours, nothing given",
	sbd: "SBD-STM, given a window on an isolated scatterer of each kind",
	numpy: "The numpy prototype of the method, given the number of kinds",
};

type Find = (input: BlindInput) => Promise<BlindFound>;

const solver = new SolveThreads();
const prior = await (await openWeights()).prior();
const FIND: Record<string, Find> = {
	ours: ourMethod(prior, solver),
	sbd: sbdMethod,
};

const { quick, out } = options;
const all = levels(quick);
const file = join(out, quick ? "quick.json" : "rows.json");
await mkdir(out, { recursive: true });
const rows: Rows = JSON.parse(
	await readFile(file, "utf8").catch(() => '{"rows": {}}'),
).rows;
const [other, otherFolder] = options.other?.split("=") ?? [];
const methods = options.methods.split(",").filter((name) => name !== "");
for (const name of methods)
	if (!(name in FIND))
		throw new RangeError(`--methods: expected ours or sbd, got ${name}`);
if (other) methods.push(other);

for (const method of methods)
	for (const [level, { ranges }] of Object.entries(all)) {
		if (!level.includes(options.filter)) continue;
		if (rows[level]?.[method] && !options.again) continue;
		const folder = join(options.folder, quick ? "quick" : "full", level);
		const { maps, seed } = options;
		await makeMaps({ out: folder, maps, seed, ranges });
		const row = await rowOf(
			folder,
			method === other ? undefined : FIND[method],
			(name) => readOther(otherFolder, level, name),
		);
		if (!row) continue;
		rows[level] = { ...rows[level], [method]: row };
		const { recall, precision, ncc, kinds } = row.mean;
		console.log(
			`${method} ${level}: recall ${recall?.toFixed(3)}, precision ${precision?.toFixed(3)}, NCC ${ncc?.toFixed(3)}, kinds ${kinds?.toFixed(2)}`,
		);
		await writeFileAtomic(file, `${JSON.stringify({ maps, seed, rows })}\n`);
	}
await solver.close();
const tables = tablesOf(rows, all, TITLES);
console.log(tables);
await writeFileAtomic(
	join(out, quick ? "quick.md" : "tables.md"),
	`${tables}\n`,
);

/** Scores and the time of one core; undefined where another program has no file of the first map. */
async function rowOf(
	folder: string,
	find: Find | undefined,
	read: (name: string) => ReturnType<typeof readOther>,
): Promise<Row | undefined> {
	const seconds: Record<string, number> = {};
	const timed: Find = async (input) => {
		if (!find) {
			const found = await read(input.name);
			seconds[input.name] = found.seconds;
			return found;
		}
		const before = process.cpuUsage();
		const found = await find(input);
		const { user, system } = process.cpuUsage(before);
		seconds[input.name] = (user + system) / 1e6;
		return found;
	};
	const { maps, mean } = await evaluateBlind(folder, timed);
	return {
		maps: Object.fromEntries(
			Object.entries(maps).map(([name, score]) => [
				name,
				{ ...score, cpuSeconds: seconds[name] },
			]),
		),
		mean,
	};
}
