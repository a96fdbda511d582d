/** What many files have in common: which they are, where each goes, which belong to a part, and what the table says. */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { folderNames } from "../src/node/campaign/folders.ts";
import {
	type Campaign,
	hashOf,
	staleness,
	writeCampaign,
} from "../src/node/campaign/record.ts";
import { rowsOf } from "../src/node/campaign/rows.ts";
import { summaryCsv, summaryHtml } from "../src/node/campaign/summary.ts";
import { expandInputs, isPattern, readList } from "../src/node/files/inputs.ts";
import { isIn, readShard, together } from "../src/node/files/shard.ts";
import { threadCount } from "../src/node/threads/threadCount.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-campaign-"));
test.after(() => rm(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
mkdirSync(at("deep/er"), { recursive: true });
for (const name of ["b.sxm", "a.sxm", "c.3ds", "odd [1].sxm", "deep/er/a.sxm"])
	writeFileSync(at(name), name);

test("a pattern gives the files that it matches by name, each once; what is there by that very name is no pattern", async () => {
	assert.equal(await expandInputs([at("b.sxm"), at("[ab].sxm")]), [
		at("b.sxm"),
		at("a.sxm"),
	]);
	assert.equal(
		await expandInputs([at("**/a.{sxm,3ds}")]),
		[at("a.sxm"), at("deep/er/a.sxm")].sort(),
	);
	assert.equal(await expandInputs([at("odd [1].sxm")]), [at("odd [1].sxm")]);
	assert.not(isPattern(at("odd [1].sxm")));
	assert.ok(isPattern(at("odd*.sxm")));
	assert.equal(await expandInputs(["gone.sxm"]), ["gone.sxm"]);
	// Folders are no files.
	assert.equal(
		await expandInputs([at("d*"), at("a.sxm")]).catch(String),
		["FormatError", `${at("d*")}: found no file of such a name`].join(": "),
	);
});

test("a list of files: a line each, comments and empty lines say nothing", () => {
	assert.equal(readList("\ufeff# mine\r\n a b.sxm \r\n\n*.3ds\n", "list"), [
		"a b.sxm",
		"*.3ds",
	]);
	assert.throws(() => readList("# none\n", "list"), /list: found no file/);
});

test("folders: names without ending, longer ones where they would be the same, and those that files have already", () => {
	assert.equal(folderNames(["x/a.sxm", "x/b.sxm"]), ["a", "b"]);
	assert.equal(folderNames(["x/a.sxm", "x/a.3ds"]), ["a.sxm", "a.3ds"]);
	assert.equal(folderNames(["x/a.sxm", "y/A.sxm", "y/c.sxm"]), [
		"x-a.sxm",
		"y-A.sxm",
		"c",
	]);
	// "x-a" is another file's own name: nothing may become it.
	const names = folderNames(["x/a", "y/a", "x-a"]);
	assert.is(new Set(names).size, 3);
	assert.equal(folderNames(["summary.csv.sxm"]), ["summary.csv.sxm"]);
	const known = new Map([[resolve("x/a.sxm"), "a"]]);
	assert.equal(folderNames(["y/a.sxm", "x/a.sxm"], known), ["a.sxm", "a"]);
});

test("parts: each thing belongs to one of them, and together they are the whole in its order", () => {
	assert.equal(readShard("2/8"), { index: 2, of: 8 });
	for (const bad of ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3"])
		assert.throws(() => readShard(bad), /Expected a part/);
	for (const [total, of] of [
		[7, 3],
		[2, 4],
		[0, 2],
	]) {
		const all = Array.from({ length: total }, (_, i) => i);
		const parts = Array.from({ length: of }, (_, i) => {
			const shard = { index: i + 1, of, total };
			const things = all.filter((k) => isIn(shard, k));
			return { name: `part ${i + 1}`, shard, things };
		});
		assert.equal(together(parts.toReversed()), all);
		const less = { ...parts[0], things: [...parts[0].things, 9] };
		for (const [wrong, text] of [
			[parts.slice(1), /missing: 1$/],
			[[...parts, parts[0]], /part 1\/\d of \d once more/],
			[[less, ...parts.slice(1)], /part 1: .* it is not finished/],
			[
				[
					...parts.slice(1),
					{ ...parts[0], shard: { index: 1, of, total: 99 } },
				],
				/expected one of/,
			],
			[[{ ...parts[0], shard: undefined }], /part 1: found no part/],
		] as const)
			assert.throws(() => together(wrong), text);
	}
});

const item = (kind: number, q: number | null) => ({
	method: "twoStep",
	kernel: { kind },
	scatterers: 10 * kind,
	explainedVariance: { heldOut: { twoStep: 0.123456789, ridge: 0 } },
	q: q === null ? null : { q, error: 0.01 },
	symmetry: { n: 6, isotropic: kind === 2 },
});
const fit = { mass: 0.4, massError: 0.01, bottom: -0.065, bottomError: 0.002 };
const RESULT = {
	...item(1, 0.5),
	shown: "20 meV, kind 1",
	items: [
		{ ...item(1, 0.1), label: "10 meV, kind 1", index: 0 },
		{ ...item(2, 0.2), label: "10 meV, kind 2", index: 0 },
		{ ...item(1, 0.5), label: "20 meV, kind 1", index: 1 },
		{ ...item(2, null), label: "20 meV, kind 2", index: 1 },
	],
	dispersion: { fit: null },
	dispersions: [null, { kind: 2, fit }],
	input: { channel: "LIY", energies: [0.02, null, 0.01] },
};

test("the rows of a result: one of each kind, of the energy that is shown", () => {
	const [one, two] = rowsOf(RESULT);
	assert.equal([one.kind, one.kinds, one.scatterers], [1, 2, 10]);
	assert.equal(one.energies, [0.01, 0.02]);
	assert.equal(one.q, { value: 0.5, error: 0.01 });
	assert.is(one.mass, null);
	assert.equal([two.kind, two.q, two.symmetry], [2, null, "isotropic"]);
	assert.equal(two.mass, { value: 0.4, error: 0.01 });
	const { items: _, dispersions: __, ...plain } = RESULT;
	const [row, ...none] = rowsOf({ ...plain, dispersion: { fit } });
	assert.is(none.length, 0);
	assert.equal(row.bottom, { value: -0.065, error: 0.002 });
	assert.is(row.method, "two-step");
});

const key = { bytes: "1", options: { window: 60 }, files: {}, version: "1" };
const CAMPAIGN: Campaign = {
	entries: [
		{
			...{ file: 'a, "b".sxm', path: "/a", folder: "a b", seconds: 1.26 },
			done: { key, result: "", rows: rowsOf(RESULT) },
		},
		{
			...{ file: "<c>.sxm", path: "/c", folder: "c", seconds: 2 },
			error: "found nothing",
		},
	],
	others: [],
};

test("the table: a row of each kind and of each failure, with every cell in its place", () => {
	const [head, one, two, failed, end] = summaryCsv(CAMPAIGN).split("\n");
	assert.is(end, "");
	assert.is(
		one,
		'"a, ""b"".sxm",a b,LIY,0.01,0.02,two-step,1,2,10,0.1234568,0.5,0.01,,,,,6,1.3,',
	);
	assert.is(head.split(",").length, 19);
	assert.match(
		two,
		/,2,2,20,0.1234568,,,0.4,0.01,-0.065,0.002,isotropic,1.3,$/,
	);
	assert.is(failed, `<c>.sxm${",".repeat(17)}2,found nothing`);
	const html = summaryHtml(CAMPAIGN);
	assert.match(html, 'href="a%20b/report.html"');
	assert.match(html, "&lt;c&gt;.sxm");
	assert.match(html, "1 of 2 files are done, 1 failed");
});

test("what is done is done again where anything that it was made from differs", async () => {
	const out = at("out");
	mkdirSync(join(out, "a b"), { recursive: true });
	writeFileSync(join(out, "a b", "result.json"), "{}");
	const result = (await hashOf(join(out, "a b", "result.json"))) ?? "";
	const [entry, failed] = CAMPAIGN.entries;
	const done = { key, result, rows: [] };
	const why = (changed: object, of: object = {}) =>
		staleness(
			out,
			{ ...entry, done: { ...done, ...of } },
			{ ...key, ...changed },
		);
	assert.is(await why({}), undefined);
	assert.is(await why({ bytes: "2" }), "its bytes changed");
	assert.is(await why({ version: "2" }), "it was made by version 1");
	assert.is(await why({ options: {} }), "--window changed");
	assert.is(
		await why({ options: { window: 60, lowPass: 1 } }),
		"--low-pass changed",
	);
	assert.is(await why({ files: { mask: "2" } }), "the file of --mask changed");
	assert.match((await why({}, { result: "2" })) ?? "", /another one or gone/);
	assert.match((await staleness(out, failed, key)) ?? "", /it failed/);
	await writeCampaign(out, CAMPAIGN);
	assert.is(await hashOf(at("no such file")), undefined);
});

test("QPI_LENS_THREADS: a count of threads, or one clear error", () => {
	const before = process.env.QPI_LENS_THREADS;
	process.env.QPI_LENS_THREADS = "3";
	assert.is(threadCount(), 3);
	process.env.QPI_LENS_THREADS = "many";
	assert.throws(threadCount, /QPI_LENS_THREADS is "many", expected a whole/);
	delete process.env.QPI_LENS_THREADS;
	assert.ok(threadCount() >= 1);
	if (before) process.env.QPI_LENS_THREADS = before;
});

test.run();
