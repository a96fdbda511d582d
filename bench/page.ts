/**
 * `npm run bench:page -- [--energies 120] [--runs 3]`: whether the page is felt to stop, in Chromium. A map of 1024 x 1024 pixels and a grid of 128 x 128 with
 * so many energies: seconds from the drop to the first picture, the longest task on the main thread, the memory that renderer and workers hold at most (Linux).
 * Tasks are told by their processor time (trace events `RunTask`, `tdur`): another program that runs does not make them longer.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { CDPSession, Page } from "playwright-core";
import { whole } from "../src/cli/command.ts";
import { writeScatterers } from "../src/extraction/marks/scatterers.ts";
import { encodeGsf } from "../src/formats/gsf.ts";
import { makeSeries } from "../src/qpi/generator/mapSeries.ts";
import { openBrowser } from "../test/browser.ts";
import { gridFile } from "../test/formatFixtures.ts";
import { extract, openPage, servePage } from "../test/pageTesting.ts";

interface TraceEvent {
	readonly name: string;
	readonly pid: number;
	readonly tid: number;
	/** Processor time, microseconds. */
	readonly tdur?: number;
	readonly args: { readonly name?: string };
}

/** Of the energy slider. */
const STEPS = 12;

const { energies, runs } = new Command("bench:page")
	.option("--energies <n>", "of the grid", whole, 120)
	.option("--runs <n>", "times that everything is done", whole, 3)
	.parse()
	.opts<{ energies: number; runs: number }>();

if (energies <= STEPS)
	throw new RangeError(
		`--energies ${energies}: expected more than ${STEPS}, through which the slider is moved`,
	);

const recipe = {
	...{ broadening: 0.006, phase: 0.6, marks: 20, spread: 0.2, drift: 0 },
	band: { kind: "surface", mass: 0.4, bottom: -0.065 },
} as const;
const SWEEP = [-0.06, 0.06] as const;
const step = (SWEEP[1] - SWEEP[0]) / Math.max(1, energies - 1);
const large = makeSeries(
	{ ...recipe, energies: [0.02], pixels: [1024, 1024], field: 1000, noise: 1 },
	1,
);
const [{ image }] = large.maps;
const map = encodeGsf({
	...{ name: "dI/dV", unit: "", nx: 1024, ny: 1024, pixel: large.pixel },
	...{ images: [image], energies: [0.02] },
});
const stack = makeSeries(
	{
		...recipe,
		energies: Array.from({ length: energies }, (_, e) => SWEEP[0] + e * step),
		...{ pixels: [128, 128], field: 512, noise: 0.2 },
	},
	2,
);
const grid = gridFile(
	(ix, iy, e) => 1e-11 * (1 + stack.maps[e].image[ix * 128 + iy]),
	{
		...{ nx: 128, ny: 128, points: energies, sweep: [...SWEEP] },
		...{ size: [512e-10, 512e-10], channels: ["LIY 1 omega (A)"] },
	},
);
const marks = writeScatterers(
	stack.scatterers.map((s) => ({ ...s, quality: 1, keep: true })),
);
// From files: what is handed to a page in another way is unpacked by the page.
const folder = await mkdtemp(join(tmpdir(), "qpi-page-"));
const place = (name: string) => join(folder, name);
await writeFile(place("map.gsf"), map);
await writeFile(place("grid.3ds"), grid);
await writeFile(place("marks.csv"), marks);

const served = await servePage();
const browser = await openBrowser();
const cdp = await browser.newBrowserCDPSession();
const told = (what: string, ...columns: string[]) =>
	console.log(what.padEnd(44), ...columns.map((text) => text.padStart(14)));
told("", "first picture", "longest task", "most memory");
try {
	for (let run = 0; run < runs; run++) await once();
} finally {
	await browser.close();
	served.close();
	await rm(folder, { recursive: true });
}

