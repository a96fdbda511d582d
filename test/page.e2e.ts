// The page extracts: from a dropped file to the kernel, and the same as the command line.
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "fast-png";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeNpy } from "../src/formats/npy.ts";
import { openBrowser } from "./browser.ts";
import { start } from "./command.ts";
import {
	closeTo,
	drop,
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
const { page, headers, clean } = await openPage(browser, served.url);

test("it is let do nothing but what it needs", async () => {
	const policy = headers["content-security-policy"];
	assert.match(
		policy,
		"default-src 'none'; script-src 'self' 'wasm-unsafe-eval';",
	);
	assert.match(policy, "frame-ancestors 'none'");
	// On another server than ours the page has the policy all the same, but for what a page cannot say of itself.
	assert.is(
		await page.getAttribute(
			'meta[http-equiv="Content-Security-Policy"]',
			"content",
		),
		policy.replace("; frame-ancestors 'none'", ""),
	);
});

/** Of the same files: the page's, unpacked, and the command line's. */
const ofPage: Record<string, Uint8Array> = {};
const ofCommand = (name: string) => readFileSync(join(scratch, "out", name));

test("a dropped file to its kernel, and all its results as a .zip", async () => {
	await openSample(page);
	assert.match(
		await text(page, "#file-about"),
		"3ds, 120 × 120 pixels, 480 × 480 Å, 5 energies",
	);
	assert.is(await text(page, "#marks-count"), "11 used");
	await page.selectOption("#energies", "one");
	await page.click("#analysis-head");
	await page.fill("#cuts", "0, 45");
	await page.fill("#rings", "0.15");
	await page.fill("#symmetrised", "4mm");
	assert.is(await extract(page), "");
	assert.is(await page.isVisible("#stale"), false);
	assert.match(await text(page, "#results-head"), "by refined");
	assert.is(await text(page, "#adapter"), "", "maps need no network");
	assert.is(await page.locator("#methods tbody tr").count(), 2);
	await shot(page, "auto-1280-light");
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.click('[data-file="zip"]'),
	]);
	assert.is(download.suggestedFilename(), "sample-kernel.zip");
	Object.assign(ofPage, unzipSync(readFileSync(await download.path())));
});

test("the command line that it shows gives the same", async () => {
	const [npx, program, ...args] = (await text(page, "#command")).split(" ");
	assert.equal([npx, program], ["npx", "qpi-lens"]);
	assert.equal(args, [
		...["extract", "sample.3ds", "--energy=-0.02", "--cut=0,45"],
		...["--ring=0.15", "--symmetrised=4mm", "--detect"],
	]);
	const { code, stderr } = await start(
		"src/cli.ts",
		[...args, "--out", join(scratch, "out")],
		{ cwd: dirname(fileURLToPath(SAMPLE)), seconds: 300 },
	).ended;
	assert.is(code, 0, stderr);
	assert.equal(
		Object.keys(ofPage).sort(),
		readdirSync(join(scratch, "out")).sort(),
	);
	const [a, b] = [ofPage["result.json"], ofCommand("result.json")].map(
		(bytes) => JSON.parse(new TextDecoder().decode(bytes)),
	);
	// Where it was computed, and how long that took.
	for (const { solution } of [a, b]) delete solution.solver;
	const { versions, parameters, seconds, ...rest } = a;
	const { versions: _, parameters: given, seconds: __, ...other } = b;
	assert.equal(Object.keys(seconds), Object.keys(b.seconds));
	assert.equal(differences(rest, other), []);
	// The command line has its options in the order of its own.
	assert.equal(parameters, given);
	assert.match(versions.browser, "Chrome");
	assert.match(versions.weights, /version \d/);
});

test("the same files of numbers", () => {
	for (const name of ["kernel.npy", "uncertainty.npy"]) {
		const [a, b] = [ofPage[name], ofCommand(name)].map((bytes) =>
			decodeNpy(new Uint8Array(bytes), name),
		);
		assert.equal(a.shape, b.shape);
		assert.ok(a.shape[0] === a.shape[1] && a.shape[0] % 2 === 1, name);
		closeTo(a.data as Float32Array, b.data as Float32Array, SAME);
	}
	const marks = new TextDecoder().decode(ofPage["scatterers.csv"]);
	assert.is(marks, ofCommand("scatterers.csv").toString());
	for (const name of Object.keys(ofPage).filter((n) => n.endsWith(".png"))) {
		const [a, b] = [ofPage[name], ofCommand(name)].map((data) => decode(data));
		assert.equal([a.width, a.height], [b.width, b.height], name);
	}
	const html = new TextDecoder().decode(ofPage["report.html"]);
	assert.match(html, "npx qpi-lens extract sample.3ds --energy=-0.02 --cut=0");
});

test("single files are those of the .zip", async () => {
	for (const name of ["kernel.csv", "result.json"]) {
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.click(`[data-file="${name}"]`),
		]);
		assert.is(download.suggestedFilename(), name);
		assert.equal(
			readFileSync(await download.path()),
			Buffer.from(ofPage[name]),
		);
	}
});

