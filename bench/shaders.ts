/**
 * `npm run bench:shaders`: every kernel, in all variants that the tuner may choose from, on shapes of our networks, large squares and tails: checked against
 * float64, then timed, and set against what this adapter can do at most.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { runCommand } from "../src/cli/command.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { VERSION } from "../src/node/files/package.ts";
import { attentions } from "./shaders/attention.ts";
import { convolutions } from "./shaders/conv.ts";
import { measure, type Row } from "./shaders/measure.ts";
import { moves, optimisers } from "./shaders/moves.ts";
import { others } from "./shaders/ops.ts";
import { measurePeaks, peaksShader } from "./shaders/peaks.ts";
import { FORWARD } from "./shaders/row.ts";
import { spectral } from "./shaders/spectral.ts";
import type { Clock } from "./shaders/timing.ts";
import { Chooser } from "./shaders/variants.ts";

interface Options {
	readonly filter: string;
	readonly adapter?: string;
	readonly json?: string;
	readonly allSets?: boolean;
	readonly parts?: boolean;
}

const table = [
	...convolutions,
	...others,
	...attentions,
	...moves,
	...optimisers,
	...spectral,
].flatMap((op) =>
	op.passes
		? op.passes.map((pass) => ({ op, pass, name: `${op.name} ${pass.name}` }))
		: [{ op, pass: FORWARD, name: op.name }],
);

async function bench(options: Options): Promise<void> {
	const wanted = table.filter(({ name }) => name.includes(options.filter));
	if (wanted.length === 0)
		throw new Error(`--filter: no row's name contains "${options.filter}"`);
	if (options.json) statSync(dirname(resolve(options.json)));
	const { adapter } = options;
	const opened = await openGpu({ adapter, profile: true, tune: false });
	const { device, adapterName } = opened;
	const profile = device.features.has("timestamp-query");
	const clock: Clock = profile ? "timestamps" : "wall clock";
	const shaders = { ...loadShaders(), peaks: peaksShader };
	const take = (software: boolean) => {
		const tuner = new Chooser();
		const gpu = {
			shaders,
			adapterName,
			software,
			tuner,
			profile,
		};
		return { tuner, gpu: new Gpu(device, gpu) };
	};
	const own = take(opened.software);
	// One that takes itself for a graphics card.
	const card = options.allSets && opened.software ? take(false) : null;
	const peaks = await measurePeaks(own.gpu, clock);
	console.log(
		`${describeAdapter(own.gpu)}\nby ${clock}; peaks: ${peaks.gflops.toFixed(1)} GFLOP/s, ${peaks.gbs.toFixed(1)} GB/s\n\n${HEAD}`,
	);
	const rows: Row[] = [];
	for (const entry of wanted) {
		const made = await measure(own.gpu, own.tuner, clock, peaks, entry);
		if (card && entry.op.twoSets)
			for (const row of await measure(
				card.gpu,
				card.tuner,
				clock,
				peaks,
				entry,
			))
				made.push({ ...row, variant: `card ${row.variant}`.trim() });
		for (const row of made) {
			console.log(line(row));
			if (options.parts) console.log(partsOf(row));
		}
		rows.push(...made);
	}
	if (options.json)
		await writeFileAtomic(
			options.json,
			`${JSON.stringify({ adapter: adapterName, version: VERSION, clock, peaks, rows }, null, "\t")}\n`,
		);
	own.gpu.dispose();
	card?.gpu.dispose();
	opened.dispose();
}

const columns = (name: string, variant: string, figures: string[]) =>
	`${name.padEnd(46)}${variant.padEnd(14)}${figures.map((f) => f.padStart(9)).join("")}`;

const HEAD = columns("", "", [
	...["ms", "spread", "GFLOP/s", "% peak", "GB/s", "% copy"],
]);

const percent = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} %`;

function line(row: Row): string {
	const { ms, least, most, gflops, flopPercent, gbs, copyPercent } = row;
	return columns(row.name, row.variant, [
		ms.toFixed(ms < 1 ? 3 : 2),
		percent((100 * (most - least)) / ms),
		gflops?.toFixed(1) ?? "",
		flopPercent === null ? "" : percent(flopPercent),
		gbs.toFixed(2),
		percent(copyPercent),
	]);
}

/** The pipelines of a row, each in a line. */
const partsOf = ({ parts }: Row) =>
	Object.entries(parts)
		.map(
			([pipeline, ms]) =>
				`  ${pipeline.padEnd(58)}${ms.toFixed(3).padStart(9)}`,
		)
		.join("\n");

await runCommand(
	new Command("npm run bench:shaders --")
		.description(
			"Checks every kernel and variant against float64, times it, and compares it with this adapter's own peaks: a register-only FMA loop, and a copy.",
		)
		.option("--filter <text>", "only rows whose name contains it", "")
		.option("--adapter <name>", "a part of the adapter's name")
		.option("--json <file>", "where the figures go")
		.option(
			"--all-sets",
			"on a software adapter, the kernels for graphics cards too",
		)
		.option("--parts", "each row's pipelines, where the adapter has timestamps")
		.action(bench),
);
