// The page's scatterers, by pointer and by keyboard, its crop, and what the results say of such edits.
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	intoScan,
	latticeCorrection,
} from "../src/extraction/lattice/correction.ts";
import { encodeGsf } from "../src/formats/gsf.ts";
import { decodeNpy } from "../src/formats/npy.ts";
import { openBrowser } from "./browser.ts";
import { start } from "./command.ts";
import { latticeScan } from "./latticeScans.ts";
import {
	closeTo,
	dropMarked,
	ended,
	extract,
	openPage,
	openSample,
	SAMPLE,
	servePage,
	shot,
	text,
} from "./pageTesting.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-page-"));
const served = await servePage();
const browser = await openBrowser();
test.after(async () => {
	await browser.close();
	served.close();
	await rm(scratch, { recursive: true });
});
const { page, clean } = await openPage(browser, served.url);
await openSample(page);

const rows = page.locator("#marks-table tbody tr");
const field = (row: number, column: "x" | "y" | "weight") =>
	page.getByLabel(`${column} of scatterer ${row}`, { exact: true });
const place = async (row: number) => ({
	x: Number(await field(row, "x").inputValue()),
	y: Number(await field(row, "y").inputValue()),
});

type Place = { x: number; y: number };
/** Where on the picture a place in Angstrom is: found by pointing at two places and reading what the page says of them. */
async function pixels(): Promise<(place: Place) => Place> {
	const box = await page.locator("#picture canvas").boundingBox();
	if (!box) throw new Error("there is no picture");
	const probes: { px: number; py: number; x: number; y: number }[] = [];
	let before = "";
	for (const part of [0.2, 0.7]) {
		const d = part * Math.min(box.width, box.height);
		const [px, py] = [box.x + d, box.y + d];
		await page.mouse.move(px, py);
		await page.waitForFunction((before) => {
			const now = document.querySelector("#picture .readout")?.textContent;
			return now && now !== before;
		}, before);
		before = await text(page, "#picture .readout");
		const numbers = /^\((.*), (.*)\) Å/.exec(before.replaceAll("−", "-"));
		const [, x = Number.NaN, y = Number.NaN] = numbers?.map(Number) ?? [];
		probes.push({ px, py, x, y });
	}
	const [a, b] = probes;
	return ({ x, y }) => ({
		x: a.px + ((x - a.x) / (b.x - a.x)) * (b.px - a.px),
		y: a.py + ((y - a.y) / (b.y - a.y)) * (b.py - a.py),
	});
}
let at = await pixels();

async function drag(from: Place, to: Place): Promise<void> {
	at = await pixels(); // results beside it make the picture smaller
	const [a, b] = [at(from), at(to)];
	await page.mouse.move(a.x, a.y);
	await page.mouse.down();
	await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2);
	await page.mouse.move(b.x, b.y);
	await page.mouse.up();
}

/** To what the picture's pixels and the readout's whole numbers allow. */
const near = (a: Place, b: Place) =>
	assert.ok(
		Math.hypot(a.x - b.x, a.y - b.y) < 3,
		`${JSON.stringify(a)} is not ${JSON.stringify(b)}`,
	);

const EMPTY = { x: 0, y: -190 };
const MOVED = { x: -180, y: 150 };

test("on the picture: add, move, remove, and all of it back", async () => {
	assert.is(await rows.count(), 11);
	assert.is(await page.isDisabled("#undo"), true);
	const { x, y } = at(EMPTY);
	await page.mouse.click(x, y);
	assert.is(await rows.count(), 12);
	assert.is(await text(page, "#marks-count"), "12 used");
	near(await place(12), EMPTY);
	await drag(EMPTY, MOVED);
	near(await place(12), MOVED);
	const there = at(MOVED);
	await page.mouse.dblclick(there.x, there.y);
	assert.is(await rows.count(), 11);
	await page.click("#undo");
	near(await place(12), MOVED);
	await page.focus("#undo");
	await page.keyboard.press("Control+z");
	near(await place(12), EMPTY);
	await page.click("#undo");
	assert.is(await text(page, "#marks-count"), "11 used");
	assert.is(await page.isDisabled("#undo"), true);
});

