/** Which of the page's open files are offered as one series, and what is said where none is. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandOf } from "../src/extraction/results/commandLine.ts";
import { noSeries, offerOf } from "../src/web/page/files/seriesOffer.ts";

const sides = "192 x 192 pixels of 2.500 x 2.500 A";
const map = (id: string, energy: number, size = sides) => ({
	...{ id, name: `${id}.sxm` },
	seat: { energy, sides: size },
});
const biasless = {
	...{ id: "z", name: "z.npy" },
	seat: { why: "z.npy: found no bias, expected one in each file of a series" },
};

test("files of one size with biases of their own are offered as a series, sorted by bias", () => {
	const open = [map("b", 0.02), map("a", -0.03), map("c", 0.05)];
	const offer = offerOf(open, "b");
	assert.equal(
		offer?.files.map(({ id }) => id),
		["a", "b", "c"],
	);
	assert.is(
		offer?.told,
		"3 open files are of one size, with a bias each: −30 to 50 mV.",
	);
	assert.is(offer?.label, "Take them as one series of 3 energies");
});

test("what is of another size or has no bias is left out by name", () => {
	const other = map("s", 0.1, "64 x 64 pixels of 2.000 x 2.000 A");
	const open = [map("a", -0.03), biasless, map("b", 0.02), other];
	const offer = offerOf(open, "a");
	assert.equal(
		offer?.files.map(({ id }) => id),
		["a", "b"],
	);
	assert.match(
		offer?.told ?? "",
		/Not among them: z\.npy: found no bias, expected one in each file of a series; s\.sxm: 64 × 64 pixels of 2\.000 × 2\.000 Å\.$/,
	);
});

test("one bias, or a shown file without one, is no series", () => {
	assert.is(offerOf([map("a", 0.01), map("b", 0.01)], "a"), null);
	assert.is(offerOf([map("a", 0.01), map("b", 0.02), biasless], "z"), null);
	assert.is(offerOf([map("a", 0.01)], "a"), null);
	assert.match(
		offerOf([map("a", 1), map("b", 1), map("c", 2)], "a")?.told ?? "",
		/Only 2 of the biases differ\./,
	);
});

test("files that were chosen together and are no series say why", () => {
	assert.is(
		noSeries([biasless, { ...biasless, id: "y" }], false),
		"2 files are open side by side. They are no series: z.npy: found no bias, expected one in each file of a series.",
	);
	assert.is(noSeries([biasless], false), null);
	assert.is(noSeries([map("a", 1), map("b", 2)], true), null);
});

test("the command line of a series names its files", () => {
	assert.is(
		commandOf(["a.sxm", "it's.sxm", "-c.sxm"], { method: "ridge", seed: 1 }),
		"npx qpi-lens extract --series a.sxm 'it'\\''s.sxm' ./-c.sxm --method=ridge",
	);
});

test.run();
