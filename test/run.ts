// Runs test files, each in a process of its own (a device that one file breaks cannot harm the next), and closes with the line "N passed, N failed".
// Two run at a time, for most keep one core busy. Those that build the package or the page write to dist/, so of them only one runs at a time.
//   node test/run.ts                 every file
//   node test/run.ts --fast          those of up to three seconds: neither the end-to-end files (*.e2e.ts) nor those that are listed below
//   node test/run.ts ops engine      files whose name contains one of the words
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("./", import.meta.url);
/** Hundreds of programs are started: what Node made of their sources is kept, which halves the time that each takes to start. */
const CACHE = fileURLToPath(
	new URL("../node_modules/.cache/node/", import.meta.url),
);
const words = process.argv.slice(2).filter((w) => !w.startsWith("--"));
const fast = process.argv.includes("--fast");
/** Files of more than three seconds on two quiet cores. */
const LONG = new Set(
	`autoencoderKL background conv cuts dataset field fuzzOps fuzzReaders generator goldens hostileFiles largeShapes lattice latticeTake learnPrior mapPosterior
	matrix models nearEnergies networkMap nonFinite ops otherKernels pace phase preprocess qLimit report results sbd scattering shards shippedWeights symmetry
	tasks training tuner wide wideSet`
		.split(/\s+/)
		.map((name) => `${name}.test.ts`),
);
const all = readdirSync(folder).filter((f) => /\.(test|e2e)\.ts$/.test(f));
const files = all
	.filter((f) => !fast || (f.endsWith(".test.ts") && !LONG.has(f)))
	.filter((f) => words.length === 0 || words.some((w) => f.includes(w)))
	.sort();
const gone = [...LONG].filter((name) => !existsSync(new URL(name, folder)));
if (gone.length > 0) throw new Error(`no longer there: ${gone.join(", ")}`);
const unknown = words.filter((w) => !all.some((f) => f.includes(w)));
if (unknown.length > 0) {
	console.error(`no test file's name contains ${unknown.join(" or ")}`);
	process.exit(1);
}

if (files.length === 0) {
	console.error("none of these files takes up to three seconds");
	process.exit(1);
}

let passed = 0;
let failed = 0;
const BUILDS = /^(embed|package|page\w*)\.e2e/;
// Whole programs first, then what is known to take long: a long one would be left over in the end.
const rank = (file: string) =>
	file.endsWith(".e2e.ts") ? 0 : LONG.has(file) ? 1 : 2;
files.sort((a, b) => rank(a) - rank(b));
const builds = files.filter((file) => BUILDS.test(file));
const others = files.filter((file) => !BUILDS.test(file));
const lane = async (queues: string[][]) => {
	for (const queue of queues)
		for (let file = queue.shift(); file; file = queue.shift())
			await report(file);
};
await Promise.all([lane([builds, others]), lane([others])]);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function report(file: string): Promise<void> {
	const start = performance.now();
	const { output, code } = await run(file);
	const total = count(output, "Total");
	const good = count(output, "Passed");
	// A file that dies before its summary counts as one failure.
	const bad = total === 0 || code !== 0 ? Math.max(1, total - good) : 0;
	passed += good;
	failed += bad;
	const seconds = ((performance.now() - start) / 1000).toFixed(1);
	process.stdout.write(output);
	console.log(
		`${bad ? "FAILED" : "ok    "} ${file}: ${good} of ${total} in ${seconds} s`,
	);
}

function run(file: string): Promise<{ output: string; code: number | null }> {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL(file, folder))],
		{
			stdio: ["ignore", "pipe", "pipe"],
			env: {
				...{ NODE_COMPILE_CACHE: CACHE, ...process.env },
				...{ FORCE_COLOR: "0", NO_COLOR: "1" },
			},
		},
	);
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (chunk: Buffer) => {
			output += chunk;
		});
	// A driver that hangs must not hang everything.
	const limit = setTimeout(() => child.kill("SIGKILL"), 15 * 60_000);
	return new Promise((resolve) => {
		child.on("close", (code) => {
			clearTimeout(limit);
			resolve({ output, code });
		});
	});
}

/** Sums the figures behind `label` in uvu's summaries. */
function count(output: string, label: string): number {
	let sum = 0;
	for (const match of output.matchAll(
		new RegExp(`^\\s*${label}:\\s+(\\d+)`, "gm"),
	))
		sum += Number(match[1]);
	return sum;
}
