// What the page does where something is missing or breaks: no WebGPU, a device that is lost, files that are none, work that is stopped.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeNpy, encodeNpy } from "../src/formats/npy.ts";
import { openBrowser } from "./browser.ts";
import {
	begin,
	drop,
	ended,
	extract,
	openMarked,
	openPage,
	SAMPLE,
	servePage,
	shot,
	text,
} from "./pageTesting.ts";

const served = await servePage();
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
});

const rows = "#marks-table tbody tr";
const sample = readFileSync(SAMPLE);
const { page, clean } = await openPage(browser, served.url);

/** Drops a file and waits for what the page says against it. */
async function refused(name: string, bytes: Uint8Array): Promise<string> {
	await drop(page, name, bytes);
	await page.waitForSelector("#fault:not([hidden])");
	return text(page, "#fault p");
}

test("files that are none are refused, and what was open stays", async () => {
	const noise = new TextEncoder().encode("no measurement\n".repeat(9));
	assert.match(await refused("notes.txt", noise), /^notes\.txt: .*expected/);
	assert.is(await page.isVisible("#image-form"), false);
	await shot(page, "bad-file-1280-light");
	await openMarked(page);
	assert.is(await page.isVisible("#fault"), false);
	assert.match(
		await refused("cut.3ds", sample.subarray(0, 200)),
		/^cut\.3ds: .*expected/,
	);
	assert.match(await text(page, "#file-about"), "sample.3ds");
	assert.is(await page.locator(rows).count(), 11);
	await page.selectOption("#energies", "one");
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
	// Results outlive a file that cannot be read.
	await refused("notes.txt", noise);
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click('[data-file="kernel.npy"]'),
	]);
	const { shape } = decodeNpy(
		readFileSync(await download.path()),
		"kernel.npy",
	);
	assert.ok(shape.length === 2 && shape[0] > 30, `${shape}`);
});

test("settings that cannot be are refused, and forgiven when they are taken back", async () => {
	await page.fill("#crop-width", "9000");
	await page.waitForSelector("#fault:not([hidden])");
	assert.match(await text(page, "#fault p"), "9000 A");
	await page.click("#crop-clear");
	await page.waitForSelector("#fault", { state: "hidden" });
});

test("no scatterer: one clear sentence", async () => {
	const count = await page.locator(rows).count();
	for (let i = 0; i < count; i++)
		await page.getByLabel("remove scatterer 1", { exact: true }).click();
	assert.is(
		await extract(page),
		"there is no scatterer to extract from, expected at least one",
	);
	await page.click("#detect");
	await page.waitForFunction(
		(rows) => document.querySelectorAll(rows).length === 11,
		rows,
	);
});

test("stopped work goes away, and what comes after works", async () => {
	await page.selectOption("#method", "refined");
	await begin(page, "prior");
	await shot(page, "working-1280-light");
	await page.click("#stop");
	await page.waitForSelector("#work", { state: "hidden" });
	assert.is(await page.isVisible("#fault"), false);
	// The numbers of the results that are shown went with the worker that was stopped: they are made anew.
	const [made] = await Promise.all([
		page.waitForEvent("download", { timeout: 90_000 }),
		page.click('[data-file="kernel.npy"]'),
	]);
	assert.is(made.suggestedFilename(), "kernel.npy");
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
});

test("its own files are shown as images, or named; what is dropped on Train is opened in Extract, and said", async () => {
	const table = "x \\ y (Angstrom),-2,0,2\n-2,1,2,3\n0,4,5,6\n2,7,8,10\n";
	const bytes = (text: string) => new TextEncoder().encode(text);
	await drop(page, "kernel.csv", bytes(table));
	await page.getByLabel("The measured image, image 1, 3 by 3 pixels").waitFor();
	assert.match(await text(page, "#picture-title"), /a kernel or its uncert/);
	assert.is(await page.isVisible("#image-form"), false);
	assert.is(await page.isVisible("#run"), false);
	assert.match(
		await refused("scatterers.csv", bytes("# Scatterers. x, y: Angstrom from")),
		/found a list of scatterers, expected a scan: give the list beside/,
	);
	await page.click("#tab-train");
	await drop(page, "sample.3ds", sample);
	assert.match(
		await text(page, "#dropped"),
		/^Train takes no file.*sample\.3ds/,
	);
	assert.ok(await page.isVisible("#dropped"));
	assert.is(await page.isVisible("#train"), false);
});

test("a grid that was stopped half way opens, and says so", async () => {
	await drop(page, "half.3ds", sample.subarray(0, sample.length / 2));
	await page.waitForFunction(() =>
		document
			.getElementById("image-warnings")
			?.textContent?.includes("7196 of 14400 points"),
	);
});

