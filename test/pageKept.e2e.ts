// What people did with a file outlives the tab, another file, and the browser: kept in the page, and packed as a session.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	decodeSession,
	encodeSession,
	isSession,
} from "../src/extraction/results/session.ts";
import { encodeGsf } from "../src/formats/gsf.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import { makeSeries } from "../src/qpi/generator/mapSeries.ts";
import { openBrowser } from "./browser.ts";
import {
	drop,
	extract,
	openPage,
	openSample,
	SAMPLE,
	servePage,
} from "./pageTesting.ts";

const served = await servePage();
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
});
const { page, clean } = await openPage(browser, served.url);
page.setDefaultTimeout(120_000);

/** What the page shows of the work on a file. */
const shown = () =>
	page.evaluate(() => {
		const element = (id: string) => document.getElementById(id) as HTMLElement;
		return {
			files: [...document.querySelectorAll("#files li")].map(
				(li) => li.querySelector("button")?.textContent,
			),
			marks: element("marks-count").textContent,
			flatten: (element("flatten") as HTMLSelectElement).value,
			method: (element("method") as HTMLSelectElement).value,
			results: element("results").hidden
				? null
				: element("results-head").textContent,
		};
	});
const opened = (name: string) =>
	page.waitForFunction(
		(name) =>
			document.getElementById("file-about")?.textContent?.startsWith(name) &&
			document.getElementById("work")?.hidden &&
			!document.getElementById("picture-section")?.hidden,
		name,
	);
/** Changes count when they have come to rest. */
const rest = () => page.waitForTimeout(1000);
/** Waits until the browser keeps all that these say. */
async function kept(...parts: string[]): Promise<void> {
	const missing = () =>
		page.evaluate(async (parts) => {
			const done = (request: IDBRequest) =>
				new Promise((resolve) => {
					request.onsuccess = resolve;
				});
			const opening = indexedDB.open("qpi-lens-work");
			await done(opening);
			const all = opening.result.transaction("run").objectStore("run").getAll();
			await done(all);
			opening.result.close();
			const said = JSON.stringify(all.result);
			return parts.filter((part) => !said.includes(part));
		}, parts);
	let left = await missing();
	for (let waited = 0; left.length > 0 && waited < 120; waited++) {
		await rest();
		left = await missing();
	}
	assert.equal(left, [], "is not kept");
}

test("a reload brings back file, settings, scatterers and results", async () => {
	await openSample(page);
	await page.getByLabel("use scatterer 2").uncheck();
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
	await page.click("#analysis-head");
	await page.fill("#rings", "0.2");
	await page.waitForSelector("#picture-ring-cuts img");
	await page.selectOption("#flatten", "plane");
	await kept('"flatten":"plane"', '"ring":[0.2]', '"outcome":');
	const before = await shown();
	assert.equal(before.files, ["sample.3ds"]);
	assert.is(before.marks, "10 used, 1 left out");
	assert.match(before.results ?? "", /^Kernel, .* by ridge$/);
	await page.reload();
	await opened("sample.3ds");
	await page.waitForSelector("#results:not([hidden])");
	assert.equal(await shown(), before);
	assert.is(await page.isVisible("#stale"), true, "flattened since");
	await page.waitForSelector("#picture-ring-cuts img");
	assert.is(await page.inputValue("#rings"), "0.2");
});

test("a file of results that were kept can be had: what is behind them is made anew", async () => {
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click('[data-file="result.json"]'),
	]);
	const result = JSON.parse(readFileSync(await download.path(), "utf8"));
	assert.is(result.parameters.method, "ridge");
	assert.is(result.parameters.flatten, undefined, "as it was extracted");
});

test("two files beside each other, each with its own marks", async () => {
	const noise = Float32Array.from({ length: 4096 }, (_, i) =>
		Math.cos(0.3 * Math.hypot((i >> 6) - 20, (i & 63) - 30)),
	);
	await drop(page, "rings.npy", encodeNpy(noise, [64, 64]));
	await opened("rings.npy");
	await rest();
	const { files, results } = await shown();
	assert.equal(files, ["sample.3ds", "rings.npy"]);
	assert.is(results, null);
	await page.click("#files li:first-child button");
	await opened("sample.3ds");
	await page.waitForSelector("#results:not([hidden])");
	assert.is((await shown()).marks, "10 used, 1 left out");
});

test("marks that were edited are not dropped without a question", async () => {
	await rest();
	await page.click('[aria-label="close sample.3ds"]');
	await page.click("#close-file button[value=keep]");
	assert.equal((await shown()).files, ["sample.3ds", "rings.npy"]);
});

test("a session is packed, holds what was done, and is opened again", async () => {
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click("#save-session"),
	]);
	assert.is(download.suggestedFilename(), "sample.qpi");
	const bytes = readFileSync(await download.path());
	assert.ok(isSession(bytes));
	const session = decodeSession(bytes, "sample.qpi");
	assert.is(session.settings.flatten, "plane");
	assert.is(session.settings.scatterers, "scatterers.csv");
	const rows = session.scatterers?.split("\n") ?? [];
	assert.is(rows.filter((row) => /^-?\d/.test(row)).length, 11);
	await page.click('[aria-label="close sample.3ds"]');
	await page.click("#close-file-yes");
	await opened("rings.npy");
	assert.equal((await shown()).files, ["rings.npy"]);
	await drop(page, "sample.qpi", bytes);
	await opened("sample.3ds");
	const { files, marks, flatten, method } = await shown();
	assert.equal(files, ["rings.npy", "sample.3ds"]);
	assert.equal(
		[marks, flatten, method],
		["10 used, 1 left out", "plane", "ridge"],
	);
});

