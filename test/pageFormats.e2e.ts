// The page reads other programs' files, and fetches the HDF5 library for the first file that needs it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Field } from "../src/formats/field.ts";
import { encodeGwy } from "../src/formats/gwyWriter.ts";
import { encodeNexus } from "../src/formats/nexusWriter.ts";
import { openBrowser } from "./browser.ts";
import { drop, openPage, servePage, text } from "./pageTesting.ts";

const served = await servePage();
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
});
const { page, clean } = await openPage(browser, served.url);

/** Ripples about four scatterers. */
const field: Field = {
	...{ name: "dIdV", unit: "A", nx: 64, ny: 64, pixel: 6.25 },
	images: [
		Float32Array.from({ length: 4096 }, (_, p) =>
			[
				[14, 20],
				[45, 12],
				[30, 50],
				[52, 44],
			].reduce((sum, [x, y]) => {
				const r = Math.hypot(Math.floor(p / 64) - x, (p % 64) - y);
				return sum + Math.cos(0.9 * r) / Math.hypot(r, 1);
			}, 0),
		),
	],
	energies: [0.05],
};

test("a Gwyddion file and then a NeXus file; the library comes with the second", async () => {
	const asked: string[] = [];
	page.on("request", (request) => {
		asked.push(request.url());
	});
	const about = (name: string) =>
		page.waitForFunction(
			(name) =>
				document.getElementById("file-about")?.textContent?.includes(name),
			name,
		);
	await drop(page, "map.gwy", encodeGwy([field]));
	await about("map.gwy");
	assert.match(
		await text(page, "#file-about"),
		/gwy, 64 × 64 pixels, 400 × 400 Å/,
	);
	const library = () => asked.filter((url) => url.includes("h5wasm")).length;
	assert.is(library(), 0);
	await drop(page, "map.nxs", await encodeNexus([field], "a title"));
	await about("map.nxs");
	assert.match(
		await text(page, "#file-about"),
		/nexus, 64 × 64 pixels, 400 × 400 Å/,
	);
	assert.is(await page.isVisible("#fault"), false);
	assert.is(library(), 1);
	clean();
});

test.run();
