// What the engine's README promises to those who embed the engine: its snippets, in Node and in a page, and the pages of src/web/examples/. All on the package as it is built.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CODE_FROM_TEXT } from "../src/build/browser.ts";
import { serve } from "../src/node/files/serve.ts";
import { listen, openBrowser } from "./browser.ts";

declare global {
	/** In the page: milliseconds of its longest task. */
	var longest: number;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const text = (file: string) => readFileSync(join(root, file), "utf8");

function node(args: string[], input = ""): string {
	const ended = spawnSync(process.execPath, args, {
		cwd: root,
		input,
		encoding: "utf8",
		timeout: 120_000,
	});
	assert.is(ended.status, 0, ended.stderr);
	return ended.stdout;
}
node(["src/build/library.ts"]);

const [, section] = text("src/engine/README.md").split(
	"\n## Embed the engine\n",
);
const snippets = [
	...section.split("\n## ")[0].matchAll(/```js\n(.*?)```/gs),
].map(([, code]) => ({
	code,
	title: /import \{ (.*?) \}/.exec(code)?.[1],
	logs: [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(
		([, values]) => JSON.parse(`[${values}]`),
	),
}));

/** Makes a module say its values as JSON, a line for each console.log. */
const SAY = `{
	const { log } = console;
	const plain = (_, value) => ArrayBuffer.isView(value) ? [...value] : value;
	console.log = (...values) => log(JSON.stringify(values, plain));
}\n`;
/** Finds a driver, the embedded one where the machine has none, for those who open a device themselves. */
const DRIVER = `import { openAdapter } from "./src/node/device/adapter.ts";
await openAdapter();\n`;

/** Whole numbers are meant as they are, others to the digits that are shown. */
function checkClose(found: unknown, expected: unknown, where: string): void {
	if (Array.isArray(expected) && Array.isArray(found)) {
		assert.is(found.length, expected.length, where);
		expected.forEach((one, i) => {
			checkClose(found[i], one, `${where}[${i}]`);
		});
	} else if (typeof expected === "number" && typeof found === "number") {
		const digits = String(expected).split(".")[1]?.length ?? 5;
		const off = Math.abs(found - expected);
		assert.ok(off <= 0.51 * 10 ** -digits, `${where}: ${found}`);
	} else assert.is(found, expected, where);
}

const pageFolder = await mkdtemp(join(tmpdir(), "qpi-embed-"));
const { exports } = JSON.parse(text("package.json"));
const imports = Object.fromEntries(
	["./engine", ".", "./physics", "./extraction"].map((name) => {
		const file = exports[name].default.default ?? exports[name].default;
		return [name.replace(".", "qpi-lens"), file.slice(1)];
	}),
);
await writeFile(
	join(pageFolder, "index.html"),
	`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script>`,
);
const served = await serve({
	"/": pageFolder,
	...Object.fromEntries(
		["dist", "data", "src/web/examples"].map((name) => [
			`/${basename(name)}/`,
			join(root, name),
		]),
	),
});
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
	await rm(pageFolder, { recursive: true });
});

test("the engine's README has snippets", () => {
	assert.ok(snippets.length >= 6, `${snippets.length} snippets`);
	for (const { title, logs } of snippets.slice(1))
		assert.ok(logs.length > 0, `nothing is expected of ${title}`);
});

for (const { code, logs, title } of snippets) {
	test(`in Node: ${title}`, () => {
		const driver = code.includes("requestAdapter") ? DRIVER : "";
		const said = node(["--input-type=module"], driver + SAY + code);
		const lines = said.split("\n").filter((line) => line !== "");
		checkClose(
			lines.map((line) => JSON.parse(line)),
			logs,
			"logs",
		);
	});

	test(`in a page: ${title}`, async () => {
		const page = await browser.newPage();
		const complaints = listen(page);
		const lines: string[] = [];
		page.on("console", (message) => {
			if (message.type() === "log") lines.push(message.text());
		});
		await page.goto(served.url);
		await page.evaluate(
			(code) =>
				import(
					URL.createObjectURL(new Blob([code], { type: "text/javascript" }))
				),
			SAY + code,
		);
		checkClose(
			lines.map((line) => JSON.parse(line)),
			logs,
			"logs",
		);
		assert.equal(complaints, []);
		await page.close();
	});
}

/** What a module in a page throws, in words. */
const thrown = async (code: string): Promise<string> => {
	const page = await browser.newPage();
	await page.goto(served.url);
	const error = await page
		.evaluate((code) => import(`data:text/javascript,${code}`), code)
		.then(() => "nothing", String);
	await page.close();
	return error;
};

