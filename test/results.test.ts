/** What command line and page share, without files. */

import { test } from "uvu";
import * as assert from "uvu/assert";
import { failureOf } from "../src/extraction/findings/failed.ts";
import { commandOf } from "../src/extraction/results/commandLine.ts";
import {
	scanField,
	spectrumField,
} from "../src/extraction/results/drawPictures.ts";
import { resultOf } from "../src/extraction/results/entries.ts";
import { makeExtractor } from "../src/extraction/results/extractor.ts";
import { SAVED, savedFiles } from "../src/extraction/results/fields.ts";
import {
	resultFiles,
	resultNames,
	resultObject,
} from "../src/extraction/results/files.ts";
import { findScatterers } from "../src/extraction/results/findScatterers.ts";
import { parseInput } from "../src/extraction/results/input.ts";
import { analyseAll } from "../src/extraction/results/items.ts";
import { withPhysics } from "../src/extraction/results/physics.ts";
import { prepareScans } from "../src/extraction/results/prepareScans.ts";
import { makeTasks, take, tasksOf } from "../src/extraction/results/take.ts";
import { readMasks } from "../src/extraction/scan/masks.ts";
import { FormatError } from "../src/formats/measurement.ts";
import { openMeasurement } from "../src/formats/readMeasurement.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { HBAR2_2M } from "../src/qpi/generator/bands.ts";
import { Random } from "../src/random.ts";

const places = [
	[14, 20],
	[45, 12],
	[30, 50],
	[52, 44],
];
const rows = Array.from({ length: 64 }, (_, iy) =>
	Array.from({ length: 64 }, (_, ix) =>
		places
			.reduce((sum, [x, y]) => {
				const r = Math.hypot(ix - x, iy - y);
				return sum + Math.cos(0.9 * r) / Math.hypot(r, 1);
			}, 0)
			.toFixed(5),
	).join(","),
);
const text = new TextEncoder().encode(`${rows.join("\n")}\n`);
const { measurement, ...file } = await parseInput(text, "C:\\data\\scan.csv");
if (!measurement) throw new Error("expected a measurement");
const input = { ...file, measurement };
const options = { field: 400, flatten: "none" } as const;

test("taking in one go and step by step give the same", async () => {
	const preparation = await prepareScans(input, options);
	const found = await findScatterers(preparation);
	assert.equal(found.kinds, [{ kind: 1, marks: places.length }]);
	const taken = tasksOf(preparation, found);
	assert.equal(taken, await take(input, { ...options, detect: true }));
	assert.equal(taken, await take(input, options));
	assert.is(taken.tasks[0].label, "scan.csv");
	const list = { file: "marks.csv", text: "x,y\n0,0\n900,0\n" };
	const listed = await take(input, { ...options, scatterers: list });
	assert.match(listed.told.at(-1) ?? "", /^2 scatterers from marks\.csv$/);
	assert.match(listed.warnings.at(-1) ?? "", /outside the image/);
	assert.throws(
		() => makeTasks(preparation, [], "marked"),
		(error: Error) => error instanceof FormatError,
	);
});

test("files: each once, pictures by the renderer that is given", async () => {
	const taken = await take(input, { ...options, detect: true });
	const { extract } = await makeExtractor({ method: "ridge", seed: 1 });
	const analysis = analyseAll(taken, await extract(taken));
	const about = {
		input,
		parameters: {},
		about: {},
		versions: { page: "1" },
		command: "",
	};
	const names: string[] = [];
	// As much of a PNG as the report reads: its width.
	const png = new Uint8Array(24);
	const render = () => Promise.resolve(png);
	for await (const [name, data] of resultFiles(analysis, about, render)) {
		names.push(name);
		if (name.endsWith(".png")) assert.is(data, png);
	}
	assert.is(new Set(names).size, names.length);
	assert.is(names.at(-1), "report.html");
	const saved: string[] = [];
	for await (const [name, data] of savedFiles(analysis, SAVED, "a title")) {
		saved.push(name);
		const { channels, spacing } = await openMeasurement(data, name);
		// Kernel and uncertainty are smaller than the maps, and a measurement has pixels of one size.
		const count = { "results.gwy": 2, "results.nxs": 3 }[name] ?? 1;
		assert.is(channels.length, count, name);
		assert.ok(Math.abs((spacing?.x ?? 0) - taken.pixel) < 1e-6, name);
	}
	assert.equal(saved, [
		...["results.gwy", "results.nxs"],
		...["kernel.ibw", "kernel.gsf", "uncertainty.ibw", "uncertainty.gsf"],
		...["model.ibw", "model.gsf", "residual.ibw", "residual.gsf"],
		...["input.ibw", "input.gsf"],
	]);
	const { versions, findings } = resultObject(analysis, about);
	assert.equal(versions, { page: "1" });
	assert.is(findings, analysis.findings);
});