test("what is asked of the kernels changes without a new extraction", async () => {
	const names = () =>
		page
			.locator("#analysis-charts figure")
			.evaluateAll((all) => all.map(({ id }) => id.replace("picture-", "")));
	assert.equal(await names(), ["line-cuts", "ring-cuts", "symmetrised"]);
	assert.match(
		await text(page, "#fft-caption"),
		"120 × 120 pixels less their mean, Hann window along each axis; zeros around to 128 × 128",
	);
	// A list that cannot be read is said to be none, and asks for nothing.
	await page.fill("#rings", "0.15,");
	await page.fill("#symmetrised", "");
	await page.fill("#cuts", "");
	assert.match(
		await page.$eval(
			"#rings",
			(field) => (field as HTMLInputElement).validationMessage,
		),
		"Expected 1 to 12 wave vectors above zero",
	);
	await page.fill("#rings", "");
	await page.waitForFunction(
		() =>
			document.getElementById("command")?.textContent ===
			"npx qpi-lens extract sample.3ds --energy=-0.02 --detect",
	);
	assert.equal(await names(), []);
	assert.is(await page.isVisible("#stale"), false);
});

test("a switch to another method that was compared takes no new extraction", async () => {
	const compared = await text(page, "#methods tbody");
	const switched = async (method: string) => {
		await page.selectOption("#method", method);
		const shown = method === "auto" ? "refined" : method;
		await page.waitForFunction(
			([shown]) =>
				document.getElementById("results-head")?.textContent?.endsWith(shown) &&
				document.getElementById("stale")?.hidden,
			[shown],
		);
		assert.is(await text(page, "#methods .chosen th"), shown);
	};
	// One that is asked for is compared with nothing, as on the command line.
	await switched("refined");
	assert.is(await page.locator("#methods tbody tr").count(), 1);
	assert.match(await text(page, "#command"), "--method=refined");
	await switched("ridge");
	assert.is(await page.locator("#methods tbody tr").count(), 1);
	assert.is(await text(page, "#adapter"), "");
	await switched("auto");
	assert.is(await text(page, "#methods tbody"), compared);
	assert.not.match(await text(page, "#command"), "--method");
});

test("settings that are changed after Extract was pressed are not those of the result", async () => {
	await page.selectOption("#method", "ridge");
	await page.waitForFunction(
		() =>
			document.getElementById("results-head")?.textContent?.endsWith("ridge") &&
			document.getElementById("work")?.hidden,
	);
	await page.fill("#seed", "5");
	await page.evaluate(() => {
		document.getElementById("run")?.click();
		const field = document.getElementById("low-pass") as HTMLInputElement;
		field.value = "0.15";
		field.dispatchEvent(new Event("input", { bubbles: true }));
	});
	await page.waitForFunction(() =>
		document.getElementById("command")?.textContent?.includes("--seed=5"),
	);
	assert.not.match(await text(page, "#command"), "low-pass");
	assert.is(await page.isVisible("#stale"), true);
	await page.fill("#low-pass", "");
	await page.waitForSelector("#stale", { state: "hidden" });
	await page.fill("#seed", "1");
});

