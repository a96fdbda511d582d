import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { kernelFileName, makeAxis } from "../src/qpi/dataset/format.ts";
import { writeKernelFile } from "../src/qpi/dataset/writeCsv.ts";
import { type Ended, start } from "./command.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-adapter-"));
test.after(() => rm(scratch, { recursive: true }));
const out = join(scratch, "run");

const train = (args: string[], env?: NodeJS.ProcessEnv): Promise<Ended> =>
	start("bench/train.ts", ["--preset", "smoke", "--out", out, ...args], { env })
		.ended;

/** The run ended with `code` and one line of error, and left no folder. */
function refused({ code, stderr }: Ended, expected: number, text: RegExp) {
	assert.is(code, expected, stderr);
	// Progress may come before it, and what loader and driver say on their own.
	const [line, ...others] = stderr
		.split("\n")
		.filter((l) => !/^(reading .*|Warning: .*| {4}at Check.*|)$/.test(l));
	assert.equal(others, []);
	assert.match(line, /^error: /);
	assert.match(line, text);
	assert.not(existsSync(out), "a folder was left");
}

/** Refused by this file, for the adapter's sake: asks for what ends soon after the adapter is opened. */
const onlyOpen = ["--data", join(scratch, "nowhere")];
const opened = async (env: NodeJS.ProcessEnv) => {
	const ended = await train(onlyOpen, { QPI_LENS_ADAPTER: undefined, ...env });
	refused(ended, 1, /nowhere/);
	console.log(ended.stdout.trim());
	return ended.stdout;
};

// Loader and drivers are looked for like this on Linux only.
const linux = process.platform === "linux";
const linuxTest = linux ? test : test.skip;
if (!linux) console.log("skipped: how a Vulkan driver is found is Linux's own");

/** An environment in which the linker finds no Vulkan loader: the first libvulkan.so.1 on its path is no library. */
async function withoutLoader(): Promise<NodeJS.ProcessEnv> {
	const folder = join(scratch, "loader");
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, "libvulkan.so.1"), "no library");
	return { LD_LIBRARY_PATH: folder };
}

const NO_DRIVER = { VK_DRIVER_FILES: "/nonexistent.json" };

test("precision f16 on a software adapter: exit code 2 and what is missing", async () => {
	const args = ["--precision", "f16", "--adapter", "swiftshader"];
	refused(
		await train(args),
		2,
		/precision f16: ".*" lacks the feature shader-f16, .*matrices of f16/,
	);
});

test("an adapter that is not there: exit code 2 and what to install, by option and by variable", async () => {
	const text =
		/no WebGPU adapter is named like "voodoo".* Install a Vulkan driver/i;
	refused(await train(["--adapter", "Voodoo"]), 2, text);
	refused(await train([], { QPI_LENS_ADAPTER: "voodoo" }), 2, text);
});

test("the adapter is named, a software one with a hint; the option wins over the variable", async () => {
	const { stdout, ...ended } = await train(
		["--adapter", "swiftshader", ...onlyOpen],
		{ QPI_LENS_ADAPTER: "voodoo" },
	);
	refused({ stdout, ...ended }, 1, /nowhere/);
	assert.match(stdout, /^adapter: SwiftShader .*software driver.* lavapipe/);
});

linuxTest(
	"without a driver of the system the embedded SwiftShader runs, asked for or not",
	async () => {
		const asked = { QPI_LENS_ADAPTER: "swiftshader" };
		assert.match(await opened({ ...NO_DRIVER, ...asked }), /: SwiftShader/);
		assert.match(await opened(NO_DRIVER), /: SwiftShader/);
	},
);

linuxTest("without a Vulkan loader too", async () => {
	assert.match(await opened(await withoutLoader()), /: SwiftShader/);
});

