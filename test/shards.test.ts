/** What is made in parts and merged has the bytes of what is made at once, times left out. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { trainingsOf, worthOf } from "../bench/ablation/units.ts";
import { mergeEvaluations } from "../src/node/campaign/mergeEvaluations.ts";
import { mergeFolders } from "../src/node/campaign/mergeFolders.ts";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { makeMaps } from "../src/node/datasets/makeMaps.ts";
import { blindTable } from "../src/node/evaluation/blindTable.ts";
import { evaluateBlind } from "../src/node/evaluation/evaluateBlind.ts";
import { evaluateMaps } from "../src/node/evaluation/evaluateMaps.ts";
import { mapsTable } from "../src/node/evaluation/mapsTable.ts";
import { type Shard, together } from "../src/node/files/shard.ts";
import type { MapRanges } from "../src/qpi/generator/maps.ts";

const scratch = mkdtempSync(join(tmpdir(), "qpi-shards-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const OF = 3;
const shards: Shard[] = [2, 3, 1].map((index) => ({ index, of: OF }));

/** Every file of a folder, by name. */
const filesOf = (folder: string) =>
	readdirSync(folder)
		.sort()
		.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]);

/** What a call that fails says. */
const fault = (work: Promise<unknown>) =>
	work.then(
		() => "nothing",
		(error: Error) => error.message,
	);

const ranges: MapRanges = {
	...{ pixels: [[48, 40]], field: [300, 300], marks: [5, 9], kinds: 2 },
	...{ spread: [0.1, 0.1], noise: [0.3, 0.5], background: [0, 0] },
	...{ clusters: [0, 0], steps: [0, 0], missingRows: [0, 0] },
};
const make = (out: string, shard?: Shard) =>
	makeMaps({ out: at(out), maps: 5, seed: 4, ranges, shard });

test("maps", async () => {
	await make("maps");
	const parts = [];
	for (const shard of shards) {
		await make(`maps-${shard.index}`, shard);
		parts.push(at(`maps-${shard.index}`));
	}
	assert.is(await mergeFolders(parts, at("merged")), "5 maps");
	assert.equal(filesOf(at("merged")), filesOf(at("maps")));
	assert.match(
		await fault(mergeFolders(parts, at("merged"))),
		/merged is there already/,
	);
	const out = at("not");
	assert.match(
		await fault(mergeFolders(parts.slice(1), out)),
		/found 2 of 3 parts; missing: 2$/,
	);
	assert.match(
		await fault(mergeFolders([at("maps")], out)),
		/found no part made with --shard/,
	);
	await makeMaps({
		...{ out: at("other"), maps: 5, seed: 5, ranges, shard: shards[0] },
	});
	assert.match(
		await fault(mergeFolders([at("other"), ...parts.slice(1)], out)),
		/found another seed than in/,
	);
	assert.match(
		await fault(mergeFolders([scratch], out)),
		/found none of campaign\.json, truth\.json, manifest\.json/,
	);
	assert.not(readdirSync(scratch).some((name) => /not|tmp/.test(name)));
});

test("datasets", async () => {
	const dataset = (out: string, shard?: Shard) =>
		makeDataset({
			...{ out: at(out), kernels: 7, observations: 2, seed: 3, shard },
			noiseLevels: [0, 0.3],
		});
	await dataset("data");
	const parts = [];
	for (const shard of shards) {
		const out = `data-${shard.index}`;
		await dataset(out, shard);
		// Once more: nothing is left to do, and nothing is lost.
		const { kernels } = await dataset(out, shard);
		assert.is(kernels.length, shard.index === 1 ? 3 : 2);
		parts.push(at(out));
	}
	assert.match(
		await fault(dataset("data-1", { index: 2, of: OF })),
		/made with shard {"index":1,"of":3,"total":7}/,
	);
	assert.is(await mergeFolders(parts, at("whole")), "7 kernels");
	assert.equal(filesOf(at("whole")), filesOf(at("data")));
	assert.match(
		await fault(mergeFolders([parts[0], at("maps-1")], at("not"))),
		/found truth\.json, expected manifest\.json as in/,
	);
});

