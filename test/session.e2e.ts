// A session on the command line: what is packed gives the same again, what is typed overrides it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	decodeSession,
	encodeSession,
} from "../src/extraction/results/session.ts";
import { encodeNpy } from "../src/formats/npy.ts";
import { makeSeriesFolder } from "../src/node/datasets/makeSeries.ts";
import { SHIPPED } from "../src/node/files/shippedWeights.ts";
import { start } from "./command.ts";

const SAMPLE = fileURLToPath(new URL("../data/sample.3ds", import.meta.url));
const home = await mkdtemp(join(tmpdir(), "qpi-session-test-"));
test.after(() => rm(home, { recursive: true }));
const place = (name: string) => join(home, name);
const run = (...args: string[]) =>
	start("src/cli.ts", ["extract", ...args], { seconds: 60 }).ended;

const image = Float32Array.from({ length: 4096 }, (_, i) =>
	Math.cos(0.25 * 6.35 * Math.hypot((i >> 6) - 20, (i & 63) - 30)),
);
await writeFile(place("rings.npy"), encodeNpy(image, [64, 64]));
await writeFile(place("marks.csv"), "x,y\n-70,-9\n20,40\n");
const result = (folder: string) =>
	JSON.parse(readFileSync(join(place(folder), "result.json"), "utf8"));

test("extract packs a session, and gives the same from it", async () => {
	const given = [
		...["--scatterers", place("marks.csv"), "--method", "ridge"],
		...["--field", "380", "--crop=0,-5,330"],
	];
	const first = await run(
		place("rings.npy"),
		...given,
		...["--out", place("first"), "--session", place("work.qpi")],
	);
	assert.is(first.code, 0, first.stderr);
	const packed = decodeSession(readFileSync(place("work.qpi")), "work.qpi");
	assert.equal(
		packed.files.map(({ name }) => name),
		["rings.npy"],
	);
	assert.is(packed.scatterers, "x,y\n-70,-9\n20,40\n");
	assert.equal(packed.settings.crop, { x: 0, y: -5, size: 330 });
	const again = await run(place("work.qpi"), "--out", place("again"));
	assert.is(again.code, 0, again.stderr);
	assert.equal(
		readFileSync(join(place("again"), "kernel.npy")),
		readFileSync(join(place("first"), "kernel.npy")),
	);
	const typed = await run(
		...[place("work.qpi"), "--crop=0,0,300", "--out", place("typed")],
	);
	assert.is(typed.code, 0, typed.stderr);
	assert.is(result("typed").parameters.crop.size, 300);
	assert.is(result("typed").parameters.field, 380);
});

test("what is meant is packed as the file has it", async () => {
	const first = await run(
		...[SAMPLE, "--channel", "liy", "--energy", "39meV"],
		...["--method", "ridge", "--no-adjust", "--scatterers"],
		...[place("marks.csv"), "--out", place("exact")],
		...["--session", place("exact.qpi")],
	);
	assert.is(first.code, 0, first.stderr);
	const { settings } = decodeSession(readFileSync(place("exact.qpi")), "");
	assert.is(settings.channel, "LIY 1 omega");
	assert.ok(Math.abs((settings.energy ?? 0) - 0.04) < 1e-6);
	assert.is(settings.adjust, false);
	const again = await run(place("exact.qpi"), "--out", place("again"));
	assert.is(again.code, 0, again.stderr);
	assert.is(result("again").parameters.adjust, false);
	const more = await run(
		...[place("rings.npy"), "--field", "380", "--phase", "--fermi", "0.1"],
		...["--out", place("more"), "--session", place("more.qpi")],
	);
	assert.is(more.code, 1);
	assert.match(more.stderr, /--session does not hold --fermi, --phase: /);
	assert.is(existsSync(place("more")), false);
});

test("weights of a folder are packed too: the folder may go", async () => {
	const given = [
		...["--scatterers", place("marks.csv"), "--method", "refined"],
		...["--field", "380", "--crop=0,-5,330"],
	];
	await cp(SHIPPED, place("own"), { recursive: true });
	const first = await run(
		...[place("rings.npy"), ...given, "--weights", place("own")],
		...["--out", place("owned"), "--session", place("own.qpi")],
	);
	assert.is(first.code, 0, first.stderr);
	const packed = decodeSession(readFileSync(place("own.qpi")), "own.qpi");
	assert.is(packed.settings.weights, "own");
	assert.equal([...(packed.weights ?? [])].map(([name]) => name).sort(), [
		...readdirSync(SHIPPED).sort(),
	]);
	await rm(place("own"), { recursive: true });
	const again = await run(place("own.qpi"), "--out", place("again"));
	assert.is(again.code, 0, again.stderr);
	assert.match(result("again").parameters.weights, /qpi-session-\w+[\\/]own$/);
	assert.equal(
		readFileSync(join(place("again"), "kernel.npy")),
		readFileSync(join(place("owned"), "kernel.npy")),
	);
});

