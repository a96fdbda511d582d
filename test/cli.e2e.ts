/** The program `qpi-lens`, as a user runs it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readScatterers } from "../src/extraction/marks/scatterers.ts";
import { decodeNpy, encodeNpy } from "../src/formats/npy.ts";
import { Random } from "../src/random.ts";
import { type Ended, start, until } from "./command.ts";
import { gridFile, sxmFile } from "./formatFixtures.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-cli-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const cli = (...args: string[]) => start("src/cli.ts", args, { seconds: 300 });
const ran = async (...args: string[]): Promise<Ended> => {
	const ended = await cli(...args).ended;
	assert.is(ended.code, 0, ended.stderr);
	return ended;
};

// A surface state, m* = 0.4, E0 = -65 meV: q = 2k = 2 * 0.5123 sqrt(m (E - E0)); waves that fall off as 1/r around 12 scatterers in 400 A.
const [MASS, BOTTOM, SIDE] = [0.4, -0.065, 64];
const q = (energy: number) => 1.0246 * Math.sqrt(MASS * (energy - BOTTOM));
const random = new Random(5);
const scatterers = Array.from({ length: 12 }, () => ({
	x: random.uniform(-170, 170),
	y: random.uniform(-170, 170),
}));
const place = (i: number) => (i - (SIDE - 1) / 2) * (400 / SIDE);
const kernel = (r: number, energy: number) =>
	Math.cos(q(energy) * r + 0.6) / Math.hypot(r, 6);
const signal = (ix: number, iy: number, energy: number) =>
	scatterers.reduce(
		(sum, s) =>
			sum + kernel(Math.hypot(place(ix) - s.x, place(iy) - s.y), energy),
		0,
	);
const energies = [-0.03, 0, 0.03, 0.06, 0.09, 0.12];
await writeFile(
	at("grid.3ds"),
	gridFile((ix, iy, i) => 1 + signal(ix, iy, energies[i % 1000]), {
		nx: SIDE,
		ny: SIDE,
		points: energies.length,
		sweep: [energies[0], energies[energies.length - 1]],
		size: [4e-8, 4e-8],
	}),
);
await writeFile(
	at("scan.sxm"),
	sxmFile((ix, iy) => 1 + signal(ix, iy, 0.045), {
		nx: SIDE,
		ny: SIDE,
		range: [4e-8, 4e-8],
	}),
);
await writeFile(
	at("marks.csv"),
	["x,y", ...scatterers.map(({ x, y }) => `${x},${y}`), ""].join("\n"),
);

test("--help: of the program and of each command, with an example", async () => {
	const { stdout } = await ran("--help");
	assert.match(stdout, /Exit codes: 0 done/);
	const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)];
	const names = commands.map(([, name]) => name);
	for (const name of [
		"info",
		"detect",
		"extract",
		"evaluate",
		"generate",
		"train",
	])
		assert.ok(names.includes(name), name);
	for (const name of names) {
		const help = await ran(name, "--help");
		assert.match(
			help.stdout,
			new RegExp(`Examples?:\\n {2}npx qpi-lens ${name}`),
		);
	}
});

test("info: what is in a file", async () => {
	const { stdout } = await ran("info", at("scan.sxm"));
	assert.match(stdout, /sxm, 64 x 64 pixels, 400 x 400 A/);
	assert.match(stdout, /\* LIY_1_omega +.* at 0\.045 eV/);
	const json = JSON.parse((await ran("info", "--json", at("grid.3ds"))).stdout);
	assert.equal([json.format, json.nx, json.energies.length], ["3ds", 64, 6]);
	assert.match(json.chosen, "LIY 1 omega");
});

test("an array as pictures have it, and a mask", async () => {
	const rows = Float32Array.from({ length: SIDE * SIDE }, (_, p) =>
		signal(p % SIDE, SIDE - 1 - Math.floor(p / SIDE), 0.045),
	);
	await writeFile(at("picture.npy"), encodeNpy(rows, [SIDE, SIDE]));
	const info = await ran("info", at("picture.npy"));
	assert.match(
		info.stdout,
		/first index: x from left .* bottom to top \(--axes xy/,
	);
	const [hidden, ...others] = scatterers;
	await writeFile(
		at("mask.csv"),
		`# one\nrectangle,${hidden.x},${hidden.y},40,40\n`,
	);
	const { stdout } = await ran(
		...["detect", at("picture.npy"), "--field", "400"],
		...["--axes", "yx", "--orientation", "top"],
		...["--mask", at("mask.csv"), "--out", at("arrays.csv")],
	);
	assert.match(stdout, /given mask: 1 shape: 1(\.\d+)? % of the scan/);
	const found = readScatterers(
		readFileSync(at("arrays.csv"), "utf8"),
		"arrays.csv",
	).filter(({ keep }) => keep);
	const near = (a: { x: number; y: number }, b: { x: number; y: number }) =>
		Math.hypot(a.x - b.x, a.y - b.y) < 10;
	const seen = others.filter((s) => found.some((f) => near(f, s)));
	assert.ok(seen.length >= others.length - 1, `${seen.length} found`);
});

/** Refused with one line on standard error and nothing left. */
async function refused(
	args: string[],
	code: number,
	text: RegExp,
): Promise<void> {
	const ended = await cli(...args).ended;
	assert.is(ended.code, code, ended.stderr);
	assert.match(ended.stderr, /^error: [^\n]*\n$/);
	assert.match(ended.stderr, text);
}