test("a session of one energy is opened at it, with what has no field", async () => {
	const session = encodeSession({
		files: [{ name: "sample.3ds", bytes: readFileSync(SAMPLE) }],
		settings: {
			...{ method: "ridge", seed: 1, energy: 0.04, signed: true },
			...{ repair: true, flatten: "plane", pixel: 4 },
		},
		scatterers: "x,y\n-20,30\n80,-60\n",
	});
	await drop(page, "one.qpi", session);
	await opened("sample.3ds");
	await page.waitForFunction(() =>
		/40 meV/.test(document.getElementById("picture-title")?.textContent ?? ""),
	);
	assert.is(await page.inputValue("#energy"), "3");
	assert.is(await page.isChecked("#signed"), true);
	assert.is(await extract(page), "");
	assert.match(
		(await page.textContent("#command")) ?? "",
		/^npx qpi-lens extract sample\.3ds --energy=0\.04 --flatten=plane --pixel=4 --scatterers=scatterers\.csv --method=ridge/,
	);
	await page.locator("#files li:last-child button").last().click();
	await page.click("#close-file-yes");
	await page.waitForFunction(
		() => document.querySelectorAll("#files li").length === 2,
	);
	// The file beside it has its own choices.
	await page.waitForSelector("#signed:not(:checked)", { state: "attached" });
});

test("what the page cannot do is said of a session, and what one lacks", async () => {
	const session = (settings: object) =>
		encodeSession({
			files: [{ name: "sample.3ds", bytes: readFileSync(SAMPLE) }],
			settings: { method: "ridge", seed: 1, ...settings },
		});
	await drop(page, "still.qpi", session({ adjust: false }));
	await page.waitForSelector("#fault:visible");
	assert.match(
		(await page.textContent("#fault")) ?? "",
		/still\.qpi: found a session with --no-adjust/,
	);
	await drop(page, "own.qpi", session({ weights: "weights-old" }));
	await page.waitForFunction(() =>
		/own\.qpi was made with the weights weights-old, which it does not hold/.test(
			document.getElementById("weights-about")?.textContent ?? "",
		),
	);
	await page.locator("#files li:last-child button").last().click();
	await page.waitForFunction(
		() => document.querySelectorAll("#files li").length === 2,
	);
});

test("maps that are chosen together are offered as one series, which is kept, and taken apart again", async () => {
	const { nx, ny, pixel, maps } = makeSeries(
		{
			band: { kind: "surface", mass: 0.4, bottom: -0.065 },
			...{ energies: [0.02, 0.06, 0.1], broadening: 0.006, phase: 0.6 },
			...{ pixels: [64, 64], field: 256, marks: 3, spread: 0 },
			...{ noise: 0.1, drift: 2 },
		},
		4,
	);
	await page.setInputFiles(
		"#file",
		[2, 0, 1].map((i) => ({
			name: `map-${i}.gsf`,
			mimeType: "",
			buffer: Buffer.from(
				encodeGsf({
					...{ name: "dI/dV", unit: "", nx, ny, pixel },
					...{ images: [maps[i].image], energies: [maps[i].energy] },
				}),
			),
		})),
	);
	await page.waitForSelector("#series-take:not([hidden])");
	assert.equal((await shown()).files.slice(-3), [
		...["map-2.gsf", "map-0.gsf", "map-1.gsf"],
	]);
	assert.match(
		(await page.textContent("#series-about")) ?? "",
		/^3 open files .*: 20 to 100 mV\.\nNot among them: rings\.npy/,
	);
	await page.click("#series-take");
	await opened("map-0.gsf and 2 more");
	assert.is((await shown()).files.at(-1), "map-0.gsf and 2 more");
	assert.is((await shown()).files.length, 3);
	assert.equal(await page.locator("#series-rows th").allTextContents(), [
		"20",
		"60",
		"100",
	]);
	await rest();
	await page.reload();
	await opened("map-0.gsf and 2 more");
	assert.is(await page.isVisible("#series"), true);
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
	assert.match(
		(await page.textContent("#command")) ?? "",
		/^npx qpi-lens extract --series map-0\.gsf map-1\.gsf map-2\.gsf --method=ridge/,
	);
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click("#save-session"),
	]);
	const packed = decodeSession(readFileSync(await download.path()), "a.qpi");
	assert.is(packed.files.length, 3);
	await page.click("#series-head");
	await page.click("#series-apart");
	await page.waitForSelector("#series-take:not([hidden])");
	assert.equal((await shown()).files.slice(-4), [
		...["map-0.gsf and 2 more", "map-0.gsf", "map-1.gsf", "map-2.gsf"],
	]);
});

test("it had nothing to complain of, and asked nobody else", clean);

test.run();
