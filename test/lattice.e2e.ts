/** The atomic lattice and the set-point effect, as a user of the program meets them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeScatterers } from "../src/extraction/marks/scatterers.ts";
import { start } from "./command.ts";
import { gridFile } from "./formatFixtures.ts";
import { latticeScan } from "./latticeScans.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-lattice-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const ended = (...args: string[]) =>
	start("src/cli.ts", args, { seconds: 300 }).ended;

const SIDE = 96;
const made = { lattice: { a: 3.8, b: 3.8, angle: 90 }, nx: SIDE, drift: 1.5 };
const { scan, scatterers } = latticeScan({ ...made, height: 1 });
const smooth = latticeScan({ ...made, height: 0 }).scan;
const BIASES = [-0.1, 0, 0.1];
const grid = ({ image }: { image: Float32Array }) =>
	gridFile(
		(ix, iy, i) => {
			const v = image[ix * SIDE + iy];
			const bias = BIASES[i % 1000];
			return i >= 1000 ? 10 + v : bias * (10 + v) + 1e-3;
		},
		{
			...{ nx: SIDE, ny: SIDE, points: 3, sweep: [-0.1, 0.1] },
			size: [SIDE * 1e-10, SIDE * 1e-10],
		},
	);
await writeFile(at("grid.3ds"), grid(scan));
await writeFile(at("smooth.3ds"), grid(smooth));
const marks = writeScatterers(
	scatterers.map((s) => ({
		...{ ...s, weight: 1, quality: 1, keep: true, kind: 1 },
	})),
);
await writeFile(at("marks.csv"), marks);

test("info says where Bragg peaks are seen", async () => {
	const { stdout, code } = await ended("info", at("grid.3ds"));
	assert.is(code, 0);
	const [, a, b] =
		/Bragg peaks in LIY 1 omega \[AVG\] at .* a lattice of ([\d.]+) x ([\d.]+) A/.exec(
			stdout,
		) ?? [];
	assert.ok(Math.abs(Number(a) - 3.8) < 0.3 && Math.abs(Number(b) - 3.8) < 0.3);
	const none = await ended("info", at("smooth.3ds"));
	assert.not.match(none.stdout, /Bragg/);
});

test("extract: drift, size and shear by a known lattice, its waves removed, q in its units; marks come back where they were", async () => {
	const out = at("kernel");
	const { code, stdout, stderr } = await ended(
		...["extract", at("grid.3ds"), "--scatterers", at("marks.csv")],
		...["--lattice", "3.8,3.8,90", "--drift", "--bragg", "remove"],
		...["--energy", "0.1", "--method", "ridge", "--window", "24"],
		...["--no-adjust", "--adapter", "swiftshader", "--out", out],
	);
	assert.is(code, 0, stderr);
	assert.match(stdout, /lattice: by LIY 1 omega.*drift of .* taken out/);
	assert.match(stdout, /Bragg peaks: notches of 0\.\d+ 1\/A/);
	const result = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
	const { lattice } = result;
	assert.is(lattice.frame, "corrected");
	assert.equal(lattice.known, { a: 3.8, b: 3.8, angle: 90 });
	assert.ok(Math.abs(lattice.unit - (2 * Math.PI) / 3.8) < 1e-6);
	assert.ok(lattice.drift.rms > 0.3 && lattice.braggRemoved.width > 0);
	assert.ok(result.files.includes("lattice.png"));
	if (result.q)
		assert.ok(
			Math.abs(result.qReciprocal.q - result.q.q / lattice.unit) < 1e-9,
		);
	const report = await readFile(join(out, "report.html"), "utf8");
	assert.match(report, /The atomic lattice/);
	const rows = (text: string) =>
		text
			.split("\n")
			.filter((line) => /^-?\d/.test(line))
			.map((line) => line.split(",").slice(0, 2).map(Number));
	const back = rows(await readFile(join(out, "scatterers.csv"), "utf8"));
	rows(marks).forEach(([x, y], i) => {
		assert.ok(Math.hypot(back[i][0] - x, back[i][1] - y) < 3e-3);
	});
	const profile = await readFile(join(out, "profile.csv"), "utf8");
	assert.match(profile, /^q \(1\/Angstrom\),.*,q \(\|b1\|\)\n/);
});

test("what cannot be done is refused in one line", async () => {
	const extract = (...args: string[]) =>
		ended(
			"extract",
			...args,
			"--scatterers",
			at("marks.csv"),
			"--out",
			at("none"),
		);
	for (const [args, message] of [
		[
			[at("smooth.3ds"), "--drift"],
			/^error: .*smooth\.3ds: Bragg peaks: found no two.*Nyquist.*\n$/,
		],
		[
			[at("grid.3ds"), "--lattice", "1.1,1.1,90"],
			/^error: .*pixels of 1 A are too coarse for a lattice of 1\.100 x 1\.100 A.*\n$/,
		],
		[
			[at("grid.3ds"), "--lattice", "3.8,3.8"],
			/Expected both sides in Angstrom and the angle/,
		],
		[
			[at("grid.3ds"), "-c", "Current", "--normalise", "feenstra"],
			/^error: .*found the channel Current, expected dI\/dV for --normalise feenstra\n$/,
		],
	] as const) {
		const { code, stderr } = await extract(...args);
		assert.is(code, 1, stderr);
		assert.match(stderr, message);
	}
});

test.run();