const BAD: [string[], RegExp][] = [
	[["extract", "SCAN", "--detect", "--scatterers", "MARKS"], /one of them/],
	[
		["extract", "SCAN", "--kinds", "2", "--scatterers", "MARKS"],
		/--kinds is for scatterers that are looked for.* one of them/,
	],
	[["extract", "SCAN", "--kinds", "0"], /whole number from 1 to 5/],
	[["detect", "SCAN", "--kinds", "6"], /whole number from 1 to 5/],
	[["detect", "SCAN", "--kinds", "two"], /whole number from 1 to 5/],
	[["detect", "SCAN", "--seed-window", "0,0"], /x,y,size/],
	[["extract", "SCAN", "--seed-window", "0,a,40"], /x,y,size/],
	[["detect", "SCAN", "--seed-window", "0,0,0"], /x,y,size/],
	[
		["extract", "SCAN", "--crop", "100,0,200", "--seed-window", "-50,0,40"],
		/seed window of 40 A at \(-50, 0\) leaves the image.* 0 to 200 A along x/,
	],
	[
		["detect", "SCAN", "--kinds", "1"].concat(
			["--seed-window", "0,0,40"],
			["--seed-window", "90,0,40"],
		),
		/2 seed windows for 1 kind, expected at most one each/,
	],
	[["extract", "nothing.sxm", "--detect"], /there is no such file/],
	[["extract", "SCAN", "--detect", "--channel", "phase"], /"LIY_1_omega"/],
	[
		["extract", "GRID", "--detect", "--energy", "1"],
		/expected one of -0\.03, 0/,
	],
	[["extract", "SCAN", "--detect", "--crop", "0,0"], /x,y,size/],
	[
		["extract", "SCAN", "--detect", "--crop", "0,0,900"],
		/900 A .* leaves the scan/,
	],
	[
		["detect", "SCAN", "GRID", "--out", "marks-of-two.csv"],
		/--out names one list, and 2 files are given: .* --series/,
	],
	[["detect", "--series", "SCAN", "GRID"], /expected one a file of a series/],
	[["detect", "SCAN", "--crop", "0,0,9,0"], /x,y,width,height/],
	[["detect", "SCAN", "--background", "5"], /auto, 0, 1, 2, 3 or 4/],
	[["detect", "SCAN", "--mask", "nothing.csv"], /there is no such file/],
	[["detect", "SCAN", "--mask", "MARKS"], /row 1: found "x", expected rect/],
	[["detect", "SCAN", "--axes", "yx"], /says how its images lie.* no --axes/],
	[["detect", "SCAN", "--pixel", "100"], /pixels of 100 A leave 4 x 4/],
	[["extract", "SCAN", "--detect", "--method", "magic"], /auto, refined/],
	[["extract", "SCAN", "--detect", "--symmetry", "5"], /1, 2, 3, 4 or 6/],
	[["extract", "SCAN", "--scatterers", "SCAN"], /scan\.sxm/],
	[["extract", "SCAN", "--detect", "--field", "9"], /no --field/],
	[["info", "MARKS", "extra"], /too many arguments/],
	[["inform", "MARKS"], /unknown command/],
	[["detect", "SCAN", "--out", "marks.txt"], /ends in \.csv/],
	[["detect", "SCAN", "--out", "MARKS"], /is there already/],
	[["evaluate", "--data", "nowhere"], /nowhere: found no such folder/],
];
for (const [args, text] of BAD)
	test(`${args.join(" ")}: exit code 1, one line, nothing written`, async () => {
		const before = readdirSync(scratch);
		const files: Record<string, string> = {
			SCAN: at("scan.sxm"),
			GRID: at("grid.3ds"),
			MARKS: at("marks.csv"),
		};
		const out = args[0] === "extract" ? ["--out", at("refused")] : [];
		await refused([...args.map((a) => files[a] ?? a), ...out], 1, text);
		assert.equal(readdirSync(scratch), before);
	});

