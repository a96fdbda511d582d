// The engine in a page: the same table as in ops.test.ts, with the same tolerances, in Chromium on its SwiftShader.
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { listen, openBrowser, servePage } from "./browser.ts";
import { badCalls, cases } from "./cases.ts";

interface Table {
	readonly adapter: string;
	readonly cases: string[];
	readonly badCalls: string[];
	check(i: number): Promise<void>;
	refuse(i: number): void;
}
declare const table: Table;

const served = await servePage(
	fileURLToPath(new URL("pages/ops.ts", import.meta.url)),
);
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	await served.close();
});
const page = await browser.newPage();
page.setDefaultTimeout(120_000); // a machine that does much else is no fault of the page
const said = listen(page);
await page.goto(served.url);
await page.waitForFunction(() => "table" in globalThis);
console.log(`adapter: ${await page.evaluate(() => table.adapter)}`);

test("the page has the same table", async () => {
	assert.equal(
		await page.evaluate(() => [table.cases, table.badCalls]),
		[cases, badCalls].map((all) => all.map(({ name }) => name)),
	);
});

cases.forEach(({ name }, i) => {
	test(`in a page: ${name}`, () => page.evaluate((i) => table.check(i), i));
});
badCalls.forEach(({ name }, i) => {
	test(`in a page: ${name} is refused`, () =>
		page.evaluate((i) => table.refuse(i), i));
});

test("the page had nothing to complain of", () => {
	assert.equal(said, []);
});

test.run();