test("in the table, by keyboard alone", async () => {
	await field(1, "x").focus();
	await page.keyboard.press("Control+a");
	await page.keyboard.type("-12.5");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Control+a");
	await page.keyboard.type("34");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Control+a");
	await page.keyboard.type("0.5");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Space");
	assert.equal(await place(1), { x: -12.5, y: 34 });
	assert.is(await field(1, "weight").inputValue(), "0.5");
	assert.is(await text(page, "#marks-count"), "10 used, 1 left out");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	assert.is(await text(page, "#marks-count"), "10 used");
	await field(1, "x").fill("");
	await field(1, "x").press("Enter");
	assert.ok((await place(1)).x !== 0, "what is no number is put back");
	await page.focus("#add-mark");
	await page.keyboard.press("Enter");
	assert.is(await rows.count(), 11);
	assert.is(
		await page.evaluate(() => document.activeElement?.ariaLabel),
		"x of scatterer 11",
	);
	await page.click("#detect");
	await page.waitForFunction(
		(y) =>
			document.querySelector<HTMLInputElement>("#marks-table [aria-label^=y]")
				?.value !== y,
		String((await place(1)).y),
	);
	assert.is(await text(page, "#marks-count"), "11 used");
});

test("spots follow their controls, and are marks when they are taken", async () => {
	const told = () => text(page, "#spots-told");
	const count = async (least: string) => {
		const before = await told();
		await page.fill("#spot-least", least);
		await page.waitForFunction(
			(before) => document.getElementById("spots-told")?.textContent !== before,
			before,
		);
		return Number.parseInt(await told(), 10);
	};
	const marks = await rows.count();
	await page.click("#spots summary");
	const many = await count("3");
	const few = await count("5");
	assert.ok(many > few && few > 0, `${many}, ${few}`);
	assert.is(await rows.count(), marks, "nothing is marked yet");
	await page.click("#take-spots");
	assert.is(await rows.count(), few);
	await page.click("#undo");
	assert.is(await rows.count(), marks);
	assert.is(await told(), "0 spots", "closed");
});

test("edits make results stale, until they are taken back", async () => {
	await page.selectOption("#energies", "one");
	await page.selectOption("#method", "ridge");
	// At once: the second waits for the first.
	await page.evaluate(() => {
		for (const id of ["detect", "run"]) document.getElementById(id)?.click();
	});
	// While it works people go on.
	await page.waitForFunction(() =>
		document
			.getElementById("work-what")
			?.textContent?.includes("held-out parts, ridge"),
	);
	await page.fill("#seed", "2");
	assert.is(await ended(page), "");
	assert.is(await page.isVisible("#stale"), true);
	assert.not.match(await text(page, "#command"), "--seed");
	await page.fill("#seed", "1");
	assert.is(await page.isVisible("#stale"), false);
	await page.getByLabel("use scatterer 2").uncheck();
	assert.is(await page.isVisible("#stale"), true);
	await shot(page, "stale-1280-light");
	await page.click("#undo");
	assert.is(await page.isVisible("#stale"), false);
});

test("what is known of the scatterers is part of what the page says", async () => {
	await page.selectOption("#kinds", "1");
	await page.check("#signed");
	await page.evaluate(() => {
		for (const id of ["detect", "run"]) document.getElementById(id)?.click();
	});
	assert.is(await ended(page), "");
	assert.is(
		await text(page, "#command"),
		"npx qpi-lens extract sample.3ds --energy=-0.02 --kinds=1 --method=ridge --signed --detect",
	);
	await page.selectOption("#kinds", "");
	await page.uncheck("#signed");
	assert.is(await page.isVisible("#stale"), false, "until it is looked again");
});

const MIDDLE = { x: 20, y: 30 };

test("a mark that is dragged off the picture stays; one outside of the square counts as outside", async () => {
	const before = await place(1);
	await drag(before, { x: before.x, y: 290 });
	assert.equal(await place(1), before);
	await field(1, "x").fill("500");
	await field(1, "x").press("Enter");
	assert.match(await text(page, "#marks-count"), ", 1 outside the image");
	await page.click("#undo");
	assert.equal(await place(1), before);
});