test("a truncated file: one error, at once", async () => {
	const whole = readFileSync(at("scan.sxm"));
	await writeFile(at("cut.sxm"), whole.subarray(0, whole.length / 2));
	await refused(
		["extract", at("cut.sxm"), "--detect"],
		1,
		/cut\.sxm: found .* expected/,
	);
});

test("the machine is at fault: exit code 2 and what to install", async () => {
	await refused(
		["train", "--adapter", "voodoo", "--out", at("run")],
		2,
		/no WebGPU adapter is named like "voodoo"/,
	);
});

const result = (folder: string) =>
	JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));

const FILES = [
	"kernel.npy",
	"kernel.csv",
	"uncertainty.npy",
	"uncertainty.csv",
	"model.npy",
	"residual.npy",
	"input.npy",
	"scatterers.csv",
	"spectrum.csv",
	"profile.csv",
	"map-spectrum.csv",
	"map-spectrum.png",
	"measured.png",
	"steps.png",
	"kernel.png",
	"uncertainty.png",
	"fit.png",
	"spectrum.png",
	"profile.png",
	"report.html",
];

test("extract: the kernel of a scan, with all that belongs to it", async () => {
	const out = at("kernel");
	const { stdout } = await ran(
		...["extract", at("scan.sxm"), "--scatterers", at("marks.csv")],
		...["--method", "ridge", "--out", out],
	);
	assert.match(
		stdout,
		/channel LIY_1_omega \(A\), taken by default, at 45 meV/,
	);
	assert.match(stdout, /12 scatterers from/);
	assert.match(stdout, /method ridge/);
	assert.match(stdout, new RegExp(`open ${out}/report.html`));
	assert.equal(readdirSync(out).sort(), [...FILES, "result.json"].sort());
	const {
		method,
		scatterers: n,
		explainedVariance,
		symmetry,
		...rest
	} = result(out);
	assert.equal([method, n], ["ridge", 12]);
	assert.ok(explainedVariance.heldOut.ridge > 0.5);
	assert.ok(explainedVariance.inSample.ridge > 0.9);
	assert.ok([1, 2, 3, 4, 6].includes(symmetry.n));
	assert.type(symmetry.scores["2"], "number");
	assert.ok(Array.isArray(rest.warnings));
	assert.match(rest.input.sha256, /^[0-9a-f]{64}$/);
	assert.ok(Math.abs(rest.q.q - q(0.045)) < 0.005, `${rest.q.q}, ${q(0.045)}`);
	const { shape, data } = decodeNpy(readFileSync(join(out, "kernel.npy")));
	const [side] = shape;
	assert.equal(shape, rest.kernel.size);
	assert.ok(side % 2 === 1 && side * (400 / 64) > 120, `${side} pixels`);
	assert.is(rest.kernel.pixel, 400 / 64);
	assert.ok(Math.abs(rest.window / rest.kernel.pixel - (side - 1) / 2) <= 0.5);
	assert.equal(rest.input.background, { order: 0 });
	const values = data as Float32Array;
	assert.is(rest.kernel.min, Math.min(...values));
	assert.is(rest.kernel.max, Math.max(...values));
	const rows = readFileSync(join(out, "kernel.csv"), "utf8").trim().split("\n");
	const table = rows.map((row) => row.split(",").map(Number));
	assert.is(rows.length, side + 1);
	const middle = (side - 1) / 2;
	assert.ok(
		Math.abs(table[0][1] + middle * (400 / 64)) < 1e-3,
		"the axis in A",
	);
	assert.is(table[0][middle + 1], 0, "the scatterer is on the middle pixel");
	const at10 = values[10 * side + 12];
	assert.ok(Math.abs(table[11][13] / at10 - 1) < 1e-5);
	const html = readFileSync(join(out, "report.html"), "utf8");
	for (const name of FILES.filter((f) => f.endsWith(".png"))) {
		const png = readFileSync(join(out, name));
		assert.is(png.toString("latin1", 1, 4), "PNG", name);
		assert.ok(
			html.includes(png.toString("base64")),
			`${name} is in the report`,
		);
	}
	const plain = html.replaceAll(/data:image\/png;base64,[\w+/=]+/g, "");
	assert.not.match(plain, /https?:|\/\/\w+\.\w|<script|<link|url\(/i);
});

test("extract again into the same folder, with the list of scatterers edited there", async () => {
	const out = at("kernel");
	const list = join(out, "scatterers.csv");
	const lines = readFileSync(list, "utf8").split("\n");
	const last = lines.findLastIndex((line) => line && !line.startsWith("#"));
	await writeFile(list, lines.toSpliced(last, 1).join("\n"));
	await writeFile(join(out, "notes.txt"), "mine");
	await ran(
		...["extract", at("scan.sxm"), "--scatterers", list],
		...["--method", "ridge", "--out", out],
	);
	assert.is(result(out).scatterers, 11);
	assert.is(readFileSync(join(out, "notes.txt"), "utf8"), "mine");
});

test("extract a stack: every energy, q(E) and the mass", async () => {
	const out = at("stack");
	const { stdout } = await ran(
		...["extract", at("grid.3ds"), "--scatterers", at("marks.csv")],
		...["--method", "ridge", "--out", out],
	);
	assert.match(stdout, /dispersion: m\* = 0\.\d+ \+- 0\.\d+ m_e, E0 = -\d+/);
	const { dispersion, items } = result(out);
	assert.is(items.length, energies.length);
	for (const { energy, q: peak } of items)
		assert.ok(
			Math.abs(peak.q - q(energy)) < 0.01,
			`${energy}: ${peak.q}, ${q(energy)}`,
		);
	assert.ok(
		Math.abs(dispersion.fit.mass - MASS) < 0.03,
		`m* ${dispersion.fit.mass}`,
	);
	assert.ok(
		Math.abs(dispersion.fit.bottom - BOTTOM) < 0.01,
		`E0 ${dispersion.fit.bottom}`,
	);
	const { shape } = decodeNpy(readFileSync(join(out, "kernels.npy")));
	assert.equal([shape[0], shape[1] % 2, shape[2]], [6, 1, shape[1]]);
	for (const name of [
		"dispersion.png",
		"kernels.png",
		"kernel-6.csv",
		"images.csv",
	])
		assert.ok(existsSync(join(out, name)), name);
	const one = at("one");
	await ran(
		...["extract", at("grid.3ds"), "--scatterers", at("marks.csv")],
		...["--energy", "31meV", "--method", "ridge", "--out", one],
	);
	assert.equal(
		result(one).input.energies.map((e: number) => Math.round(1000 * e)),
		[30],
	);
});

test("detect keeps to --crop, and extract alone does what it does with detect's list", async () => {
	const list = at("part.csv");
	const part = ["--crop", "40,-30,260"];
	const { stdout } = await ran("detect", at("scan.sxm"), ...part, "-o", list);
	assert.match(stdout, /crop: .* A at \(\d+/);
	assert.match(stdout, /scatterers found, \d+ of them to keep/);
	assert.ok(existsSync(at("part.png")));
	const found = readScatterers(readFileSync(list, "utf8"), list);
	assert.ok(found.length > 0);
	for (const { x, y } of found)
		assert.ok(Math.abs(x - 40) <= 133 && Math.abs(y + 30) <= 133, `${x}, ${y}`);
	const how = [...part, "--method", "ridge", "--window", "60"];
	const [alone, listed] = ["alone", "listed"].map(at);
	const told = await ran(
		...["extract", at("scan.sxm"), ...how, "--detect", "--out", alone],
	);
	assert.match(told.stdout, /\d+ scatterers found/);
	await ran(
		...["extract", at("scan.sxm"), ...how, "--scatterers", list],
		...["--out", listed],
	);
	const [one, two] = [alone, listed].map(result);
	assert.equal(one.scattererList, two.scattererList);
	for (const name of ["kernel.npy", "uncertainty.npy", "scatterers.csv"])
		assert.equal(
			readFileSync(join(alone, name)),
			readFileSync(join(listed, name)),
			name,
		);
	const kept = found.filter(({ keep }) => keep).length;
	assert.is(
		one.found.kinds.reduce((n: number, k: { marks: number }) => n + k.marks, 0),
		kept,
	);
	assert.is(two.found, undefined);
	const report = (dir: string) =>
		readFileSync(join(dir, "report.html"), "utf8");
	assert.match(report(alone), "<h2>What was found</h2>");
	assert.not.match(report(listed), "<h2>What was found</h2>");
});

test("noise alone: detect writes an empty list, extract has nothing to extract", async () => {
	const random = new Random(11);
	const noise = Float32Array.from({ length: SIDE * SIDE }, () =>
		random.normal(),
	);
	await writeFile(at("noise.npy"), encodeNpy(noise, [SIDE, SIDE]));
	const args = [at("noise.npy"), "--field", "400"];
	const list = at("none.csv");
	const { stdout } = await ran("detect", ...args, "--out", list);
	assert.match(stdout, /0 of them to keep/);
	const rows = readScatterers(readFileSync(list, "utf8"), list);
	assert.not(rows.some(({ keep }) => keep));
	const out = at("nothing");
	const { code, stderr } = await cli("extract", ...args, "--out", out).ended;
	assert.is(code, 1);
	assert.match(stderr, /^error: nothing to extract: .+$/m);
	assert.not(existsSync(out));
});

test("--no-adjust: refined keeps places and amplitudes as given", async () => {
	const off = scatterers.map(({ x, y }, i) => [x + 2 * (-1) ** i, y, 1]);
	const marks = at("off.csv");
	await writeFile(marks, ["x,y,weight", ...off, ""].join("\n"));
	const lists = [];
	for (const how of ["--adjust", "--no-adjust"]) {
		const out = at(how.slice(2));
		await ran(
			...["extract", at("scan.sxm"), "--scatterers", marks, how],
			...["--method", "refined", "--out", out],
		);
		lists.push(result(out).scattererList);
	}
	const away = lists.map((list) =>
		Math.max(
			...list.map((s: { x: number; y: number; weight: number }, j: number) =>
				Math.max(
					Math.hypot(s.x - off[j][0], s.y - off[j][1]),
					Math.abs(s.weight - 1),
				),
			),
		),
	);
	assert.ok(away[0] > 0.1, `moved by ${away[0]}`);
	assert.ok(away[1] < 1e-6, `moved by ${away[1]}`);
});

test("generate, and extract all images of one of its files", async () => {
	await ran(
		"generate",
		"--out",
		at("data"),
		"--kernels",
		"6",
		"--observations",
		"3",
	);
	const out = at("rows");
	await ran(
		...["extract", at("data/Kernel number1.csv"), "--max", "2"],
		...["--method", "ridge", "--out", out],
	);
	const { items } = result(out);
	assert.is(items.length, 2);
	for (const { comparison } of items) assert.ok(comparison.ncc > 0.4);
	await refused(
		["extract", at("data/Kernel number1.csv"), "--detect", "--out", out],
		1,
		/with its own scatterers/,
	);
});

test("generate --maps: maps with their marks and true kernels; what does not go together is refused", async () => {
	const out = at("maps");
	const { stdout } = await ran(
		...["generate", "--out", out, "--maps", "2", "--seed", "3"],
		...["--pixels", "64,96x64", "--field", "300", "--marks", "6-9"],
		...["--kinds", "2", "--noise", "0.3", "--missing-rows", "0.1"],
	);
	assert.is(stdout, `2 maps in ${out}\n`);
	const { maps } = JSON.parse(readFileSync(join(out, "truth.json"), "utf8"));
	const [first, second] = [maps["map-001"], maps["map-002"]];
	assert.equal(
		[first.pixels, second.pixels],
		[
			[64, 64],
			[96, 64],
		],
	);
	assert.equal(second.field, [300, 200]);
	assert.is(second.noise, 0.3);
	assert.equal(decodeNpy(readFileSync(join(out, second.file))).shape, [96, 64]);
	assert.equal(readdirSync(out).length, 9);
	const again = ["generate", "--out", at("none")];
	for (const [args, message] of [
		[["--marks", "3"], /--marks is for maps; give --maps <n> with it/],
		[["--maps", "2", "-k", "9"], /--kernels.* cannot be used with .*--maps/],
		[["--maps", "2", "--marks", "9-6"], /Expected a whole number from 0/],
		[["--maps", "2", "--pixels", "16"], /Expected pixels such as 256/],
		[["--maps", "2", "--field", "1-2-3"], /a range of them such as 50-5000/],
		[["--maps", "0"], /Expected 1 or more/],
	] as const)
		await refused([...again, ...args], 1, message);
	assert.not(existsSync(at("none")));
});

test("evaluate --maps --blind: maps with and without scatterers, ours and the rival; what does not go together is refused", async () => {
	const make = (out: string, marks: string) =>
		ran(
			...["generate", "--out", at(out), "--maps", "1", "--marks", marks],
			...["--pixels", "80x64", "--field", "260", "--noise", "0.3"],
		);
	await make("unmarked", "10");
	await make("noise", "0");
	const blind = async (folder: string, ...more: string[]) => {
		const args = ["evaluate", "--maps", at(folder), "--blind", "--json"];
		return JSON.parse((await ran(...args, ...more)).stdout);
	};
	const keys = ["kinds", "recall", "precision", "positionError", "ncc"];
	for (const more of [[], ["--rival", "sbd"]]) {
		const { maps, mean } = await blind("unmarked", ...more);
		const score = maps["map-001"];
		for (const key of [...keys, "seconds"])
			assert.ok(key in score && key in mean, key);
		assert.ok(score.recall > 0.3 && score.ncc[0] > 0.5, `${more}`);
	}
	const { stdout } = await ran("evaluate", "--maps", at("unmarked"), "--blind");
	assert.match(stdout, /^map +noise +kinds.*\nmap-001.*\nmean /);
	const { maps } = await blind("noise");
	assert.is(maps["map-001"].recall, null);
	assert.equal(maps["map-001"].ncc, []);
	const maps80 = ["evaluate", "--maps", at("unmarked")];
	await refused([...maps80, "--rival", "sbd"], 1, /give --blind with it/);
	await refused(
		["evaluate", "--data", at("data"), "--blind"],
		1,
		/--blind is for maps/,
	);
});

test("evaluate --json: one object and nothing else on standard output", async () => {
	const { stdout } = await ran(
		...["evaluate", "--data", at("data"), "--max", "1", "--json"],
	);
	const { methods, byNoise, byScatterers, perKernel } = JSON.parse(stdout);
	assert.is(perKernel.length, 6);
	assert.ok(byNoise.length > 0 && byScatterers.length > 0);
	for (const method of ["ridge", "oneStep", "twoStep", "refined"])
		for (const score of ["mae", "mse", "rmse", "ncc", "n"])
			assert.ok(Number.isFinite(methods[method][score]), `${method} ${score}`);
	assert.ok(methods.refined.mae < methods.ridge.mae);
});

test("Ctrl-C while it works: nothing is left", async () => {
	const parent = at("interrupted");
	await mkdir(parent);
	const run = cli(
		...["extract", at("grid.3ds"), "--scatterers", at("marks.csv")],
		...["--method", "ridge", "--out", join(parent, "out")],
	);
	await until(run, () => readdirSync(parent).length > 0);
	run.child.kill("SIGINT");
	const { code, stderr } = await run.ended;
	assert.is(code, 130, stderr);
	assert.match(stderr, /interrupted; nothing was written\n$/);
	assert.equal(readdirSync(parent), []);
});

test.run();