test("each analysis that is asked for is in the report, in result.json and in files, and none that is not", async () => {
	const taken = await take(input, { ...options, detect: true });
	const { extract } = await makeExtractor({ method: "ridge", seed: 1 });
	const bare = analyseAll(taken, await extract(taken));
	const about = {
		input,
		parameters: {},
		about: {},
		versions: {},
		command: "",
	};
	const made = async (asked: Parameters<typeof withPhysics>[1]) => {
		const analysis = withPhysics(bare, asked);
		const files = new Map<string, string | Uint8Array>();
		const png = async () => new Uint8Array(24);
		for await (const [name, data] of resultFiles(analysis, about, png))
			files.set(name, data);
		assert.equal([...files.keys()], resultNames(analysis));
		return { files, result: resultObject(analysis, about) };
	};
	const none = await made({ mapFft: false });
	const all = await made({
		cut: [0, 45],
		ring: "q*",
		symmetrised: ["4mm", "3"],
		theory: {
			name: "a parabola",
			band: {
				kind: "formula",
				band: { kind: "free", mass: 0.3, bottom: -0.1 },
			},
			fit: ["mass"],
		},
		phase: { kind: "all" },
	});
	// one energy has no opposite, which is said
	assert.is(all.result.phase, null);
	assert.match(String(all.result.findings), /needs pairs \+E and -E/);
	for (const [key, file] of Object.entries({
		mapSpectrum: "map-spectrum",
		lineCuts: "line-cuts",
		ringCuts: "ring-cuts",
		symmetrised: "symmetrised",
		theory: "",
	})) {
		assert.is(none.result[key], undefined);
		assert.ok(all.result[key], key);
		if (!file) continue;
		assert.not(none.files.has(`${file}.png`));
		assert.ok(all.files.has(`${file}.png`), file);
		const table = key === "symmetrised" ? `${file}-4mm.csv` : `${file}.csv`;
		assert.ok(all.files.has(table), table);
	}
	const report = String(all.files.get("report.html"));
	for (const title of [
		"The map's |FFT| beside the kernel's",
		"Line cuts",
		"Around the rings",
		"Symmetrised kernels",
	])
		assert.match(
			report,
			`<h2>${title.replace("'", "&#39;").replace("'", "&#39;")}`,
		);
	// one energy, several directions: what is free is fitted to their wave vectors
	const theory = all.result.theory as {
		wavevectors: number;
		fit: { values: number[]; errors: number[] } | null;
		files: string[];
	};
	assert.ok(theory.wavevectors >= 2 && theory.fit);
	// q of the image's rings, 0.9 a pixel, of a band that has its bottom at -100 meV
	const k = (0.9 / 2) * (64 / 400);
	const mass = (HBAR2_2M * k ** 2) / 0.1;
	const [value] = theory.fit.values;
	assert.ok(
		Math.abs(value - mass) < 4 * theory.fit.errors[0],
		`${value} ${mass}`,
	);
	for (const file of theory.files) assert.ok(all.files.has(file), file);
	// on the grid of the kernel's own |FFT|
	const head = (file: string) => String(all.files.get(file)).split("\n")[0];
	assert.is(head("theory-jdos.csv"), head("spectrum.csv"));
	// as many rows as directions times wave vectors
	const rows = String(all.files.get("line-cuts.csv")).trim().split("\n");
	assert.is(rows.length, 1 + 2 * bare.shown.profile.q.length);
	// the kernel itself is the one that was extracted
	assert.equal(all.files.get("kernel.npy"), none.files.get("kernel.npy"));
});

test("what no kind explains is listed, left out and told", async () => {
	const preparation = await prepareScans(input, options);
	const found = await findScatterers(preparation);
	const leftover = { x: -120, y: 33, significance: 7.2, looks: "dark ring" };
	const row = { ...leftover, weight: 1, quality: 0, keep: false, kind: 1 };
	const told = ["2 kinds were tried; one explains as much."];
	const taken = tasksOf(preparation, {
		...found,
		...{ explained: 0.75, leftovers: [leftover], told },
		scatterers: [...found.scatterers, row],
	});
	assert.is(taken.tasks[0].scatterers.length, places.length);
	assert.equal(taken.told.slice(-2), [
		`${places.length} scatterers found, 1 more left out (keep = 0)`,
		...told,
	]);
	const { extract } = await makeExtractor({ method: "ridge", seed: 1 });
	const analysis = analyseAll(taken, await extract(taken));
	const about = {
		input,
		parameters: {},
		about: {},
		versions: {},
		command: "",
	};
	assert.equal(resultObject(analysis, about).found, {
		kinds: [{ kind: 1, marks: places.length }],
		explained: 0.75,
		leftovers: [leftover],
		told,
	});
	const files = new Map<string, unknown>();
	for await (const [name, data] of resultFiles(
		analysis,
		about,
		async () => new Uint8Array(24),
	))
		files.set(name, data);
	assert.match(String(files.get("scatterers.csv")), /\n-120,33,1,0,0,1,7\.2\b/);
	const report = String(files.get("report.html"));
	const section = report.slice(report.indexOf("<h2>What was found</h2>"));
	assert.match(section, "held-out blocks that they explain, is 0.750");
	assert.match(section, '<th scope="row">dark ring</th><td>−120.0</td>');
	assert.throws(
		() => tasksOf(preparation, { ...found, kinds: [], told }),
		/^nothing to extract: 2 kinds were tried/,
	);
});