test("a crop is a rectangle or, with Shift, a square; it ends at the picture's edge, is moved and resized", async () => {
	await page.getByLabel("crop", { exact: true }).check();
	const value = async (id: string) => Number(await page.inputValue(id));
	const crop = async () => ({
		x: await value("#crop-x"),
		y: await value("#crop-y"),
	});
	const sides = async () => ({
		x: await value("#crop-width"),
		y: await value("#crop-height"),
	});
	await page.keyboard.down("Shift");
	await drag({ x: 100, y: 100 }, { x: 400, y: -60 });
	near(await crop(), { x: 170, y: 30 });
	near(await sides(), { x: 140, y: 140 });
	await page.click("#crop-clear");
	// Straight down, the square lies to one side of where the drag began.
	await drag({ x: 200, y: 100 }, { x: 200, y: 40 });
	near(await crop(), { x: 170, y: 70 });
	await page.keyboard.up("Shift");
	await page.click("#crop-clear");
	await drag({ x: -100, y: 80 }, { x: 60, y: -20 });
	near(await crop(), { x: -20, y: 30 });
	near(await sides(), { x: 160, y: 100 });
	await drag({ x: -20, y: 30 }, { x: -400, y: 10 }); // no further than the edge
	near(await crop(), { x: -160, y: 10 });
	await drag({ x: -80, y: 20 }, { x: 20, y: 20 }); // by its right side
	near(await crop(), { x: -110, y: 10 });
	near(await sides(), { x: 260, y: 100 });
	await page.click("#crop-clear");
	await page.getByLabel("mark", { exact: true }).check();
});

test("a list that was found with other settings is a list of one's own", async () => {
	// What takes time is seen soon, and gone at its end.
	const idle = async () => {
		await page.waitForTimeout(800);
		await page.waitForSelector("#work", { state: "hidden" });
	};
	await idle(); // the whole image is prepared again
	await page.click("#detect");
	await idle();
	await page.waitForFunction(
		() => document.querySelectorAll("#marks-table tbody tr").length === 11,
	);
	await page.click("#add-mark");
	await page.fill("#low-pass", "0.3");
	await page.waitForFunction(() =>
		document.getElementById("told")?.textContent?.includes("low-pass"),
	);
	await page.click("#undo");
	assert.is(await rows.count(), 11);
	assert.is(await extract(page), "");
	assert.match(await text(page, "#command"), "--scatterers=scatterers.csv");
	await page.fill("#low-pass", "");
});

test("a square is cropped on the picture", async () => {
	await page.getByLabel("crop", { exact: true }).check();
	await drag(
		{ x: MIDDLE.x - 180, y: MIDDLE.y + 180 },
		{ x: MIDDLE.x + 180, y: MIDDLE.y - 180 },
	);
	await page.waitForFunction(() =>
		document.getElementById("told")?.textContent?.includes("crop: "),
	);
	const value = async (id: string) => Number(await page.inputValue(id));
	near({ x: await value("#crop-x"), y: await value("#crop-y") }, MIDDLE);
	const side = await value("#crop-width");
	assert.ok(Math.abs(side - 360) < 3, `a side of ${side}`);
	await shot(page, "crop-1280-light");
	await page.getByLabel("mark", { exact: true }).check();
});

test("the command line that it shows has crop, list and method", async () => {
	await field(1, "x").fill("-5.5");
	await field(1, "x").press("Enter");
	await page.getByLabel("remove scatterer 3").click();
	assert.is(await extract(page), "");
	const command = await text(page, "#command");
	assert.match(
		command,
		/^npx qpi-lens extract sample\.3ds --energy=-0\.02 --crop=\S+ --scatterers=scatterers\.csv --method=ridge$/,
	);
});

test("a list of another program takes the place of the edited one", async () => {
	await page.setInputFiles("#marks-file", {
		name: "marks.csv",
		mimeType: "text/csv",
		buffer: Buffer.from("x,y\n10,20\n-30,40\n"),
	});
	await page.waitForFunction(
		() => document.querySelectorAll("#marks-table tbody tr").length === 2,
	);
	assert.equal(await place(2), { x: -30, y: 40 });
});

