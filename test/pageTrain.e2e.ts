// The page's training, in Chromium on its SwiftShader: a run that is paused, survives its tab and a lost device, and gives weights that the command line reads.
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildPage } from "../src/build/page.ts";
import { decodeSession } from "../src/extraction/results/session.ts";
import { serve } from "../src/node/files/serve.ts";
import { openWeights, SHIPPED } from "../src/node/files/shippedWeights.ts";
import { listen, openBrowser } from "./browser.ts";
import { drop, extract, openMarked } from "./pageTesting.ts";

await buildPage();
const scratch = await mkdtemp(join(tmpdir(), "qpi-train-"));
const served = await serve({
	"/": fileURLToPath(new URL("../dist/page/", import.meta.url)),
	"/weights/": SHIPPED,
});
const browser = await openBrowser();
const context = await browser.newContext();
const page = await context.newPage();
page.setDefaultTimeout(120_000);
const said = listen(page);
test.after(async () => {
	await browser.close();
	served.close();
	await rm(scratch, { recursive: true });
});

const opened = async (page: Page) => {
	await page.goto(served.url);
	await page.click("#tab-train");
};
const seen = (selector: string) => page.waitForSelector(`${selector}:visible`);
const textOf = async (page: Page, selector: string) =>
	(await page.textContent(selector)) ?? "";
const state = () => textOf(page, "#train-state");
/** The numbers of steps that the bars have done. */
const done = () =>
	page
		.locator("#train-progress progress")
		.evaluateAll((bars) => bars.map((b) => (b as HTMLProgressElement).value));
/** As many charts of losses, or more: the next network may have its own by now. */
const charts = (least: number) =>
	page.waitForFunction(
		(least) => document.querySelectorAll("#losses img[src]").length >= least,
		least,
	);

test("a run starts, shows its losses and pictures, and is paused without losing a step", async () => {
	await opened(page);
	await seen("#train-start");
	await page.selectOption("#train-preset", "smoke");
	await page.click("#train-start");
	await charts(1);
	await page.click("#train-pause");
	await seen("#train-resume");
	// The few steps that were under way end, and are told; a run that does not stand goes on to its end.
	let before: number[] = [];
	for (let now = await done(); `${now}` !== `${before}`; now = await done()) {
		before = now;
		await page.waitForTimeout(4000);
	}
	assert.match(await state(), /^Paused/);
	await page.click("#train-resume");
	await page.waitForSelector(".attempts canvas");
	await charts(2);
});

test("it survives its tab: a new page offers to go on, with what it had", async () => {
	await page.reload();
	await page.click("#tab-train");
	await seen("#train-resume");
	assert.match(await state(), /^Paused/);
	assert.is(await page.inputValue("#train-preset"), "smoke");
	assert.ok(await page.isDisabled("#train-preset"));
	await page.waitForSelector("#losses img[src]");
	await page.waitForSelector(".attempts canvas");
});

test("a second tab waits for the first", async () => {
	const second = await context.newPage();
	await opened(second);
	await second.waitForFunction(() =>
		/Another tab/.test(
			document.getElementById("train-state")?.textContent ?? "",
		),
	);
	assert.not(await second.isVisible("#train-start"));
	await second.close();
});

test("a lost device pauses it, says so, and one click goes on to the end", async () => {
	const worker = page.workers().find((w) => w.url().includes("trainWorker"));
	assert.ok(worker);
	// The device is the worker's own: it is caught where it is made.
	await worker?.evaluate(() => {
		const { prototype } = GPUAdapter;
		const { requestDevice } = prototype;
		prototype.requestDevice = async function (...wanted) {
			const device = await requestDevice.apply(this, wanted);
			Object.assign(globalThis, { device });
			return device;
		};
	});
	await page.click("#train-resume");
	await page.waitForFunction(() =>
		[...document.querySelectorAll("#train-progress label")].some(
			(l) =>
				l.textContent?.startsWith("one-step") &&
				(l.querySelector("progress")?.value ?? 0) > 0,
		),
	);
	await worker?.evaluate(() =>
		(globalThis as unknown as { device: GPUDevice }).device.destroy(),
	);
	await seen("#train-resume");
	assert.match(await state(), /device was lost/);
	await page.click("#train-resume");
	await seen("#train-download");
	assert.match(await state(), /^Finished/);
	assert.is(await page.locator("#scores tbody tr").count(), 6);
	assert.is(await page.locator("#losses img[src]").count(), 3);
	assert.is(await page.locator(".attempts canvas").count(), 3 * 2 * 4);
});