/** Seconds are the machine's. */
const timeless = (json: string) =>
	json.replaceAll(/"seconds":[\d.e-]+/g, '"seconds":1');

async function partsOf(
	name: string,
	evaluate: (shard?: Shard) => Promise<unknown>,
): Promise<[files: string[], whole: string]> {
	const files: string[] = [];
	for (const shard of shards) {
		const file = at(`${name}-${shard.index}.json`);
		writeFileSync(file, timeless(JSON.stringify(await evaluate(shard))));
		files.push(file);
	}
	return [files, timeless(JSON.stringify(await evaluate()))];
}

test("the evaluation of maps: its JSON and its table", async () => {
	const evaluate = (shard?: Shard) =>
		evaluateMaps(
			at("maps"),
			// No extraction, but figures of each map's own.
			async ({ scan, marks }) => ({
				...{ method: "own", size: 31, explained: { own: { heldOut: null } } },
				kinds: [1, 2].map((kind) => ({
					kind,
					kernel: scan.image.subarray(0, 961).map((v) => v + marks.length),
				})),
			}),
			{ radius: 60, shard },
		);
	const [files, whole] = await partsOf("maps", evaluate);
	const { json, table } = await mergeEvaluations(files);
	assert.is(json, whole);
	assert.is(table, mapsTable(JSON.parse(whole)));
	const plain = at("plain.json");
	writeFileSync(plain, whole);
	for (const [wrong, text] of [
		[[files[0], files[0]], /once more/],
		[[plain], /found no figures of a part/],
	] as const)
		assert.match(await fault(mergeEvaluations(wrong)), text);
});

test("the evaluation of unmarked maps: its JSON and its table", async () => {
	const evaluate = (shard?: Shard) =>
		evaluateBlind(
			at("maps"),
			async ({ stack, truth }) => ({
				marks: truth.slice(1),
				kernels: [1, 2].map((kind) => ({
					kind,
					values: Float32Array.from(stack.images[0]).slice(0, 961),
					size: 31,
				})),
			}),
			{ radius: 60, shard },
		);
	const [files, whole] = await partsOf("blind", evaluate);
	const { json, table } = await mergeEvaluations(files);
	assert.is(json, whole);
	assert.ok("noise" in JSON.parse(json).by);
	assert.is(table, blindTable(JSON.parse(whole)));
	const [, marked] = files.map((file) => file.replace("blind", "maps"));
	assert.match(
		await fault(mergeEvaluations([files[0], marked])),
		/found a radius of 60 A, expected maps with --blind/,
	);
});

test("an ablation: figures of parts give the worth of each choice", () => {
	const rows = ["usual", "a", "b"].flatMap((name, i) =>
		["maps", "images"].map((what, j) => ({
			...{ what, name, seconds: 1 },
			means: [0.9 + i / 100, 0.8 + (i * j) / 100, 0.7],
		})),
	);
	const parts = shards.map((shard) => ({
		...{ name: "part", shard: { ...shard, total: rows.length } },
		things: rows.filter((_, k) => k % OF === shard.index - 1),
	}));
	const whole = worthOf(rows, "usual");
	assert.equal(worthOf(together(parts), "usual"), whole);
	const [usual, , a] = whole;
	assert.equal([usual.gain, usual.spread], [0, 0]);
	assert.ok(Math.abs(a.gain - 0.01 / 3) < 1e-12);
	assert.ok(Math.abs(a.spread - 0.01 / Math.sqrt(3)) < 1e-12);
});

test("an ablation's trainings: each in one part, with the network that it starts from", () => {
	const variants = { usual: false, own: false, taken: true };
	const all = trainingsOf(variants, "usual", [1, 2, 3, 4]);
	assert.is(all.length, 12);
	const parts = shards.map((s) =>
		trainingsOf(variants, "usual", [1, 2, 3, 4], s),
	);
	const names = (list: typeof all) =>
		list.map(({ name, seed }) => `${name} ${seed}`).sort();
	assert.equal(names(parts.flat()), names(all));
	for (const part of parts)
		for (const [k, { name, seed }] of part.entries())
			if (name === "taken")
				assert.ok(names(part.slice(0, k)).includes(`usual ${seed}`));
});

test.run();
