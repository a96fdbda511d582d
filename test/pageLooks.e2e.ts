// The page for everybody: by keyboard, in both themes, on a phone, and by what axe finds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openBrowser } from "./browser.ts";
import {
	extract,
	openPage,
	openSample,
	servePage,
	shot,
	text,
} from "./pageTesting.ts";

const AXE = readFileSync(
	createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
	"utf8",
);
const served = await servePage();
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
});
const { page, clean } = await openPage(browser, served.url);
await page.evaluate(AXE);
// Colours on their way from one theme to the other are none that count.
await page.emulateMedia({ reducedMotion: "reduce" });

/** What axe holds against the page as it is now. */
function violations(): Promise<string[]> {
	return page.evaluate(async () => {
		const { axe: checker } = globalThis as unknown as { axe: typeof axe };
		const { violations, passes } = await checker.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
		});
		if (!passes.some(({ id }) => id === "color-contrast"))
			throw new Error("axe has looked at no text");
		return violations.flatMap(({ id, nodes }) =>
			nodes.map(
				({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`,
			),
		);
	});
}

/** In both themes at both widths: nothing against it, and nothing wider than the window. */
async function everywhere(state: string): Promise<void> {
	for (const width of [1280, 390])
		for (const colorScheme of ["light", "dark"] as const) {
			await page.setViewportSize({ width, height: 900 });
			await page.emulateMedia({ colorScheme });
			const name = `${state}-${width}-${colorScheme}`;
			await shot(page, name);
			assert.equal(await violations(), [], name);
			const wide = await page.evaluate(
				() => document.documentElement.scrollWidth - innerWidth,
			);
			assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
		}
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.emulateMedia({ colorScheme: "light" });
}

test("before a file is open", () => everywhere("empty"));

test("with a file and with results", async () => {
	await openSample(page);
	await page.selectOption("#method", "ridge");
	await page.locator("#analysis-form details").evaluate((panel) => {
		(panel as HTMLDetailsElement).open = true;
	});
	await page.fill("#cuts", "0");
	assert.is(await extract(page), "");
	assert.match(await text(page, "#headline"), /q\* = .* ± .* 1\/Å · m\* = 0\./);
	await page.locator("#told").evaluate((told) => {
		(told.closest("details") as HTMLDetailsElement).open = true;
	});
	// Its notices are part of the looks.
	await page.getByLabel("use scatterer 2").uncheck();
	await everywhere("results");
});

test("what is pressed is 24 pixels wide and high, with its label; the table of scatterers has all its columns", async () => {
	const details = page.locator("#extract details");
	const open = await details.evaluateAll((all) =>
		(all as HTMLDetailsElement[]).map((one) => {
			const was = one.open;
			one.open = true;
			return was;
		}),
	);
	const found = await page.evaluate(() =>
		[...document.querySelectorAll("button, input, select, summary, .button")]
			.filter(
				(one) =>
					one.checkVisibility() && !one.classList.contains("hidden-input"),
			)
			.filter((one) => {
				const boxes = [one, one.closest("label") ?? one].map((each) =>
					each.getBoundingClientRect(),
				);
				return (
					Math.max(...boxes.map(({ width }) => width)) < 24 ||
					Math.max(...boxes.map(({ height }) => height)) < 24
				);
			})
			.map(({ outerHTML }) => outerHTML),
	);
	assert.equal(found, []);
	const table = page.locator(".scroll:has(#marks-table)");
	assert.ok(await table.evaluate((one) => one.scrollWidth <= one.clientWidth));
	await details.evaluateAll((all, open) => {
		for (const [i, one] of (all as HTMLDetailsElement[]).entries())
			one.open = open[i];
	}, open);
});

test("panels are folded where the window becomes narrow, and open again where it becomes wide", async () => {
	const open = () =>
		page
			.locator("#extract .panel")
			.evaluateAll((all) => all.map((p) => (p as HTMLDetailsElement).open));
	const wide = await open();
	assert.ok(wide.every(Boolean));
	await page.setViewportSize({ width: 390, height: 844 });
	await page.waitForFunction(
		() => !document.querySelector("#marks details[open]"),
	);
	assert.equal(await open(), [true, false, false, false, false]);
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.waitForSelector("#marks details[open]");
	assert.equal(await open(), wide);
});

test("what is being done moves nothing", async () => {
	for (const width of [1920, 1280, 390]) {
		await page.setViewportSize({ width, height: 900 });
		const [before, while_] = await page.evaluate(() => {
			const places = () =>
				[".bar", "#picture canvas", "#run", "#marks"].map((of) => {
					const { x, y, height } = (
						document.querySelector(of) as Element
					).getBoundingClientRect();
					return [of, x, y, height];
				});
			const shown = ["work", "growing"].map(
				(id) => document.getElementById(id) as HTMLElement,
			);
			const before = places();
			for (const element of shown) element.hidden = false;
			const while_ = places();
			for (const element of shown) element.hidden = true;
			return [before, while_];
		});
		assert.equal(while_, before, `${width}`);
		await page.check('[name="tool"][value="profile"]');
		const canvas = page.locator("#picture canvas");
		await canvas.scrollIntoViewIfNeeded();
		const box = await canvas.boundingBox();
		const [x, y] = [(box?.x ?? 0) + 120, (box?.y ?? 0) + 120];
		await page.mouse.move(x, y);
		await page.mouse.down();
		await page.mouse.move(x + 60, y + 20, { steps: 3 });
		assert.match(await text(page, "#profile-about"), /Å at −?\d/);
		assert.equal(await canvas.boundingBox(), box, `a line, ${width}`);
		await page.mouse.up();
		await page.mouse.click(x, y);
		await page.check('[name="tool"][value="mark"]');
	}
	await page.setViewportSize({ width: 1280, height: 900 });
});

test("the tabs, by arrow keys", async () => {
	await page.focus("#tab-extract");
	await page.keyboard.press("ArrowRight");
	assert.is(await page.isVisible("#train"), true);
	assert.is(await page.isVisible("#extract"), false);
	assert.is(await page.evaluate(() => document.activeElement?.id), "tab-train");
	await page.keyboard.press("ArrowRight");
	assert.is(await page.isVisible("#extract"), true);
});

test("a view, by keys: it and what is linked with it", async () => {
	const pixels = (view: string) =>
		page
			.locator(`${view} canvas`)
			.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
	const all = ["#view-kernel", "#view-residual", "#view-spectrum"];
	/** Once a frame has been drawn. */
	const now = async () => {
		await page.evaluate(
			() => new Promise((done) => requestAnimationFrame(() => done(null))),
		);
		return Promise.all(all.map(pixels));
	};
	await page.locator("#view-kernel canvas").focus();
	const before = await now();
	await page.keyboard.press("+");
	const near = await now();
	assert.equal(
		near.map((picture, i) => picture !== before[i]),
		[true, true, false],
		"the views in Angstrom move, that in 1/Angstrom does not",
	);
	await page.keyboard.press("ArrowLeft");
	assert.is.not((await now())[0], near[0]);
	await page.keyboard.press("0");
	assert.equal(await now(), before);
});

test("colours are chosen, drawn anew, and remembered", async () => {
	const ground = () =>
		page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await ground();
	await page.selectOption("#theme", "dark");
	const dark = await ground();
	assert.is.not(dark, light);
	// Charts are dark on white in their files.
	const filter = await page
		.locator("#profile-chart")
		.evaluate((chart) => getComputedStyle(chart).filter);
	assert.match(filter, "invert");
	// Colour scales are drawn for each theme, and stay what they are.
	assert.is(await page.isVisible("#picture-line-cuts .on-light"), false);
	const corner = await page
		.locator("#picture-line-cuts .on-dark")
		.evaluate((image) => {
			const ctx = new OffscreenCanvas(1, 1).getContext("2d");
			ctx?.drawImage(image as HTMLImageElement, 0, 0);
			return [...(ctx?.getImageData(0, 0, 1, 1).data ?? [])];
		});
	const [r, g, b] = corner;
	assert.is(
		`rgb(${r}, ${g}, ${b})`,
		await page.evaluate(
			() =>
				getComputedStyle(document.getElementById("results") as HTMLElement)
					.backgroundColor,
		),
		"the picture's ground is the panel's",
	);
	await page.reload();
	assert.is(await ground(), dark);
	assert.is(await text(page, "#theme option:checked"), "dark");
});

test("it had nothing to complain of, and asked nobody else", clean);

test.run();