test("kinds: rejected, merged, split off, and all of it back", async () => {
	const list = "x,y,kind\n10,20,1\n-30,40,1\n60,-50,2\n-80,-90,2\n";
	await page.setInputFiles("#marks-file", {
		name: "kinds.csv",
		mimeType: "text/csv",
		buffer: Buffer.from(list),
	});
	await page.waitForFunction(
		() => document.querySelectorAll("#kinds-list li").length === 2,
	);
	const told = async () =>
		(await page.locator("#kinds-list li").allTextContents()).map(
			(line) => /kind \d: \d of \d used/.exec(line)?.[0],
		);
	await shot(page, "kinds-1280-light");
	await page.getByLabel("reject all of kind 2").click();
	assert.is(await text(page, "#marks-count"), "2 used, 2 left out");
	assert.equal(await told(), ["kind 1: 2 of 2 used", "kind 2: 0 of 2 used"]);
	await page.getByLabel("use all of kind 2").click();
	assert.is(await text(page, "#marks-count"), "4 used");
	assert.is(await page.isDisabled("#split"), true);
	await page.getByLabel("merge kind 2 into").selectOption("1");
	assert.equal(await told(), ["kind 1: 4 of 4 used"]);
	await page.locator("#picture canvas").scrollIntoViewIfNeeded();
	const here = (await pixels())({ x: 10, y: 20 });
	await page.keyboard.down("Shift");
	await page.mouse.click(here.x, here.y);
	await page.keyboard.up("Shift");
	assert.is(await page.isChecked('[aria-label="select scatterer 1"]'), true);
	await page.getByLabel("select scatterer 4").check();
	await page.getByLabel("select scatterer 3").check();
	await page.getByLabel("select scatterer 3").uncheck();
	await page.click("#split");
	assert.equal(await told(), ["kind 1: 2 of 2 used", "kind 2: 2 of 2 used"]);
	const kind = (row: number) =>
		page
			.locator("#marks-table tbody tr")
			.nth(row - 1)
			.locator("td")
			.nth(3);
	assert.is(await kind(1).textContent(), "2");
	assert.is(await kind(2).textContent(), "1");
	assert.is(await page.isDisabled("#split"), true);
	await page.click("#undo");
	assert.equal(await told(), ["kind 1: 4 of 4 used"]);
});

test("masks by shape and by brush count nowhere, and are undone and done again", async () => {
	await page.click("#crop-clear");
	await page.getByLabel("mask", { exact: true }).check();
	await drag({ x: -150, y: 60 }, { x: -50, y: -20 });
	await page.waitForFunction(() =>
		document.getElementById("told")?.textContent?.includes("mask: "),
	);
	assert.is(await text(page, "#mask-count"), "1 area masked by hand");
	await page.selectOption("#mask-shape", "brush");
	await page.fill("#brush-size", "30");
	await drag({ x: 20, y: -100 }, { x: 120, y: -60 });
	await page.selectOption("#mask-shape", "eraser");
	await drag({ x: 60, y: -120 }, { x: 60, y: -40 });
	const count = () => text(page, "#mask-count");
	assert.is(await count(), "3 areas masked by hand");
	await shot(page, "mask-1280-light");
	await page.click("#undo");
	assert.is(await count(), "2 areas masked by hand");
	await page.keyboard.press("Control+Shift+Z");
	assert.is(await count(), "3 areas masked by hand");
	// By keys: a dot where the pointer is.
	await page.selectOption("#mask-shape", "brush");
	await page.locator("#picture canvas").press("Enter");
	assert.is(await count(), "4 areas masked by hand");
	await page.click("#mask-undo");
	assert.is(await count(), "3 areas masked by hand");
});

test("the command line gives the same, of all energies, with masks, kinds and window; all that it names can be had", async () => {
	await page.selectOption("#energies", "all");
	const places = "x,y,kind\n-30,145,1\n37,155,1\n117,148,2\n85,35,2\n-5,60,1\n";
	await page.setInputFiles("#marks-file", {
		name: "kinds.csv",
		mimeType: "text/csv",
		buffer: Buffer.from(places),
	});
	await page.waitForFunction(
		() => document.querySelectorAll("#marks-table tbody tr").length === 5,
	);
	await page.fill("#window", "90");
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
	const command = await text(page, "#command");
	assert.is(
		command,
		"npx qpi-lens extract sample.3ds --mask=mask.csv --scatterers=scatterers.csv --method=ridge --window=90",
	);
	const download = async (selector: string) => {
		const [file] = await Promise.all([
			page.waitForEvent("download"),
			page.click(selector),
		]);
		return file;
	};
	const named = page.locator("#command-files button");
	assert.equal(await named.allTextContents(), [
		...["sample.3ds", "scatterers.csv", "mask.csv"],
	]);
	for (const name of await named.allTextContents()) {
		const file = await download(`#command-files button:text-is("${name}")`);
		assert.is(file.suggestedFilename(), name);
		await file.saveAs(join(scratch, name));
	}
	assert.equal(readFileSync(join(scratch, "sample.3ds")), readFileSync(SAMPLE));
	const zip = await download('[data-file="zip"]');
	const ofPage = unzipSync(readFileSync(await zip.path()));
	const args = [...command.split(" ").slice(2), "--out", "out"];
	const { code, stderr } = await start("src/cli.ts", args, {
		cwd: scratch,
		seconds: 300,
	}).ended;
	assert.is(code, 0, stderr);
	// The same code on the same numbers.
	for (const name of ["kernels.npy", "kernels-kind2.npy", "residuals.npy"]) {
		const file = join(scratch, "out", name);
		const [a, b] = [ofPage[name], readFileSync(file)].map((bytes) =>
			decodeNpy(new Uint8Array(bytes), name),
		);
		assert.equal(a.shape, b.shape);
		closeTo(a.data as Float32Array, b.data as Float32Array, 1e-6);
	}
	await page.click("#mask-clear");
	assert.is(await page.isVisible("#stale"), true);
});

