/** Where output cannot go: readers that leave, full disks, folders that cannot be written, signals. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { Random } from "../src/random.ts";
import { start } from "./command.ts";
import { sxmFile } from "./formatFixtures.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-output-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const random = new Random(3);
await writeFile(
	at("scan.sxm"),
	sxmFile(() => random.normal(), { nx: 64, ny: 64, range: [4e-8, 4e-8] }),
);
await writeFile(at("marks.csv"), "x,y\n0,0\n50,80\n-90,20\n");
// Work for a minute or more on any machine.
const places = Array.from({ length: 60 }, () =>
	[0, 0].map(() => random.uniform(-480, 480)),
);
await writeFile(at("many.csv"), ["x,y", ...places, ""].join("\n"));
await writeFile(
	at("large.sxm"),
	sxmFile(() => random.normal(), { nx: 192, ny: 192, range: [1e-7, 1e-7] }),
);
const cli = (...args: string[]) => start("src/cli.ts", args, { seconds: 300 });
const extract = (out: string, method: string) => [
	...["extract", at("scan.sxm"), "--scatterers", at("marks.csv")],
	...["--method", method, "--out", at(out)],
];

/** In a shell, with a pipe or a redirection behind the command. */
const piped = (behind: string, ...args: string[]) => {
	const words = [
		process.execPath,
		fileURLToPath(new URL("../src/cli.ts", import.meta.url)),
		...args,
	].map((word) => `'${word}'`);
	const { stderr } = spawnSync(
		"/bin/bash",
		["-c", `${words.join(" ")} ${behind}; echo "codes \${PIPESTATUS[*]}" >&2`],
		{ encoding: "utf8", timeout: 240_000 },
	);
	return stderr;
};
const posix = process.platform === "win32" ? test.skip : test;

posix("a reader that goes away stops no work and is no error", () => {
	assert.match(piped("| true", ...extract("out", "ridge")), /codes 0 0\n$/);
	assert.ok(existsSync(at("out/result.json")));
	const told = piped(
		"| true",
		...["train", "--preset", "smoke", "--out", at("run")],
	);
	assert.match(told, /codes 0 0\n$/);
	assert.not.match(told, /^ {4}at /m);
	assert.ok(existsSync(at("run/report.html")));
});

(existsSync("/dev/full") ? test : test.skip)(
	"output that a full disk loses: one line, exit code 2",
	() => {
		assert.match(
			piped("> /dev/full", "info", at("scan.sxm")),
			/^error: standard output: .*no space.*\ncodes 2\n$/i,
		);
	},
);

posix(
	"a signal ends a busy extraction at once and leaves nothing",
	async () => {
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
			const parent = at(`killed-${signal}`);
			await mkdir(parent);
			const run = cli(
				...["extract", at("large.sxm"), "--scatterers", at("many.csv")],
				...["--out", join(parent, "out")],
			);
			await new Promise((resolve) => run.child.stdout?.once("data", resolve));
			await new Promise((resolve) => setTimeout(resolve, 1500));
			const began = performance.now();
			run.child.kill(signal);
			const ended = await run.ended;
			assert.ok(performance.now() - began < 10_000, "it was deaf");
			assert.is(ended.signal, signal, ended.stderr);
			assert.equal(readdirSync(parent), []);
		}
	},
);

test("what cannot be read or made names its path", async () => {
	const failed = async (args: string[], text: RegExp) => {
		const { code, stderr } = await cli(...args).ended;
		assert.is(code, 1, stderr);
		assert.match(stderr, text);
	};
	const [command, file] = extract("out2", "ridge");
	await failed(
		[command, file, "--scatterers", scratch],
		/^error: .*qpi-output-.*EISDIR.*\n$/,
	);
	await failed(
		[command, file, "--mask", scratch],
		/^error: .*qpi-output-.*EISDIR.*\n$/,
	);
	if (existsSync("/proc/self"))
		await failed(
			[
				command,
				file,
				"--scatterers",
				at("marks.csv"),
				"--method",
				"ridge",
				"--out",
				"/proc/out",
			],
			/^error: \/proc: nothing can be written here.*\n$/,
		);
});

(existsSync("/proc/self") ? test : test.skip)(
	"where no folder can be made every command that makes one says so before it works",
	async () => {
		for (const args of [["generate"], ["train"], ["weights"]]) {
			const run = cli(...args, "--out", "/proc/of/no/process");
			const { code, stderr } = await run.ended;
			assert.not(code === 0);
			assert.match(stderr, /^error: \/proc\/of.*cannot be made here\n$/m);
		}
	},
);

test("training from a folder that cannot be written keeps its data in the run's folder", async () => {
	const data = at("readonly");
	await makeDataset({ out: data, kernels: 12, observations: 2, seed: 1 });
	// Where root runs the tests, a mode of no writing does not keep it from writing: a file in the cache's place does.
	await writeFile(join(data, ".qpi-cache"), "in the way");
	const run = start("bench/train.ts", [
		...["--preset", "smoke", "--data", data, "--out", at("from-readonly")],
	]);
	const { code, stderr } = await run.ended;
	assert.is(code, 0, stderr);
	assert.match(stderr, /warning: no cache/);
	assert.ok(existsSync(at("from-readonly/metrics.json")));
	assert.not(existsSync(at("from-readonly/prepared")));
});

test("without a home, and without the package that draws, what draws nothing works", async () => {
	const hide = at("hide.cjs");
	await writeFile(
		hide,
		`const Module = require("node:module");
		const resolve = Module._resolveFilename;
		Module._resolveFilename = function (name, ...rest) {
			if (name.startsWith("@napi-rs/")) throw new Error("hidden");
			return resolve.call(this, name, ...rest);
		};
		require("node:os").homedir = () => { throw new Error("no home"); };`,
	);
	const env = {
		NODE_OPTIONS: `--require ${hide}`,
		HOME: undefined,
		XDG_CACHE_HOME: undefined,
	};
	const run = (...args: string[]) => start("src/cli.ts", args, { env }).ended;
	assert.is((await run("--version")).code, 0);
	assert.is((await run("info", at("scan.sxm"))).code, 0);
	const drawn = await run(...extract("drawn", "ridge"));
	assert.is(drawn.code, 2, drawn.stderr);
	assert.match(
		drawn.stderr,
		/^error: pictures cannot be drawn: the package @napi-rs\/canvas does not load here/m,
	);
	assert.not(existsSync(at("drawn")));
});

test.run();
