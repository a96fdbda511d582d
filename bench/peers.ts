/** `npm run bench:peers`: the same work in this engine, tfjs-webgpu and jax-js on one adapter in one run, and in torch on the CPU where there is one. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { runCommand } from "../src/cli/command.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import * as work from "./peers/work.ts";

const LIBRARIES = ["ours", "tfjs", "jax", "torch"];
const folder = new URL("peers/", import.meta.url);
const file = (name: string) => fileURLToPath(new URL(name, folder));

/** Relative to the largest number. Of a training step the first losses count: later ones amplify any rounding. */
const TOLERANCE = 2e-5;
const LOSSES = 5;

interface Result {
	adapter?: string;
	version: string;
	works: Record<string, work.Timing & { error?: string }>;
}

const command = new Command("npm run bench:peers --")
	.description(
		"Times matrix product, convolution, its gradients and a whole training step, each library in a process of its own, and compares their results with ours.",
	)
	.option("-a, --adapter <name>", "a part of the adapter's name", "")
	.option("-w, --works <names...>", Object.keys(work.WORKS).join(", "))
	.option("-l, --libraries <names...>", LIBRARIES.join(", "))
	.option("-j, --json <file>", "the figures, in a file")
	.action(main);
await runCommand(command);

async function main(options: {
	adapter: string;
	works?: string[];
	libraries?: string[];
	json?: string;
}): Promise<void> {
	const works = known("work", options.works, Object.keys(work.WORKS));
	const libraries = known("library", options.libraries, LIBRARIES);
	const results: Record<string, Result> = {};
	const peers = libraries.some((name) => name === "tfjs" || name === "jax");
	if (peers && !existsSync(file("node_modules"))) install();
	for (const library of libraries) {
		// A process for each piece of work: its first run then is the first on a new device. Torch needs seconds to start and compiles nothing.
		const shares = library === "torch" ? [works] : works.map((work) => [work]);
		for (const share of shares) {
			const result = await measure(library, options.adapter, share);
			if (!result) continue;
			const before = results[library]?.works;
			results[library] = { ...result, works: { ...before, ...result.works } };
		}
	}
	const { adapter } = Object.values(results).find((r) => r.adapter) ?? {};
	if (adapter) console.log(`adapter: ${adapter}`);
	console.log(table(works, results));
	if (options.json)
		await writeFileAtomic(
			options.json,
			`${JSON.stringify({ results }, null, "\t")}\n`,
		);
}

/** The peers, into a folder of their own. */
function install(): void {
	const { status } = spawnSync("npm", ["ci", "--no-fund", "--no-audit"], {
		cwd: fileURLToPath(folder),
		stdio: ["ignore", "ignore", "inherit"],
		shell: process.platform === "win32", // npm is a script there
	});
	if (status !== 0)
		throw new Error(
			"npm ci failed in bench/peers: tfjs and jax-js are missing",
		);
}

function known(what: string, given: string[] | undefined, all: string[]) {
	const wrong = given?.find((name) => !all.includes(name));
	if (wrong)
		throw new Error(
			`there is no ${what} "${wrong}"; expected ${all.join(", ")}`,
		);
	return given ?? all;
}

/** Runs one library; undefined where a peer cannot be had or breaks, which is printed. */
async function measure(
	library: string,
	adapter: string,
	works: string[],
): Promise<Result | undefined> {
	const torch = library === "torch";
	const child = torch
		? spawn("python3", [file("torch_cpu.py")])
		: spawn(process.execPath, [file("run.ts"), library, adapter, ...works], {
				// Else lavapipe's first step is only cold the first time.
				env: { ...process.env, MESA_SHADER_CACHE_DISABLE: "true" },
			});
	let output = "";
	let errors = "";
	child.stdout.on("data", (chunk: Buffer) => {
		output += chunk;
	});
	child.stderr.on("data", (chunk: Buffer) => {
		errors += chunk;
	});
	child.stdin.on("error", () => {}); // a process that ends at once reads nothing
	child.stdin.end(
		JSON.stringify({
			...work,
			works,
			LAYERS: work.LAYERS.map(({ weight, bias, ...layer }) => layer),
		}),
	);
	const code = await new Promise<number | null>((resolve) => {
		child.on("error", () => resolve(null));
		child.on("close", resolve);
	});
	const lines = output.split("\n").filter((line) => line.startsWith("{"));
	if (code !== 0 || lines.length === 0) {
		const reason = errors.trim().split("\n").at(-1) || "it did not start";
		if (library === "ours") throw new Error(reason);
		console.log(`${library}, ${works.join(", ")}: left out, ${reason}`);
		return undefined;
	}
	const [head, ...timings] = lines.map((line) => JSON.parse(line));
	return {
		...head,
		works: Object.fromEntries(timings.map(({ work, ...t }) => [work, t])),
	};
}

function table(works: string[], results: Record<string, Result>): string {
	const names = Object.keys(results);
	const rows = [
		["", ...names.map((name) => `${name} ${results[name].version}`)],
	];
	for (const key of works) {
		const { title, gflop } = work.WORKS[key as keyof typeof work.WORKS];
		const ours = results.ours?.works[key];
		const cells = names.map((name) => {
			const t = results[name].works[key];
			if (!t || t.error) return t?.error ?? "-";
			const ratio =
				ours && name !== "ours"
					? `, ${(t.median / ours.median).toPrecision(2)}x`
					: `, ${(gflop / (t.median / 1000)).toFixed(1)} GFLOP/s`;
			return `${t.median.toFixed(t.median < 100 ? 1 : 0)} ms${ratio}${ours ? remark(ours.check, t.check, key) : ""}`;
		});
		rows.push([title, ...cells]);
		if (key === "step")
			rows.push([
				"its first run, compilation included",
				...names.map(
					(name) => `${results[name].works[key]?.cold?.toFixed(0) ?? "-"} ms`,
				),
			]);
	}
	const widths = rows[0].map((_, i) =>
		Math.max(...rows.map((row) => row[i].length)),
	);
	const line = (row: string[]) =>
		`| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
	const [head, ...body] = rows;
	return [
		line(head),
		line(widths.map((w) => "-".repeat(w))),
		...body.map(line),
	].join("\n");
}

/** Says where results differ from ours. */
function remark(ours: number[], theirs: number[], key: string): string {
	const count =
		key === "step" ? Math.min(LOSSES, ours.length, theirs.length) : ours.length;
	const scale = Math.max(...ours.slice(0, count).map(Math.abs));
	const off = ours
		.slice(0, count)
		.map((v, i) => Math.abs(v - theirs[i]) / scale);
	const worst = Math.max(...off);
	return worst <= TOLERANCE ? "" : ` (differs by ${worst.toExponential(0)})`;
}