test("weights that are not there are named by their address", async () => {
	assert.match(
		await thrown(
			'import { openWeights } from "qpi-lens"; await openWeights("/nowhere/");',
		),
		/\/nowhere\/manifest\.json: found 404/,
	);
});

test("inputs of another size are refused before anything runs", async () => {
	assert.match(
		await thrown(
			'import { createEngine, openWeights } from "qpi-lens"; const networks = await (await openWeights()).networks(await createEngine()); await networks.infer("oneStep", [new Float32Array(4096)]);',
		),
		/RangeError: infer: inputs of 4096 values; expected 64 x 64 x 5/,
	);
});

test("a bundler for browsers takes the bundles, and no file for Node", async () => {
	const { metafile } = await build({
		stdin: { contents: snippets[0].code, resolveDir: root },
		bundle: true,
		platform: "browser",
		write: false,
		metafile: true,
		logLevel: "error",
	});
	assert.equal(
		Object.keys(metafile.inputs).filter(
			(file) => file !== "<stdin>" && !/node_modules\/h5wasm\//.test(file),
		),
		Object.values(imports).map((file) => file.slice(1)),
	);
});

test("a bundle for Node runs where the package is not", async () => {
	const folder = await mkdtemp(join(tmpdir(), "qpi-node-bundle-"));
	const outfile = join(folder, "program.mjs");
	await build({
		stdin: { contents: SAY + snippets[1].code, resolveDir: root },
		bundle: true,
		platform: "node",
		format: "esm",
		outfile,
		logLevel: "error",
	});
	await mkdir(join(folder, "node_modules"));
	const dawn = "node_modules/webgpu"; // an addon stays a package
	await symlink(join(root, dawn), join(folder, dawn));
	checkClose([JSON.parse(node([outfile]))], snippets[1].logs, "logs");
	await rm(folder, { recursive: true });
});

test("the bundles import nothing and make no code from text", () => {
	const [notice, ...files] = readdirSync(join(root, "dist/browser"));
	assert.is(notice, "NOTICE.txt");
	assert.equal(files, ["engine.js", "extraction.js", "index.js", "physics.js"]);
	for (const file of files) {
		// Of the optional library for HDF5 files; a bundler may miss it.
		const code = text(`dist/browser/${file}`).replace(
			'import("h5wasm").catch(',
			"(",
		);
		assert.not.match(
			code,
			/\bimport\s*[("'{*]|\bimport\s+\w+\s+from|[}*]\s*from\s*["']|\brequire\(/,
			file,
		);
		assert.not.match(code, CODE_FROM_TEXT, file);
	}
});

test("src/web/examples/vae.html learns to show kernels, and stays responsive", async () => {
	const page = await browser.newPage();
	const complaints = listen(page);
	await page.addInitScript(() => {
		globalThis.longest = 0;
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries())
				globalThis.longest = Math.max(duration, globalThis.longest);
		}).observe({ type: "longtask", buffered: true });
	});
	await page.goto(`${served.url}examples/vae.html`);
	const correlation = async () => {
		const captions = await page.locator("#captions span").allTextContents();
		assert.is(captions.length, 8);
		const values = captions.map((text) =>
			Number(/NCC (-?[\d.]+)/.exec(text)?.[1]),
		);
		return values.reduce((a, b) => a + b) / values.length;
	};
	await page.waitForSelector("#captions span", { timeout: 120_000 });
	const early = await correlation();
	await page.waitForFunction(() => {
		const status = document.querySelector("#status")?.textContent;
		return Number(/Step (\d+)/.exec(`${status}`)?.[1]) >= 32;
	});
	const late = await correlation();
	assert.ok(late > early + 0.1, `correlation from ${early} to ${late}`);
	// The chart is logarithmic, 44 units a decade, and its y points down.
	const curve = await page.locator("polyline").getAttribute("points");
	const heights = `${curve}`
		.trim()
		.split(" ")
		.map((point) => Number(point.split(",")[1]));
	const decades = ((heights.at(-1) ?? 0) - heights[0]) / 44;
	assert.ok(decades > Math.log10(1.5), `the loss fell by 10^${decades}`);
	const colours = await page.locator("#found").evaluate((canvas) => {
		const { width, height } = canvas as HTMLCanvasElement;
		const context = (canvas as HTMLCanvasElement).getContext("2d");
		const pixels = context?.getImageData(0, 0, width, height).data ?? [];
		const strong = { red: 0, blue: 0 };
		for (let at = 0; at < pixels.length; at += 4)
			if (pixels[at + 3] > 200)
				strong[pixels[at] > pixels[at + 2] ? "red" : "blue"]++;
		return strong;
	});
	assert.ok(
		colours.red > 20 && colours.blue > 20,
		`${JSON.stringify(colours)} of full colour`,
	);
	const [longest, all] = await page.evaluate(() => [
		globalThis.longest,
		performance.now(),
	]);
	// On a machine that others use as well everything takes longer; a page that computed all at once would be deaf for most of the time.
	const allowed = Math.max(3000, all / 5);
	assert.ok(longest < allowed, `a task of ${longest} ms in ${all} ms`);
	assert.equal(complaints, []);
	await page.close();
});