test("all energies: a kernel each, and the dispersion", async () => {
	await page.selectOption("#energies", "all");
	await page.selectOption("#method", "ridge");
	assert.is(await page.isVisible("#stale"), true);
	// Not that whose kernel is the best.
	await page.waitForSelector("#energy-row:not([hidden])");
	await page.locator("#energy").fill("3");
	await page.waitForFunction(() =>
		document.getElementById("picture-title")?.textContent?.includes(" 40 meV"),
	);
	assert.is(await extract(page), "");
	assert.is(
		await text(page, "#command"),
		"npx qpi-lens extract sample.3ds --method=ridge --detect",
	);
	assert.is(await text(page, "#adapter"), "", "ridge has no network");
	const rows = page.locator("#dispersion-table tbody tr");
	assert.is(await rows.count(), 5);
	const charts = page.locator("#charts img");
	const sizes = await charts.evaluateAll((images) =>
		Promise.all(
			images.map(async (image) => {
				await (image as HTMLImageElement).decode();
				return (image as HTMLImageElement).naturalWidth > 100;
			}),
		),
	);
	assert.equal(sizes, [true, true], "a profile and a dispersion");
	const seen = new Set<string>();
	// Neither picture nor kernel is left at another energy: after the extraction, and as the slider goes.
	for (const i of [undefined, 0, 4]) {
		if (i !== undefined) await page.locator("#energy").fill(String(i));
		await page.waitForFunction((i) => {
			const said = (of: string) =>
				/−?\d+ meV/.exec(document.querySelector(of)?.textContent ?? "")?.[0];
			const row = document.querySelector("#dispersion-table tr.chosen");
			return (
				said("#picture-title") === said("#results-head") &&
				said("#energy-value") === said("#results-head") &&
				row?.querySelector("th")?.textContent === said("#results-head") &&
				(i === undefined || row?.parentElement?.children[i] === row)
			);
		}, i);
		const label = await text(page, "#dispersion-table tr.chosen th");
		assert.is(await text(page, "#results-head"), `Kernel, ${label}, by ridge`);
		if (i === undefined) continue;
		seen.add(label);
		// The views follow one after the other.
		await page.waitForFunction(
			(label) =>
				document
					.querySelector("#view-kernel canvas")
					?.ariaLabel?.includes(label),
			label,
		);
	}
	assert.is(seen.size, 2);
	// What is said, and what is given, is of the energy that is shown.
	assert.match(await text(page, "#findings"), /method ridge \(60 meV/);
	for (const [button, name] of [
		["kernel.npy", "kernels.npy"],
		["kernel.csv", "kernel-5.csv"],
	]) {
		const [download] = await Promise.all([
			page.waitForEvent("download"),
			page.click(`[data-file="${button}"]`),
		]);
		assert.is(download.suggestedFilename(), name);
	}
	await shot(page, "energies-1280-light");
});

test("pointing at a spectrum says q; a click cuts E(q) along its direction", async () => {
	const canvas = page.locator("#view-spectrum canvas");
	await canvas.scrollIntoViewIfNeeded();
	const box = await canvas.boundingBox();
	if (!box) throw new Error("there is no spectrum");
	await page.mouse.move(box.x + 0.55 * box.width, box.y + 0.3 * box.height);
	await page.waitForFunction(() =>
		document.getElementById("fft-readout")?.textContent?.startsWith("q = ("),
	);
	const said = (await text(page, "#fft-readout")).replaceAll("−", "-");
	const [qx, qy, q, angle, wave] = [
		/q = \((.*?),/,
		/, (\S*)\) 1\/Å/,
		/\|q\| = (\S*)/,
		/(\S*)° from x/,
		/2π\/q = (\S*) Å/,
	].map((part) => Number(part.exec(said)?.[1]));
	assert.ok(Math.abs(Math.hypot(qx, qy) - q) < 2e-4, said);
	assert.ok(Math.abs((2 * Math.PI) / q / wave - 1) < 2e-3, said);
	assert.match(said, /log₁₀ \|FFT\|: map -?\d.*, kernel -?\d/);
	await page.mouse.down();
	await page.mouse.up();
	await page.waitForSelector("#picture-line-cuts img");
	const degrees = (Math.round(angle) + 180) % 180;
	assert.match(await text(page, "#command"), `--cut=${degrees} --detect`);
	assert.is(await page.isVisible("#stale"), false);
	assert.match(
		await text(page, "#analysis-told"),
		"branch 1, 5 energies: m* =",
	);
	await page.fill("#cuts", "");
	await page.waitForSelector("#picture-line-cuts", { state: "detached" });
});

test("another file with the same settings is another extraction", async () => {
	await drop(page, "second.3ds", readFileSync(SAMPLE));
	await page.waitForFunction(() =>
		document.getElementById("file-about")?.textContent?.includes("second"),
	);
	await page.selectOption("#energies", "one");
	assert.is(await extract(page), "");
	assert.is(await page.isVisible("#results"), true);
	assert.match(await text(page, "#command"), "extract second.3ds");
	await page.waitForSelector("#profile-chart:not([hidden])");
	// Once more with the same is no other.
	await page.click("#run");
	await page.waitForTimeout(300);
	assert.is(await page.isVisible("#work"), false);
});

test("it had nothing to complain of, and asked nobody else", clean);

/**
 * The networks run on another adapter: theirs and what follows differs by 2e-6 at most between two software adapters. Graphics cards round in other
 * orders; a wrong unit, seed or setting changes far more than this.
 */
const SAME = 1e-3;

/** Where two values of JSON are not the same: same keys in the same order, numbers close, texts the same but for such numbers. */
function differences(a: unknown, b: unknown, path = "result"): string[] {
	if (typeof a === "string" && typeof b === "string") {
		const [one, other] = [a, b].map((text) => text.split(NUMBER));
		// The last digit that is written may fall to either side.
		const close = one.every(
			(part, i) =>
				part === other[i] ||
				(i % 2 === 1 &&
					Math.abs(Number(part) - Number(other[i])) <= 1.01 * lastDigit(part)),
		);
		return one.length === other.length && close ? [] : [`${path}: ${a} | ${b}`];
	}
	if (typeof a === "number" && typeof b === "number")
		return Math.abs(a - b) <= SAME * Math.max(Math.abs(a), Math.abs(b))
			? []
			: [`${path}: ${a} | ${b}`];
	if (!a || !b || typeof a !== "object" || typeof b !== "object")
		return a === b ? [] : [`${path}: ${a} | ${b}`];
	const keys = Object.keys(a);
	if (keys.join() !== Object.keys(b).join())
		return [`${path}: ${keys} | ${Object.keys(b)}`];
	return keys.flatMap((key) =>
		differences(
			(a as Record<string, unknown>)[key],
			(b as Record<string, unknown>)[key],
			`${path}.${key}`,
		),
	);
}

const NUMBER = /(\d+(?:\.\d+)?(?:e-?\d+)?)/;
function lastDigit(text: string): number {
	const [digits, power = "0"] = text.split("e");
	const decimals = digits.split(".")[1]?.length ?? 0;
	return 10 ** (Number(power) - decimals);
}

test.run();
