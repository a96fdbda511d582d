/** The page as the command serves it, in a browser. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import * as assert from "uvu/assert";
import { buildPage } from "../src/build/page.ts";
import { encodeSession } from "../src/extraction/results/session.ts";
import { listen } from "./browser.ts";
import { start, until } from "./command.ts";

export const SAMPLE = new URL("../data/sample.3ds", import.meta.url);

/** Builds the page and has `qpi-lens web` serve it until close(). */
export async function servePage(): Promise<{ url: string; close(): void }> {
	await buildPage();
	const running = start("src/cli.ts", ["web", "--port", "0"], { seconds: 900 });
	let said = "";
	running.child.stdout?.on("data", (chunk: Buffer) => {
		said += chunk;
	});
	await until(running, () => said.includes("\n"));
	const [, url] = /^open (\S+)/.exec(said) ?? [];
	if (!url) throw new Error((await running.ended).stderr);
	return { url, close: () => running.child.kill() };
}

/** Opens the page in a profile of its own. clean() asserts that it complained of nothing but `noise`, and asked nobody but its own server. */
export async function openPage(
	browser: Browser,
	url: string,
	{
		width = 1280,
		colorScheme = "light" as "light" | "dark",
		noise = /^$/,
	} = {},
) {
	const page = await browser.newPage({
		viewport: { width, height: 900 },
		colorScheme,
	});
	// A machine that does much else is no fault of the page.
	page.setDefaultTimeout(120_000);
	const said = listen(page, noise);
	const asked: string[] = [];
	page.on("request", (request) => asked.push(request.url()));
	const response = await page.goto(url);
	return {
		page,
		headers: response?.headers() ?? {},
		clean() {
			assert.equal(said, []);
			const own = (each: string) => each.replace(/^blob:/, "").startsWith(url);
			assert.ok(asked.some(own));
			assert.equal(
				asked.filter((each) => !own(each)),
				[],
			);
		},
	};
}

/** Drops a file on the page. */
export function drop(page: Page, name: string, bytes: Uint8Array) {
	return page.evaluate(
		([name, text]) => {
			const dataTransfer = new DataTransfer();
			const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
			dataTransfer.items.add(new File([bytes], name));
			for (const type of ["dragover", "drop"])
				document.body.dispatchEvent(
					new DragEvent(type, {
						dataTransfer,
						bubbles: true,
						cancelable: true,
					}),
				);
		},
		[name, Buffer.from(bytes).toString("base64")],
	);
}

/** Drops the sample and waits for its scatterers. */
export async function openSample(page: Page): Promise<void> {
	await drop(page, "sample.3ds", readFileSync(SAMPLE));
	await page.waitForFunction(
		() =>
			document.getElementById("file-about")?.textContent?.includes("sample") &&
			document.querySelector("#marks-table tbody tr"),
	);
}

/** Where the sample's scatterers are, as a search finds them. */
const MARKS =
	"x,y\n186.9,-33.4\n114.3,-149.9\n60.3,-59.1\n85.5,35.1\n118.1,148.4\n10.9,61.5\n-59.3,-90.4\n37.3,154.2\n-88.9,60.6\n-126.1,-93.4\n-29.6,145.3\n";

/** Drops a file together with its scatterers: nothing is looked for, which takes a dozen seconds of two cores. */
export async function dropMarked(
	page: Page,
	name: string,
	bytes: Uint8Array,
	scatterers: string,
): Promise<void> {
	const settings = { method: "auto", seed: 1 };
	const files = [{ name, bytes }];
	await drop(
		page,
		"marked.qpi",
		encodeSession({ files, settings, scatterers }),
	);
	await page.waitForFunction(
		(name) =>
			document.getElementById("file-about")?.textContent?.startsWith(name) &&
			document.querySelector("#marks-table tbody tr") &&
			document.getElementById("work")?.hidden,
		name,
	);
}

/** The sample with its eleven scatterers. */
export const openMarked = (page: Page): Promise<void> =>
	dropMarked(page, "sample.3ds", readFileSync(SAMPLE), MARKS);

/** Presses Extract, and waits for the end. Resolves with the error that the page shows, or "". */
export async function extract(page: Page): Promise<string> {
	await forgetCommand(page);
	await page.click("#run");
	// A click that meets the button as another work's bar appears does nothing: people see that, and press again.
	while (!(await isOver(page))) await page.click("#run");
	return faultOf(page);
}

/** Presses Extract, and waits until the page says that it does `what`. */
export async function begin(page: Page, what: string): Promise<void> {
	const begun = async () => {
		for (let waited = 0; waited < 5000; waited += 50) {
			if ((await text(page, "#work-what")).includes(what)) return true;
			await page.waitForTimeout(50);
		}
		return page.isVisible("#work"); // something else is done before it
	};
	do await page.click("#run");
	while (!(await begun()));
	await page.waitForFunction(
		(what) => document.getElementById("work-what")?.textContent?.includes(what),
		what,
	);
}

/** Waits for the end of an extraction that has just been started. */
export async function ended(page: Page): Promise<string> {
	await forgetCommand(page);
	await isOver(page, false);
	return faultOf(page);
}

/** A result says anew what the command line is. */
const forgetCommand = (page: Page) =>
	page.evaluate(() => {
		(document.getElementById("command") as HTMLElement).textContent = "";
	});

const faultOf = async (page: Page) =>
	(await page.isVisible("#fault")) ? text(page, "#fault p") : "";

/** Resolves when there is a result or an error, with true; or with false when nothing was being done for three seconds, where that is asked for. */
async function isOver(page: Page, orIdle = true): Promise<boolean> {
	let idle = 0;
	for (let waited = 0; waited < 120_000; waited += 200) {
		const [over, busy] = await page.evaluate(() => [
			document.getElementById("command")?.textContent !== "" ||
				!document.getElementById("fault")?.hidden,
			!document.getElementById("work")?.hidden,
		]);
		if (over) return true;
		idle = busy ? 0 : idle + 200;
		if (orIdle && idle >= 3000) return false;
		await page.waitForTimeout(200);
	}
	throw new Error("the extraction did not end within two minutes");
}

/** What an element says. */
export const text = async (page: Page, selector: string): Promise<string> =>
	(await page.textContent(selector)) ?? "";

/** Asserts that two arrays differ by no more than that part of the largest value. */
export function closeTo(
	a: Float32Array,
	b: Float32Array,
	tolerance: number,
): void {
	const largest = b.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
	const apart = a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
	assert.is(a.length, b.length);
	assert.ok(
		apart <= tolerance * largest,
		`they differ by ${apart}; the largest value is ${largest}`,
	);
}

const SHOTS = process.env.QPI_LENS_SHOTS;

/** A picture of the whole page, where QPI_LENS_SHOTS names a folder for it. */
export async function shot(page: Page, name: string): Promise<void> {
	if (!SHOTS) return;
	mkdirSync(SHOTS, { recursive: true });
	await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}