/** The points of a polyline. */
const pointsOf = async (page: Page, name: string) =>
	`${await page.locator(name).getAttribute("points")}`
		.trim()
		.split(" ")
		.map((point) => point.split(",").map(Number));

test("examples/digits.html learns digits, and knows one that is drawn", async () => {
	const page = await browser.newPage();
	const complaints = listen(page);
	await page.goto(`${served.url}examples/digits.html`);
	await page.waitForFunction(
		() => {
			const points = document
				.querySelector("#accuracy")
				?.getAttribute("points");
			return `${points}`.trim().split(" ").length >= 4;
		},
		{ timeout: 120_000 },
	);
	// 75 units are all of the test digits.
	const accuracy = (await pointsOf(page, "#accuracy")).map(
		([, y]) => (81 - y) / 75,
	);
	assert.ok(accuracy[0] < 0.4 && accuracy[3] > 0.9, `${accuracy}`);
	const wrong = await page.locator("#wrong figcaption").allTextContents();
	assert.ok(wrong.length > 0 && wrong.length <= 14, `${wrong}`);
	for (const text of wrong) assert.match(text, /^\d as \d$/);

	await page.waitForSelector("#status:has-text('Done')", { timeout: 120_000 });
	const box = await page.locator("#pad").boundingBox();
	assert.ok(box);
	const to = ([x, y]: number[]) => page.mouse.move(box.x + x, box.y + y);
	const seven = [
		[50, 30],
		[150, 30],
		[90, 180],
	];
	await to(seven[0]);
	await page.mouse.down();
	for (const point of seven.slice(1)) await to(point);
	await page.mouse.up();
	await page.waitForSelector("#bars b:has-text('7')");
	await page.click("#clear");
	await page.waitForFunction(() => !document.querySelector("#bars b"));
	assert.equal(complaints, []);
	await page.close();
});

test("examples/ownOp.html checks the op, learns with it, and shows what is wrong with it", async () => {
	const page = await browser.newPage();
	const complaints = listen(page);
	await page.goto(`${served.url}examples/ownOp.html`);
	const status = page.locator("#status");
	await page.waitForSelector("#status:has-text('Done 400 of 400')");
	const loss = Number(
		/loss ([\d.]+)\./.exec(`${await status.textContent()}`)?.[1],
	);
	assert.ok(loss < 0.01, `loss ${loss}`);
	const heights = async (name: string) =>
		(await pointsOf(page, name)).map(([, y]) => y);
	const [y, slope] = [await heights("#values"), await heights("#slopes")];
	assert.is(y.length, 301);
	// exp(-x^2) sin(3 x) is 0 and steepest at 0, and odd.
	assert.is(y[150], 80);
	assert.is(Math.min(...slope), slope[150]);
	assert.ok(Math.abs(y[100] + y[200] - 160) < 1e-3);

	const code = page.locator("#code");
	const text = await code.inputValue();
	const says = async (changed: string, expected: RegExp) => {
		await code.fill(changed);
		await page.click("#run");
		await page.waitForFunction(
			(source) =>
				new RegExp(source).test(
					`${document.querySelector("#status.wrong")?.textContent}`,
				),
			expected.source,
		);
	};
	await says(
		text.replace("2 * x[i] * sin", "x[i] * sin"),
		/it is not that of the forward pass/,
	);
	await says(text.replace("exp(-x", "exp(-z"), /^own\.wgsl:12:\d+: .*'z'/);
	await says(
		text.replace("n: u32", "count: u32").replaceAll("params.n", "params.count"),
		/^own\.wgsl forward: parameter "count" is missing/,
	);
	await says(text.replace("import thread", ""), /^own\.wgsl:11:.*threadOf/);
	assert.equal(complaints, []);
	await page.close();
});

test("where there is no WebGPU the examples say so", async () => {
	const without = await openBrowser({ webgpu: false });
	try {
		for (const name of ["vae", "digits", "ownOp"]) {
			const page = await without.newPage();
			const complaints = listen(page, /No available adapters/);
			await page.goto(`${served.url}examples/${name}.html`);
			const status = page.locator("#status", { hasText: "Firefox" });
			assert.match(`${await status.textContent()}`, /WebGPU.*Chrome/, name);
			assert.equal(complaints, []);
		}
	} finally {
		await without.close();
	}
});

test.run();