test("a scan is corrected by its lattice: marks stay in its own frame, it is undone, and the command line gives the same", async () => {
	const lattice = { a: 3.8, b: 3.8, angle: 90 };
	const { scan, scatterers } = latticeScan({ lattice, nx: 96, height: 1 });
	const { image, nx, ny } = scan;
	const map = { name: "Z", unit: "m", nx, ny, pixel: 1, images: [image] };
	const atoms = encodeGsf(map);
	await writeFile(join(scratch, "atoms.gsf"), atoms);
	const marks = scatterers.slice(0, 8).map(({ x, y }) => `${x},${y}`);
	await dropMarked(page, "atoms.gsf", atoms, ["x,y", ...marks].join("\n"));
	await rows.nth(7).waitFor();
	await page.click("#lattice-panel summary");
	await page.fill("#lattice-a", "3.8");
	await page.locator("#lattice-a").blur();
	await page.selectOption("#drift", "yes");
	await page.selectOption("#calibrate", "yes");
	const told = page.locator("#lattice-rows tr");
	await told.filter({ hasText: "Scaled" }).waitFor();
	assert.match(await text(page, "#lattice-rows"), /Given3\.800 × 3\.800 Å/);
	assert.match(await text(page, "#lattice-rows"), /Å at most, taken out/);
	near(await place(1), scatterers[0]);
	// Where the pointer is, is another place of the scan.
	const correction = latticeCorrection(scan, { lattice, drift: true });
	const there = { x: 38, y: -38 };
	await page.getByLabel("mark", { exact: true }).check();
	at = await pixels();
	const spot = at(there);
	await page.mouse.click(spot.x, spot.y);
	const found = await place(9);
	const expected = intoScan(correction, there);
	const off = Math.hypot(found.x - expected.x, found.y - expected.y);
	assert.ok(off < 1, `${off}: ${JSON.stringify([found, expected])}`);
	assert.ok(Math.hypot(found.x - there.x, found.y - there.y) > 1.5);
	await page.fill("#window", "24");
	await page.selectOption("#method", "ridge");
	assert.is(await extract(page), "");
	const command = await text(page, "#command");
	assert.is(
		command,
		"npx qpi-lens extract atoms.gsf --lattice=3.8,3.8,90 --scatterers=scatterers.csv --method=ridge --window=24 --drift",
	);
	const download = async (selector: string) => {
		const [file] = await Promise.all([
			page.waitForEvent("download"),
			page.click(selector),
		]);
		return file;
	};
	const list = await download('[data-reads="scatterers.csv"]');
	await list.saveAs(join(scratch, "scatterers.csv"));
	const kernel = await (await download('[data-file="kernel.npy"]')).path();
	const { code, stderr } = await start(
		"src/cli.ts",
		[...command.split(" ").slice(2), "--out", "corrected"],
		{ cwd: scratch, seconds: 300 },
	).ended;
	assert.is(code, 0, stderr);
	const [a, b] = [kernel, join(scratch, "corrected", "kernel.npy")].map(
		(file) => decodeNpy(new Uint8Array(readFileSync(file)), file),
	);
	closeTo(a.data as Float32Array, b.data as Float32Array, 1e-5);
	for (const id of ["calibrate", "drift"]) {
		await page.click("#undo");
		if (id === "calibrate") await page.click("#undo"); // the mark
		assert.is(await page.inputValue(`#${id}`), "");
	}
	await page.waitForSelector("#lattice-found", { state: "hidden" });
	assert.is(await page.inputValue("#lattice-a"), "3.8");
});

test("it had nothing to complain of, and asked nobody else", clean);

test.run();