test("a mask is written out as it was read, and shown as not used", async () => {
	const mask = [
		{ kind: "rectangle", x: 150, y: -150, width: 80, height: 60 } as const,
	];
	const taken = await take(input, { ...options, detect: true, mask });
	const [task] = taken.tasks;
	assert.is(task.weights?.[56 * 64 + 8], 0);
	const { extract } = await makeExtractor({ method: "ridge", seed: 1 });
	const analysis = analyseAll(taken, await extract(taken));
	const about = {
		input,
		parameters: {},
		about: {},
		versions: {},
		command: "",
	};
	const png = new Uint8Array(24);
	const files = new Map<string, unknown>();
	for await (const [name, data] of resultFiles(
		analysis,
		about,
		async () => png,
	))
		files.set(name, data);
	assert.equal(readMasks(String(files.get("mask.csv")), "mask.csv"), mask);
	const { prepared } = task;
	if (!prepared) throw new Error("expected a prepared scan");
	const { values } = scanField(prepared.whole, prepared.counts);
	assert.ok(Number.isNaN(values[56 * 64 + 8]));
	assert.ok(prepared.whole.image.every(Number.isFinite));
});

test("of an extraction that failed nothing is claimed: no q*, no symmetry, no sigma, one line that says so", async () => {
	const random = new Random(5);
	const image = Float32Array.from({ length: 64 * 64 }, () => random.normal());
	const noise = {
		...measurement,
		channels: [{ ...measurement.channels[0], images: [image] }],
	};
	const list = { file: "marks.csv", text: "x,y\n0,0\n-90,40\n80,60\n" };
	const taken = await take(
		{ ...file, measurement: noise },
		{ ...options, scatterers: list },
	);
	const { extract } = await makeExtractor({
		method: "ridge",
		seed: 1,
		symmetry: 4,
	});
	const analysis = withPhysics(analyseAll(taken, await extract(taken)), {
		...{ cut: [0], ring: "q*", symmetrised: ["4mm"] },
	});
	const said = analysis.findings.join("\n");
	assert.is(said.match(/^extraction failed: /gm)?.length, 1, said);
	assert.not.match(said, /q\*: |symmetry: |sigma|±|\+-|sotropic/);
	const { q, symmetry, sectors, missed, failed } = analysis.items.map((item) =>
		resultOf(item, "kernel.npy", 1),
	)[0];
	assert.equal([q, symmetry, sectors, missed], [null, null, [], []]);
	assert.match(String(failed), /expected 0\.1 or more$/);
	assert.equal(
		[0.1, 0.099, Number.NaN].map(
			(share) => failureOf({ heldOut: share, inSample: 1 }) === null,
		),
		[true, false, false],
	);
	// Of a spectrum with zeros the faintest is what numbers hold.
	const zeros = { magnitude: new Float32Array(64), size: 8, step: 1 };
	assert.is(Math.min(...Array.from(spectrumField(zeros, 4).values)), -7);
});

test("an extractor: weights for all methods but ridge, and why there are no networks", async () => {
	const choice = { method: "auto", seed: 1 } as const;
	await makeExtractor(choice).then(
		() => assert.unreachable(),
		({ message }) => assert.match(message, /expected weights/),
	);
	const weights = await openWeights();
	const missing = "there is no WebGPU";
	const { warnings, about } = await makeExtractor({
		...choice,
		weights,
		missing,
	});
	assert.equal(warnings, [
		"one-step and two-step networks are left out: there is no WebGPU",
	]);
	assert.equal(Object.keys(about), ["weights"]);
});

test("the command line that gives the same: what is the default is left out, the rest is quoted as a shell needs it", () => {
	const plain = { method: "auto", seed: 1, detect: true };
	assert.is(
		commandOf("scan.sxm", plain),
		"npx qpi-lens extract scan.sxm --detect",
	);
	assert.is(
		commandOf("it's a scan.3ds", {
			channel: "LI Demod 1 X",
			energy: -0.02,
			crop: { x: -10, y: 5, size: 200 },
			lowPass: 0.8,
			repair: false,
			scatterers: "scatterers.csv",
			detect: false,
			method: "two-step",
			symmetry: 4,
			seed: 2,
		}),
		"npx qpi-lens extract 'it'\\''s a scan.3ds' --channel='LI Demod 1 X' --energy=-0.02 --crop=-10,5,200 --low-pass=0.8 --scatterers=scatterers.csv --method=two-step --symmetry=4 --seed=2 --no-repair",
	);
	assert.is(
		commandOf("map.npy", {
			...plain,
			axes: "yx",
			orientation: "top",
			crop: { x: 0, y: 20, width: 300, height: 200 },
			mask: "mask.csv",
			background: 0,
			stepEdges: false,
			clusters: false,
			pixel: 1.5,
		}),
		"npx qpi-lens extract map.npy --crop=0,20,300,200 --axes=yx --orientation=top --mask=mask.csv --background=0 --pixel=1.5 --no-clusters --no-steps --detect",
	);
});

test.run();
