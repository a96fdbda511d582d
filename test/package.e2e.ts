/** The package as it is published: packed, installed into an empty folder, and run by the machine's own Node, which need not know TypeScript. */
import { spawnSync } from "node:child_process";
import {
	existsSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
} from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeNpy } from "../src/formats/npy.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "qpi-package-"));
test.after(() => rm(scratch, { recursive: true }));
const home = join(scratch, "home");

// npm puts this repository's Node, and its other programs, first on the path of its scripts.
const PATH = (process.env.PATH ?? "")
	.split(delimiter)
	.filter((folder) => !/node_modules|node-gyp-bin/.test(folder))
	.join(delimiter);
const foreign = Object.keys(process.env).filter((name) =>
	name.startsWith("npm_"),
);
const env = {
	...process.env,
	...Object.fromEntries(foreign.map((name) => [name, undefined])),
	PATH,
};

function run(command: string, args: string[], cwd: string) {
	const ended = spawnSync(command, args, {
		cwd,
		env,
		encoding: "utf8",
		timeout: 300_000,
	});
	return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

const qpi = (...args: string[]) =>
	run("npx", ["--no-install", "qpi-lens", ...args], home);

test("npm pack, and npm install of the tarball in an empty folder", async () => {
	const packed = run(
		"npm",
		["pack", "--json", "--pack-destination", scratch],
		root,
	);
	assert.is(packed.code, 0, packed.stderr);
	const [{ filename, files }] = JSON.parse(
		packed.stdout.slice(packed.stdout.indexOf("[")),
	);
	const names: string[] = files.map(({ path }: { path: string }) => path);
	assert.ok(
		names.includes("dist/cli.js") && names.includes("shaders/convLanes.wgsl"),
	);
	assert.equal(
		names.filter((name) => /^(src|test|bench)\/|(?<!\.d)\.ts$/.test(name)),
		[],
	);
	await mkdir(home);
	await writeFile(join(home, "package.json"), "{}");
	const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
	const tarball = join(scratch, filename);
	const installed = run("npm", ["install", ...quiet, tarball], home);
	if (installed.code === 0) return;
	console.log(
		"npm install failed, so that this repository's dependencies stand in:",
		/^npm error .*/m.exec(installed.stderr)?.[0],
	);
	const modules = join(home, "node_modules");
	await rm(modules, { recursive: true, force: true });
	await mkdir(join(modules, ".bin"), { recursive: true });
	const place = join(modules, "qpi-lens");
	await mkdir(place);
	assert.is(
		run("tar", ["-xzf", tarball, "-C", place, "--strip-components=1"], home)
			.code,
		0,
	);
	symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
	symlinkSync("../qpi-lens/dist/cli.js", join(modules, ".bin", "qpi-lens"));
	assert.is(run("chmod", ["+x", join(place, "dist/cli.js")], home).code, 0);
});

test("npx qpi-lens: help, version, info and extract", async () => {
	console.log(run("node", ["--version"], home).stdout.trim());
	const help = qpi("--help");
	assert.is(help.code, 0, help.stderr);
	assert.match(help.stdout, /extract \[options\] \[files\.\.\.\]/);
	const { version } = JSON.parse(
		readFileSync(join(root, "package.json"), "utf8"),
	);
	assert.is(qpi("--version").stdout.trim(), version);
	const image = Float32Array.from({ length: 4096 }, (_, i) =>
		Math.cos(0.25 * 6.35 * Math.hypot((i >> 6) - 20, (i & 63) - 30)),
	);
	await writeFile(join(home, "image.npy"), encodeNpy(image, [64, 64]));
	await writeFile(join(home, "marks.csv"), "x,y\n-70,-9\n");
	const info = qpi("info", "image.npy");
	assert.is(info.code, 0, info.stderr);
	assert.match(info.stdout, /npy, 64 x 64 pixels/);
	const extract = qpi(
		"extract",
		"image.npy",
		"--scatterers",
		"marks.csv",
		"--out",
		"kernel",
	);
	assert.is(extract.code, 0, extract.stderr);
	for (const name of ["kernel.npy", "kernel.png", "report.html", "result.json"])
		assert.ok(existsSync(join(home, "kernel", name)), name);
	assert.is(qpi("info", "nothing.sxm").code, 1);
});

test("npx qpi-lens web: the page as a folder, whole and for others to read, or not at all", () => {
	const made = qpi("web", "--out", "public");
	assert.is(made.code, 0, made.stderr);
	for (const name of [
		"index.html",
		"page.js",
		"extractWorker.js",
		"trainWorker.js",
		"sample.3ds",
		"weights/manifest.json",
		"weights/prior.safetensors",
	])
		assert.ok(existsSync(join(home, "public", name)), name);
	assert.is(statSync(join(home, "public")).mode & 0o777, 0o755);
	const again = qpi("web", "--out", "public");
	assert.is(again.code, 1);
	assert.match(again.stderr, /is there already; give a new folder/);
	assert.equal(
		readdirSync(home).filter((name) => name.startsWith(".qpi")),
		[],
	);
});

/** In Node and, by other types, in browsers; that what is wrong is found shows that the types are there. */
const consumer = (platform: string, name = "qpi-lens") => `
import { createEngine, type Gpu, openWeights, ${platform}, tensor } from "${name}";
import { planKernels, Random, randomKernel } from "${name}/physics";
import { readMeasurement } from "${name}/extraction";

const gpu: Gpu = await createEngine();
const { length }: Float32Array = await tensor(gpu, [1, 2, 3]).data();
console.log(length, planKernels(6, 1).length, randomKernel(new Random(1)).number);
console.log(await openWeights().then((weights) => weights.networks.name), ${platform}.name);
gpu.dispose();
export const wrong = [
	// @ts-expect-error
	() => tensor(gpu, [1], "1"),
	// @ts-expect-error
	() => planKernels("6", 1),
	// @ts-expect-error
	() => readMeasurement(1),
];
`;

for (const [moduleResolution, module, platform] of [
	["nodenext", "nodenext", "MachineError"],
	["bundler", "esnext", "NoWebGpuError"],
])
	test(`a program in TypeScript that uses the package: moduleResolution ${moduleResolution}`, async () => {
		const types = join(home, "node_modules", "@webgpu");
		if (!existsSync(types))
			symlinkSync(join(root, "node_modules/@webgpu"), types);
		await writeFile(join(home, "consumer.mts"), consumer(platform));
		const compilerOptions = {
			module,
			moduleResolution,
			target: "es2023",
			strict: true,
			skipLibCheck: true, // @webgpu/types repeats what TypeScript's own library has by now
			types: ["@webgpu/types"],
		};
		await writeFile(
			join(home, "tsconfig.json"),
			JSON.stringify({ compilerOptions, files: ["consumer.mts"] }),
		);
		const tsc = join(root, "node_modules/typescript/bin/tsc");
		const compiled = run("node", [tsc, "-p", "."], home);
		assert.is(compiled.code, 0, compiled.stdout + compiled.stderr);
		if (moduleResolution !== "nodenext") return;
		const ran = run("node", ["consumer.mjs"], home);
		assert.is(ran.code, 0, ran.stderr);
		assert.is(ran.stdout, `3 6 1\nnetworks ${platform}\n`);
	});

test("qpi-lens-web: one package of less than 25 MB, whose types and bundles are all that a page needs", async () => {
	const [page, modules] = [
		join(scratch, "page"),
		join(scratch, "page/node_modules"),
	];
	await mkdir(page);
	await writeFile(join(page, "package.json"), "{}");
	const packed = run(
		"npm",
		["pack", "--json", "--pack-destination", scratch, join(root, "dist-web")],
		root,
	);
	assert.is(packed.code, 0, packed.stderr);
	const [{ filename, unpackedSize, files }] = JSON.parse(packed.stdout);
	assert.ok(unpackedSize < 25e6, `${unpackedSize} bytes`);
	assert.equal(
		files
			.map(({ path }: { path: string }) => path)
			.filter((path: string) => /(?<!\.d)\.ts$|^src|\bnode\//.test(path)),
		[],
	);
	const installed = run(
		"npm",
		[
			"install",
			"--offline",
			"--no-audit",
			"--no-fund",
			join(scratch, filename),
		],
		page,
	);
	assert.is(installed.code, 0, installed.stderr);
	assert.equal(
		readdirSync(modules).filter((name) => !name.startsWith(".")),
		["qpi-lens-web"],
	);
	symlinkSync(join(root, "node_modules/@webgpu"), join(modules, "@webgpu"));
	await writeFile(
		join(page, "consumer.ts"),
		consumer("NoWebGpuError", "qpi-lens-web"),
	);
	const options =
		"--module esnext --moduleResolution bundler --target es2023 --strict --skipLibCheck --types @webgpu/types --noEmit";
	const tsc = join(root, "node_modules/typescript/bin/tsc");
	const compiled = run(
		"node",
		[tsc, ...options.split(" "), "consumer.ts"],
		page,
	);
	assert.is(compiled.code, 0, compiled.stdout + compiled.stderr);
	const { outputFiles } = await build({
		...{ absWorkingDir: page, entryPoints: ["consumer.ts"], write: false },
		...{ bundle: true, format: "esm", platform: "browser" },
	});
	assert.ok(outputFiles[0].contents.length > 300_000);
});

test.run();
