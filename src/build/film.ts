/**
 * Makes data/pictures/page-session.png: a session with the page, from the drop of data/sample.3ds to E(q) with a fit, as frames with captions. Every frame is
 * what a window of that size shows in Chromium.
 *   npm run film
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { openBrowser } from "../../test/browser.ts";
import {
	drop,
	extract,
	openPage,
	SAMPLE,
	servePage,
} from "../../test/pageTesting.ts";

const OUT = new URL("../../data/pictures/page-session.png", import.meta.url);
const [WIDTH, HEIGHT] = [700, 600];

const served = await servePage();
const browser = await openBrowser();
const frames: { readonly caption: string; readonly png: Buffer }[] = [];

/** The window as it is, with that element at its top. */
async function frame(page: Page, caption: string, top?: string): Promise<void> {
	if (top)
		await page
			.locator(top)
			.evaluate((element) => element.scrollIntoView({ block: "start" }));
	// Pictures are drawn one after the other.
	await page.waitForTimeout(800);
	frames.push({ caption, png: await page.screenshot() });
	console.log(caption);
}

const bytes = readFileSync(SAMPLE);
try {
	const { page } = await openPage(browser, served.url, { width: WIDTH });
	await page.setViewportSize({ width: WIDTH, height: HEIGHT });
	await page.locator("#drop").evaluate((drop) => drop.classList.add("over"));
	await frame(page, "drop a scan: five energies of a Nanonis grid");
	await drop(page, "sample.3ds", bytes);
	// The first steps have no marks yet.
	await page.waitForFunction(
		() =>
			!document.getElementById("growing")?.hidden &&
			!/seeds|reading|preparing/.test(
				document.getElementById("work-what")?.textContent ?? "",
			),
	);
	await frame(
		page,
		"scatterers are looked for; a first kernel grows",
		"#picture-section",
	);
	await page.waitForSelector("#marks-table tbody tr", { state: "attached" });
	await page.waitForSelector("#work", { state: "hidden" });
	await frame(
		page,
		"eleven are found; rings can be added, moved, removed",
		"#picture-section",
	);
	await page.check('[name="tool"][value="profile"]');
	const box = await page.locator("#picture canvas").boundingBox();
	if (!box) throw new Error("the page shows no picture");
	// Within its axes; the sample is of 480 Å.
	const side = box.height - 62;
	const at = (x: number, y: number) =>
		[
			box.x + 48 + (x / 480 + 0.5) * side,
			box.y + 22 + (0.5 - y / 480) * side,
		] as const;
	await page.mouse.move(...at(-220, 62));
	await page.mouse.down();
	await page.mouse.move(...at(180, 62), { steps: 8 });
	await page.mouse.up();
	await frame(page, "values along a line through two of them", "#picture");
	await page.mouse.click(...at(0, -200));
	const fault = await extract(page);
	if (fault) throw new Error(fault);
	await frame(
		page,
		"Extract: the kernel, its uncertainty, q*, m* and E₀",
		"#results",
	);
	// Folded in a window as narrow as this.
	await page.locator("details:has(#view-image) > summary").click();
	await frame(
		page,
		"does it explain the map? data, model, what is left",
		"#view-image",
	);
	await page.click("#offer-cut");
	await page.waitForSelector("#picture-line-cuts");
	await page.waitForSelector("#work", { state: "hidden" });
	await frame(
		page,
		"|FFT| of map and kernel, q* and a cut along 0°",
		"#fourier",
	);
	await frame(
		page,
		"E(q) along the cut: fitted lines and their parabola",
		"#picture-line-cuts",
	);
	await page.close();
	writeFileSync(OUT, await strip());
} finally {
	await browser.close();
	served.close();
}

/** The frames in two columns, each under its caption. */
async function strip(): Promise<Buffer> {
	const figures = frames.map(
		({ caption, png }, i) =>
			`<figure><figcaption><b>${i + 1}</b> ${caption}</figcaption><img src="data:image/png;base64,${png.toString("base64")}"></figure>`,
	);
	const sheet = await browser.newPage({
		viewport: { width: 2 * WIDTH + 60, height: 600 },
	});
	await sheet.setContent(`<!doctype html><style>
		body { margin: 0; padding: 16px; display: grid; grid-template-columns: repeat(2, ${WIDTH + 2}px); gap: 16px 20px; background: #fff; font: 20px "DejaVu Sans", sans-serif; width: max-content }
		figure { margin: 0 } figcaption { padding-bottom: 6px } img { display: block; border: 1px solid #888 }
	</style>${figures.join("")}`);
	return sheet.screenshot({ fullPage: true });
}