test("an image without a size is shown in pixels, and the page asks for it", async () => {
	const values = Float32Array.from(
		{ length: 80 * 80 },
		(_, i) => Math.cos(Math.hypot((i % 80) - 30, i / 80 - 45)) + 1,
	);
	// Enlarged at a corner: of a smaller image nothing is there.
	await page.focus("#picture canvas");
	for (const key of [..."++++", ...Array(20).fill("ArrowRight")])
		await page.keyboard.press(key);
	await drop(page, "bare.npy", encodeNpy(values, [80, 80]));
	await page.waitForSelector("#field-label:not([hidden])");
	await page.waitForFunction(
		() => document.activeElement === document.getElementById("field"),
	);
	assert.is(await page.isVisible("#extract-form"), false);
	// In pixels until then, and nothing can be marked.
	const title = page.locator("#picture-title");
	await page.getByLabel(/The measured image, .*, 80 by 80 pixels/).waitFor();
	assert.match(
		(await title.textContent()) ?? "",
		/image 1, in pixels: how long is its longer side in Å\?/,
	);
	assert.ok(await page.isDisabled('input[name="tool"][value="mark"]'));
	await page.keyboard.type("400");
	await page.waitForSelector("#extract-form:not([hidden])");
	await page.getByLabel(/The measured image, .*, 80 by 80 pixels/).waitFor();
	const drawn = await page.evaluate(() => {
		const canvas = document.querySelector<HTMLCanvasElement>("#picture canvas");
		return canvas?.getContext("2d")?.getImageData(450, 150, 1, 1).data[3];
	});
	assert.is(drawn, 255, "the new image is seen whole");
	assert.not.match((await title.textContent()) ?? "", /pixels/);
	assert.ok(await page.isEnabled('input[name="tool"][value="mark"]'));
	// Its indices are taken otherwise: the picture shows it at once, and the command line will say so.
	const seen = () =>
		page
			.locator("#picture canvas")
			.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
	const upright = await seen();
	await page.selectOption("#axes", "yx");
	await page.selectOption("#orientation", "top");
	await page.waitForFunction(() =>
		document
			.getElementById("told")
			?.textContent?.includes("--axes yx --orientation top"),
	);
	assert.match(await text(page, "#file-about"), /y from top to bottom, then x/);
	assert.is.not(await seen(), upright);
	// A stack has its slider already.
	const stack = Float32Array.from(
		{ length: 40 * 40 * 3 },
		(_, p) => Math.sin(p % 40) + Math.floor(p / 1600),
	);
	await drop(page, "stack.npy", encodeNpy(stack, [3, 40, 40]));
	await page.getByLabel(/The measured image, image 1, 40 by 40/).waitFor();
	assert.match((await page.textContent("#file-about")) ?? "", /3 images/);
	await page.focus("#energy");
	await page.keyboard.press("End");
	await page.getByLabel(/The measured image, image 3, 40 by 40/).waitFor();
	await openMarked(page);
	assert.is(await page.isVisible("#field-label"), false);
});

test("a device that is lost: all is kept, and one click goes on", async () => {
	const { page, clean } = await openPage(browser, served.url);
	await openMarked(page);
	await page.getByLabel("remove scatterer 11").click();
	await page.selectOption("#energies", "one");
	await page.fill("#seed", "3");
	await page.selectOption("#method", "two-step");
	const [worker] = page.workers();
	await worker.evaluate(() => {
		// The first device goes away in the middle of its work.
		const { submit } = GPUQueue.prototype;
		const { requestDevice } = GPUAdapter.prototype;
		let device: GPUDevice | undefined;
		let left = 3;
		GPUAdapter.prototype.requestDevice = async function (options) {
			const made = await requestDevice.call(this, options);
			device ??= made;
			return made;
		};
		GPUQueue.prototype.submit = function (buffers) {
			submit.call(this, buffers);
			if (--left === 0) device?.destroy();
		};
	});
	assert.match(await extract(page), /^the graphics device was lost/);
	await shot(page, "lost-1280-light");
	assert.is(await page.isVisible("#go-on"), true);
	assert.is(await page.locator(rows).count(), 10);
	assert.is(await page.inputValue("#seed"), "3");
	await page.click("#go-on");
	assert.is(await ended(page), "");
	assert.match(await text(page, "#command"), "--scatterers=scatterers.csv");
	assert.match(await text(page, "#command"), "--seed=3");
	clean();
});

test("without WebGPU: it says so, and does what it can", async () => {
	const other = await openBrowser({ webgpu: false });
	try {
		const { page, clean } = await openPage(other, served.url, {
			noise: /No available adapters/,
		});
		await page.waitForSelector("#no-webgpu:not([hidden])");
		assert.match(
			await text(page, "#no-webgpu"),
			/Chrome .* Safari .* Firefox .* refined and ridge work/,
		);
		await shot(page, "no-webgpu-1280-light");
		await openMarked(page);
		await page.selectOption("#energies", "one");
		await page.selectOption("#method", "one-step");
		assert.match(
			await extract(page),
			/^this browser has .*WebGPU.* Chrome .* Firefox/,
		);
		assert.is(await page.isVisible("#go-on"), false);
		await page.selectOption("#method", "ridge");
		assert.is(await extract(page), "");
		assert.match(await text(page, "#results-head"), "by ridge");
		clean();
	} finally {
		await other.close();
	}
});

test("it had nothing to complain of, and asked nobody else", clean);

test.run();