test("its weights are a folder that the command line reads", async () => {
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click("#train-download"),
	]);
	const files = unzipSync(await readFile(await download.path()));
	for (const [name, bytes] of Object.entries(files)) {
		await mkdir(dirname(join(scratch, name)), { recursive: true });
		await writeFile(join(scratch, name), bytes);
	}
	const weights = await openWeights(
		join(scratch, "weights-smoke-centred-seed1"),
	);
	assert.ok((await weights.prior()) !== undefined);
	// Those that maps of any size have.
	assert.is(weights.inputs, "centred");
});

/** Of the session that the last test saved. */
let session: Buffer;

test("extraction takes them, and a session holds them", async () => {
	await page.click("#tab-extract");
	await openMarked(page);
	const label = page.locator("#weights option").nth(1);
	assert.match((await label.textContent()) ?? "", /^trained here on .*20\d\d/);
	await page.selectOption("#weights", { index: 1 });
	assert.match(
		await textOf(page, "#weights-about"),
		/Preset smoke, centred inputs, seed 1/,
	);
	await page.selectOption("#energies", "one");
	await page.selectOption("#method", "one-step");
	assert.is(await extract(page), "");
	assert.match(
		await textOf(page, "#command"),
		/--method=one-step --weights=weights-smoke-centred-seed1/,
	);
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click("#save-session"),
	]);
	session = await readFile(await download.path());
	const packed = decodeSession(session, "sample.qpi");
	assert.is(packed.settings.weights, "weights-smoke-centred-seed1");
	assert.equal(
		new Map([...(packed.weights ?? [])].sort()),
		new Map(
			["aligner", "decoder", "manifest", "one-step", "prior"].map((name) => {
				const file = `${name}.${name === "manifest" ? "json" : "safetensors"}`;
				const bytes = readFileSync(
					join(scratch, "weights-smoke-centred-seed1", file),
				);
				return [file, new Uint8Array(bytes)];
			}),
		),
	);
	await page.click("#tab-train");
});

test("a finished run is there again in a new page, and is gone when it is discarded", async () => {
	await page.reload();
	await page.click("#tab-train");
	await seen("#train-download");
	assert.is(await page.locator("#scores tbody tr").count(), 6);
	await page.click("#train-discard");
	await page.click("#discard-yes");
	await seen("#train-start");
	assert.match(await state(), /^No run/);
	await page.waitForFunction(
		() => document.querySelectorAll("#weights option").length === 1,
	);
	await page.reload();
	await page.click("#tab-train");
	await seen("#train-start");
});

test("the session's weights outlive the run, and a reload", async () => {
	await page.click("#tab-extract");
	await drop(page, "sample.qpi", session);
	const chosen = page.locator("#weights option:checked");
	for (const again of [false, true]) {
		if (again) await page.reload();
		await page.waitForFunction(
			() => document.querySelectorAll("#weights option").length === 2,
		);
		await page.waitForSelector("#marks-table tbody tr");
		assert.is(await chosen.textContent(), "of the session");
		assert.match(
			await textOf(page, "#weights-about"),
			/Came with the session: centred inputs, seed 1/,
		);
	}
	assert.is(await extract(page), "");
	assert.match(
		await textOf(page, "#command"),
		/--method=one-step --weights=weights-smoke-centred-seed1/,
	);
	// Another file has the shipped ones.
	const table = "x \\ y (Angstrom),-2,0,2\n-2,1,2,3\n0,4,5,6\n2,7,8,10\n";
	await drop(page, "kernel.csv", new TextEncoder().encode(table));
	await page.waitForFunction(
		() => document.querySelectorAll("#weights option").length === 1,
	);
	assert.is(await textOf(page, "#weights-about"), "");
	await page.click("#tab-train");
});

test("the page had nothing to complain of", () => {
	assert.equal(said, []);
});

test("without WebGPU nothing starts, and the page says why", async () => {
	const bare = await openBrowser({ webgpu: false });
	try {
		const page = await bare.newPage();
		page.setDefaultTimeout(120_000);
		const said = listen(page, /No available adapters/); // the browser's own word
		await opened(page);
		await page.waitForSelector("#train-start:visible");
		await page.click("#train-start");
		await page.waitForSelector("#train-fault:visible");
		assert.match(
			await textOf(page, "#train-fault"),
			/WebGPU is in Chrome and Edge/,
		);
		assert.ok(await page.isVisible("#train-start"));
		assert.equal(said, []);
	} finally {
		await bare.close();
	}
});

test.run();