async function once(): Promise<void> {
	const { page } = await openPage(browser, served.url);
	let first = "";
	const longest = await longestTask(page, async () => {
		first = await firstPicture(page, place("map.gsf"));
		// Its histogram, layers and transform come after it.
		await page.waitForTimeout(4000);
	});
	told("1024 x 1024: opened", first, longest);
	told(
		"1024 x 1024: a line cut across it",
		"",
		await longestTask(page, () => cut(page)),
	);
	await page.close();

	const { page: second } = await openPage(browser, served.url);
	const name = `128 x 128 x ${energies}`;
	const opening = await longestTask(second, async () => {
		first = await firstPicture(second, place("grid.3ds"));
		await second.setInputFiles("#marks-file", place("marks.csv"));
		await second.waitForFunction(
			() => document.querySelectorAll("#marks-table tbody tr").length === 20,
		);
	});
	told(`${name}: opened, marks read`, first, opening);
	await second.selectOption("#method", "ridge");
	const extracting = await longestTask(second, async () => {
		const fault = await extract(second);
		if (fault) throw new Error(fault);
		await second.waitForTimeout(3000);
	});
	told(`${name}: extracted by ridge, shown`, "", extracting);
	const sliding = await longestTask(second, async () => {
		const slider = second.locator("#energy");
		await slider.fill("0");
		for (let i = 0; i < STEPS; i++) {
			await slider.press("ArrowRight");
			await second.waitForTimeout(400);
		}
		if ((await slider.inputValue()) !== String(STEPS))
			throw new Error("the energy stays");
	});
	told(`${name}: ${STEPS} energies on`, "", sliding, await mostMemory());
	await second.close();
}

/** Chooses a file. @returns how long it takes until it is shown */
async function firstPicture(page: Page, file: string): Promise<string> {
	await page.evaluate(() => {
		addEventListener("change", () => performance.mark("chosen"), true);
	});
	await page.setInputFiles("#file", file);
	// The title comes with the picture.
	await page.waitForFunction(
		() => document.getElementById("picture-title")?.textContent,
	);
	const ms = await page.evaluate(
		() => performance.measure("shown", "chosen").duration,
	);
	return `${(ms / 1000).toFixed(1)} s`;
}

async function cut(page: Page): Promise<void> {
	await page.click("input[name=tool][value=profile]");
	const box = await page
		.locator("#picture canvas")
		.evaluate((canvas) => canvas.getBoundingClientRect());
	const at = (part: number) =>
		[box.x + part * box.width, box.y + part * box.height] as const;
	await page.mouse.move(...at(0.3));
	await page.mouse.down();
	await page.mouse.move(...at(0.7), { steps: 30 });
	await page.mouse.up();
}

/** The longest task of the page's main thread while `work` goes on. */
async function longestTask(
	page: Page,
	work: () => Promise<void>,
): Promise<string> {
	const events = await traced(cdp, work);
	const main = new Set(
		events
			.filter(
				({ name, args }) =>
					name === "thread_name" && args.name === "CrRendererMain",
			)
			.map(({ pid, tid }) => `${pid} ${tid}`),
	);
	const ms = events
		.filter(
			({ name, pid, tid }) =>
				/RunTask$/.test(name) && main.has(`${pid} ${tid}`),
		)
		.reduce((most, { tdur = 0 }) => Math.max(most, tdur / 1000), 0);
	if (ms === 0) throw new Error(`no task was traced in ${page.url()}`);
	return `${ms.toFixed(0)} ms`;
}

async function traced(
	session: CDPSession,
	work: () => Promise<void>,
): Promise<TraceEvent[]> {
	const events: TraceEvent[] = [];
	const take = ({ value }: { value: unknown[] }) => {
		for (const event of value) events.push(event as TraceEvent);
	};
	session.on("Tracing.dataCollected", take);
	await session.send("Tracing.start", {
		transferMode: "ReportEvents",
		traceConfig: {
			includedCategories: ["toplevel", "devtools.timeline", "__metadata"],
		},
	});
	await work();
	const complete = new Promise<void>((resolve) =>
		session.once("Tracing.tracingComplete", () => resolve()),
	);
	await session.send("Tracing.end");
	await complete;
	session.off("Tracing.dataCollected", take);
	return events;
}

/** Of the renderer, its workers included, since it began. */
async function mostMemory(): Promise<string> {
	const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
	const most = processInfo
		.filter(({ type }) => type === "renderer")
		.map(({ id }) => {
			const [, kB] =
				/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8")) ?? [];
			return Number(kB) / 1000;
		});
	return `${Math.max(0, ...most).toFixed(0)} MB`;
}
