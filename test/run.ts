// Runs test files, each in a process of its own (a device that one file breaks cannot harm the next), and closes with the line "N passed, N failed".
// Fast files (*.test.ts) run two at a time, for most keep one core busy, and so do end-to-end files (*.e2e.ts) that start programs or only compute; the others watch the time,
// drive a browser or build the package, and have the machine for themselves.
//   node test/run.ts                 every file
//   node test/run.ts --fast          without the end-to-end files (*.e2e.ts)
//   node test/run.ts ops engine      files whose name contains one of the words
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("./", import.meta.url);
const words = process.argv.slice(2).filter((w) => !w.startsWith("--"));
const fast = process.argv.includes("--fast");
const files = readdirSync(folder)
	.filter((f) => f.endsWith(".test.ts") || (!fast && f.endsWith(".e2e.ts")))
	.filter((f) => words.length === 0 || words.some((w) => f.includes(w)))
	.sort();
if (files.length === 0) {
	console.error(`no test file's name contains ${words.join(" or ")}`);
	process.exit(1);
}

let passed = 0;
let failed = 0;
const UNWATCHED =
	/^(blind|campaign|cli|evaluateBlind|extract|extractMap|lattice|makeWeights|maps|stack|stream)\./;
/** Whether another may run beside it. */
const isShared = (file: string) =>
	file.endsWith(".test.ts") || UNWATCHED.test(file);
// The longest first: it would be left over in the end.
const shared = files
	.filter(isShared)
	.sort((a, b) => Number(UNWATCHED.test(b)) - Number(UNWATCHED.test(a)));
const lane = async () => {
	for (let file = shared.shift(); file; file = shared.shift())
		await report(file);
};
await Promise.all([lane(), lane()]);
for (const file of files) if (!isShared(file)) await report(file);
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
	if (isShared(file)) process.stdout.write(output);
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
			env: { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" },
		},
	);
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (chunk: Buffer) => {
			output += chunk;
			if (!isShared(file)) process.stdout.write(chunk);
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