linuxTest(
	"no loader and no embedded driver: exit code 2 and what to install",
	async () => {
		const hide = join(scratch, "hide.cjs");
		await writeFile(
			hide,
			`const Module = require("node:module");
		const resolve = Module._resolveFilename;
		Module._resolveFilename = function (name, ...rest) {
			if (name.startsWith("@sparticuz/")) throw new Error("hidden");
			return resolve.call(this, name, ...rest);
		};`,
		);
		const ended = await train([], {
			...(await withoutLoader()),
			QPI_LENS_ADAPTER: undefined,
			NODE_OPTIONS: `--require ${hide}`,
		});
		refused(ended, 2, /SwiftShader is not installed\. Install a Vulkan driver/);
	},
);

const BAD: [string[], RegExp][] = [
	[["--seed", "-1"], /--seed.*'-1' is invalid\. Expected a whole number/],
	[["--preset", "huge"], /--preset.*smoke, quick, compact/],
	[["--inputs", "raw"], /--inputs.*physics, centred, paper/],
	[["--epochs", "1,2"], /--epochs.*three whole numbers.*VAE,aligner,one-step/],
	[["--epochs", "1,0,2"], /--epochs.*three whole numbers/],
	[["--velocity"], /unknown option '--velocity'/],
	[["extra"], /too many arguments/],
];
for (const [args, text] of BAD)
	test(`${args.join(" ")}: exit code 1 and one line`, async () => {
		refused(await train(args), 1, text);
	});

test("--help explains every option and preset", async () => {
	const { code, stdout } = await train(["--help"]);
	assert.is(code, 0);
	for (const word of ["preset", "data", "out", "seed", "inputs", "resume"])
		assert.match(stdout, `--${word}`);
	for (const word of [
		"--adapter",
		"--epochs",
		"--skip-bad",
		"compact",
		"QPI_LENS_ADAPTER",
	])
		assert.match(stdout, word);
});

test("--data without a folder, without kernels, and with a broken file: exit code 1, and where", async () => {
	refused(await train(onlyOpen), 1, /nowhere: .*no such folder.*expected/);
	const data = join(scratch, "data");
	await mkdir(data);
	refused(await train(["--data", data]), 1, /no kernel files.*Kernel number1/);

	const image = new Float32Array(4096).fill(1);
	const name = kernelFileName(3);
	const file = { kernel: image, axis: makeAxis(), images: [image, image] };
	const text = [
		...writeKernelFile({ ...file, scatterers: [[{ x: 0, y: 0 }], []] }, name),
	].join("");
	// The second image's 11th value.
	const rows = text.split("\n");
	const row = rows.length - 2;
	const fields = rows[row].split(",");
	fields[10] = "broken";
	rows[row] = fields.join(",");
	await writeFile(join(data, name), rows.join("\n"));
	const ended = await train(["--data", data]);
	refused(ended, 1, /"broken"/);
	for (const part of [
		join(data, name),
		`row ${row + 1}`,
		"column 11",
		"expected",
	])
		assert.match(ended.stderr, part);
	// Of one file nothing is left without it.
	const skipped = await train(["--data", data, "--skip-bad"]);
	refused(skipped, 1, /no good file/);
});

test("--data of which --skip-bad leaves no kernel to train on", async () => {
	const data = join(scratch, "untrained");
	const { kernels, split } = await makeDataset({
		out: data,
		kernels: 12,
		observations: 1,
		seed: 1,
	});
	for (const { file, number } of kernels)
		if (split.train.includes(number)) await rm(join(data, file));
	const ended = await train(["--data", data, "--skip-bad"]);
	assert.is(ended.code, 1);
	assert.match(
		ended.stderr,
		/\nerror: none of the 4 kernels is one to train on/,
	);
	assert.not(existsSync(out));
});

test("a folder that holds something else, and a run that is not there to resume", async () => {
	const foreign = join(scratch, "foreign");
	await mkdir(foreign);
	await writeFile(join(foreign, "notes.txt"), "");
	refused(await train(["--out", foreign]), 1, /other files \(notes\.txt\)/);
	refused(await train(["--resume"]), 1, /there is no run .* to resume/);
});

test.run();