test("a damaged session is refused in one line, and several files are no session", async () => {
	await writeFile(
		place("cut.qpi"),
		readFileSync(place("work.qpi")).subarray(0, 4000),
	);
	const cut = await run(place("cut.qpi"), "--out", place("cut"));
	assert.is(cut.code, 1);
	assert.match(cut.stderr, /cut\.qpi: expected a session of qpi-lens, found/);
	assert.is(existsSync(place("cut")), false);
	const two = await run(
		...[place("rings.npy"), place("work.qpi"), "--session", place("x.qpi")],
	);
	assert.match(two.stderr, /--session packs one file/);
});

test("sessions that are damaged or of another program are refused in one line", () => {
	const file = { name: "scan.sxm", bytes: Uint8Array.of(1, 2, 3) };
	const settings = { method: "ridge", seed: 1 };
	const good = encodeSession({
		files: [file],
		settings,
		scatterers: "x,y\n1,2\n",
	});
	assert.equal(decodeSession(good, "a.qpi"), {
		...{ files: [file], settings, mask: undefined, weights: undefined },
		scatterers: "x,y\n1,2\n",
	});
	for (const bytes of [good.subarray(0, good.length - 30), good.slice(0, 60)])
		assert.throws(
			() => decodeSession(bytes, "a.qpi"),
			/^a\.qpi: expected a session of qpi-lens, found a damaged zip/,
		);
	for (const name of ["../scan.sxm", "/scan.sxm", "..\\scan.sxm", ".."]) {
		const other = encodeSession({ files: [{ ...file, name }], settings });
		assert.throws(() => decodeSession(other, "a.qpi"), /found no plain name/);
	}
});

test("weights stay in their folder: no name leads out of it", () => {
	const file = { name: "own", bytes: Uint8Array.of(1) };
	const weights = new Map([
		["manifest.json", Uint8Array.of(2)],
		["../marks.csv", Uint8Array.of(3)],
		["..", Uint8Array.of(4)],
	]);
	const packed = (folder: string) =>
		decodeSession(
			encodeSession({
				files: [file],
				settings: { method: "refined", seed: 1, weights: folder },
				weights,
			}),
			"a.qpi",
		);
	const { weights: found, files } = packed("own");
	assert.equal([...(found ?? [])], [["manifest.json", Uint8Array.of(2)]]);
	// The file gives way.
	assert.equal(files, [{ ...file, name: "measured-own" }]);
	assert.is(packed("../own").weights, undefined);
	assert.is(packed("..").weights, undefined);
});

test("a series is packed as its files, two of one name apart", () => {
	const files = ["map.gsf", "session.json", "map.gsf"].map((name, i) => ({
		...{ name, bytes: Uint8Array.of(i) },
	}));
	const settings = { method: "ridge", seed: 1 };
	const packed = decodeSession(encodeSession({ files, settings }), "a.qpi");
	assert.equal(
		packed.files.map(({ name, bytes }) => [name, bytes[0]]),
		[
			["map.gsf", 0],
			["measured-session.json", 1],
			["measured-map.gsf", 2],
		],
	);
});

test("extract packs a series, and gives the same from it", async () => {
	const maps = await makeSeriesFolder(
		place("maps"),
		{
			band: { kind: "surface", mass: 0.4, bottom: -0.065 },
			...{ energies: [0.02, 0.06], broadening: 0.006, phase: 0.6 },
			...{ pixels: [64, 64], field: 256, marks: 3, spread: 0 },
			...{ noise: 0.1, drift: 2 },
		},
		4,
	);
	const first = await run(
		...["--series", ...maps.map((name) => join(place("maps"), name))],
		...["--scatterers", join(place("maps"), "marks.csv")],
		...["--method", "ridge", "--out", place("one")],
		...["--session", place("series.qpi")],
	);
	assert.is(first.code, 0, first.stderr);
	const packed = decodeSession(readFileSync(place("series.qpi")), "a.qpi");
	assert.equal(
		packed.files.map(({ name }) => name),
		maps,
	);
	const again = await run(place("series.qpi"), "--out", place("two"));
	assert.is(again.code, 0, again.stderr);
	assert.equal(
		readFileSync(join(place("two"), "kernels.npy")),
		readFileSync(join(place("one"), "kernels.npy")),
	);
});

test.run();
