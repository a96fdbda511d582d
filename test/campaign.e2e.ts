/** Many files by one command, as a user runs it: what fails stops nothing, what is finished is not done again, and parts make a whole. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../src/random.ts";
import { type Ended, start, until } from "./command.ts";
import { sxmFile } from "./formatFixtures.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-many-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const cli = (...args: string[]) =>
	start("src/cli.ts", args, { seconds: 200, cwd: scratch });
const ran = async (code: number, ...args: string[]): Promise<Ended> => {
	const ended = await cli(...args).ended;
	assert.is(ended.code, code, ended.stdout + ended.stderr);
	return ended;
};

// Rings about six scatterers, 200 A, 32 x 32 pixels: as little work as an extraction can be.
const SIDE = 32;
const random = new Random(5);
const marks = Array.from({ length: 6 }, () => ({
	x: random.uniform(-80, 80),
	y: random.uniform(-80, 80),
}));
const place = (i: number) => (i - (SIDE - 1) / 2) * (200 / SIDE);
const scan = (q: number) =>
	sxmFile(
		(ix, iy) =>
			marks.reduce((sum, { x, y }) => {
				const r = Math.hypot(place(ix) - x, place(iy) - y);
				return sum + Math.cos(q * r) / Math.hypot(r, 6);
			}, 1),
		{ nx: SIDE, ny: SIDE, range: [2e-8, 2e-8] },
	);
mkdirSync(at("scans/second"), { recursive: true });
await writeFile(at("scans/map.sxm"), scan(0.2));
await writeFile(at("scans/second/map.sxm"), scan(0.25));
await writeFile(at("scans/damaged.sxm"), scan(0.2).subarray(0, 4000));
await writeFile(
	at("marks.csv"),
	["x,y", ...marks.map(({ x, y }) => `${x},${y}`), ""].join("\n"),
);
const HOW = ["--scatterers", "marks.csv", "--method", "ridge"];

/** The table without the seconds, which no two runs share. */
const table = (out: string): string[] =>
	readFileSync(at(`${out}/summary.csv`), "utf8")
		.split("\n")
		.map((line) => line.replace(/,[\d.]+(,(?:"[^"]*")?)$/, "$1"));

test("three files by a pattern in quotes, one of them damaged, two of the same name: two kernels, one table, exit code 1", async () => {
	const { stdout, stderr } = await ran(
		1,
		...["extract", "scans/**/*.sxm", ...HOW, "--jobs", "2", "--out", "all"],
	);
	assert.match(stdout, /scans\/damaged\.sxm: failed after .*: found \d+ bytes/);
	assert.match(stdout, /^2 of 3 done; open all\/summary\.html$/m);
	assert.match(stderr, /^error: 1 of 3 files failed; .*\n$/);
	assert.equal(readdirSync(at("all")).sort(), [
		...["campaign.json", "scans-map.sxm", "second-map.sxm"],
		...["summary.csv", "summary.html"],
	]);
	const [head, damaged, first, second] = table("all");
	assert.match(head, /^file,folder,channel,.*q\* \(1\/Angstrom\)/);
	assert.match(damaged, /^scans\/damaged\.sxm,,+"scans\/damaged\.sxm: found /);
	assert.match(first, /^scans\/map\.sxm,scans-map\.sxm,LIY_1_omega,.*,ridge,/);
	assert.match(second, /^scans\/second\/map\.sxm,second-map\.sxm,/);
	const html = readFileSync(at("all/summary.html"), "utf8");
	assert.match(html, 'href="second-map.sxm/report.html"');
});

test("once more: what is finished stays, what failed is tried again, and other bytes are done again", async () => {
	const kept = readFileSync(at("all/scans-map.sxm/result.json"));
	await writeFile(at("scans/damaged.sxm"), scan(0.3));
	await writeFile(at("scans/second/map.sxm"), scan(0.28));
	await writeFile(at("list.txt"), "# all of them\nscans/**/*.sxm\n");
	const { stdout } = await ran(
		0,
		...["extract", "--list", "list.txt", ...HOW, "--out", "all"],
	);
	assert.match(stdout, /^\d\/3 scans\/map\.sxm: done before$/m);
	assert.match(stdout, /^scans\/second\/map\.sxm: once more, for its bytes/m);
	assert.match(stdout, /^\d\/3 scans\/damaged\.sxm: done in/m);
	assert.equal(readFileSync(at("all/scans-map.sxm/result.json")), kept);
	assert.is(table("all").length, 5);
	assert.not.match(table("all").join("\n"), /found/);
});

test("parts, merged, give the table and the kernels of one run", async () => {
	for (const shard of ["1/2", "2/2"])
		await ran(
			0,
			...["extract", "scans/**/*.sxm", ...HOW],
			...["--shard", shard, "--out", `part-${shard[0]}`],
		);
	assert.is(
		readdirSync(at("part-1")).length + readdirSync(at("part-2")).length,
		9,
	);
	const { stdout } = await ran(0, "merge", "part-*", "--out", "whole");
	assert.is(stdout, "results of 3 files in whole\n");
	assert.equal(table("whole"), table("all"));
	for (const folder of ["damaged", "scans-map.sxm", "second-map.sxm"])
		assert.equal(
			readFileSync(at(`whole/${folder}/kernel.npy`)),
			readFileSync(at(`all/${folder}/kernel.npy`)),
		);
});

test("Ctrl-C: nothing half-written, and what is finished is known to the next run", async () => {
	// More of them than are done before the signal comes, however late it is.
	mkdirSync(at("many"));
	for (let i = 10; i < 70; i++)
		await writeFile(at(`many/${i}.sxm`), scan(0.2 + i / 1000));
	const run = cli("extract", "many/*.sxm", ...HOW, "--out", "stopped");
	let said = "";
	run.child.stdout?.on("data", (chunk) => {
		said += chunk;
	});
	await until(run, () => said.includes("1/60"));
	run.child.kill("SIGINT");
	const { code, stderr } = await run.ended;
	assert.is(code, 130, stderr);
	assert.match(stderr, /^interrupted; what was finished stays/m);
	const done = table("stopped")
		.slice(1, -1)
		.map((row) => /^many\/(\d+)\.sxm,\1,/.exec(row)?.[1] ?? row);
	assert.ok(done.length > 0 && done.length < 60, done.join());
	const files = ["campaign.json", "summary.csv", "summary.html"];
	const made = readdirSync(at("stopped")).filter((f) => !files.includes(f));
	// A file that was done as the signal came may be whole without being in the table yet; none is half there.
	assert.equal(
		done.filter((name) => !made.includes(name)),
		[],
	);
	for (const name of made)
		assert.ok(existsSync(at(`stopped/${name}/result.json`)), name);
});

test("what cannot be meant: one line, and nothing is made", async () => {
	const before = readdirSync(scratch);
	for (const [args, text] of [
		[["scans/*.nix"], /scans\/\*\.nix: found no file of such a name/],
		[[], /no file is given/],
		[["scans/map.sxm", "--shard", "3/2"], /from 1\/n to n\/n/],
		[["scans/map.sxm", "--jobs", "0"], /1 or more/],
		[["scans/*.sxm", "-s", "gone.csv"], /gone\.csv: there is no such file/],
		[["scans/*.sxm", "--out", "all/scans-map.sxm"], /other results/],
		[["scans/*.sxm", "--out", "part-1"], /holds part 1\/2 of 3 files/],
	] as const) {
		const { stderr } = await ran(1, "extract", ...args);
		assert.match(stderr, /^error: [^\n]*\n$/);
		assert.match(stderr, text);
	}
	assert.equal(readdirSync(scratch), before);
});

test.run();
