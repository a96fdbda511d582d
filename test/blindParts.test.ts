/** Parts of the search in unmarked maps whose right answers are known. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { asWholes } from "../src/extraction/blind/pairs.ts";
import { Random } from "../src/random.ts";

/** So many places of a kind, on a jittered grid of 50 pixels. */
function places(count: number, random: Random, kind = 0) {
	return Array.from({ length: count }, (_, i) => ({
		x: 50 * (i % 5) + random.uniform(-8, 8),
		y: 50 * Math.floor(i / 5) + random.uniform(-8, 8),
		...{ weight: random.uniform(0.8, 1.2), kind },
	}));
}

test("scatterers in pairs of one distance and direction become one each, halfway; others stay", () => {
	const random = new Random(3);
	const wholes = places(10, random);
	// Straight up, so that noise gives the step either sign along x.
	const parts = wholes.flatMap((w) =>
		[-5, 5].map((dy) => ({
			...w,
			x: w.x + random.uniform(-0.5, 0.5),
			y: w.y + dy + random.uniform(-0.5, 0.5),
		})),
	);
	const other = places(6, random, 1);
	const joined = asWholes([...parts, ...other], 2, 0, 0, 2);
	assert.is(joined?.kinds, 2);
	assert.is(joined?.sites.length, 16);
	for (const { x, y, weight } of wholes) {
		const near = joined?.sites.filter(
			(site) => site.kind === 1 && Math.hypot(site.x - x, site.y - y) < 0.8,
		);
		assert.is(near?.length, 1);
		assert.ok(Math.abs((near?.[0].weight ?? 0) - weight) < 1e-9);
	}
	assert.equal(
		joined?.sites.filter(({ kind }) => kind === 0),
		other.map((site) => ({ ...site, kind: 0 })),
	);
	// A part at the border has no partner: the rest say what is whole.
	assert.is(asWholes(parts.slice(1), 1, 0, 0, 2)?.sites.length, 9);
});

test("parts that were taken for two kinds become one; half of a kind in pairs is a kind of its own", () => {
	const random = new Random(4);
	const first = places(8, random);
	const second = first.map((site) => ({ ...site, x: site.x + 9, kind: 1 }));
	const third = places(5, random, 2);
	const all = [...first, ...second, ...third];
	const joined = asWholes(all, 3, 0, 1, 2);
	assert.is(joined?.kinds, 2);
	assert.equal(
		joined?.sites.map(({ kind }) => kind),
		[...Array(5).fill(0), ...Array(8).fill(1)],
	);
	assert.is(asWholes(all, 3, 0, 2, 2), undefined);
	// What has lost its other part lies where the whole would.
	const lone = asWholes([...first, ...second.slice(1)], 2, 0, 1, 2);
	const [x, y] = [first[0].x + 4.5, first[0].y];
	assert.is(lone?.sites.length, 8);
	const off = lone?.sites.map((site) => Math.hypot(site.x - x, site.y - y));
	assert.ok(Math.min(...(off ?? [])) < 1e-9);
	// Where half of a kind lies in pairs there are two kinds.
	const mixed = places(20, random);
	const parts = mixed.slice(10).map((site) => ({ ...site, y: site.y + 6 }));
	const apart = asWholes([...mixed, ...parts], 1, 0, 0, 2);
	assert.is(apart?.kinds, 2);
	assert.equal(
		apart?.sites.map(({ kind }) => kind),
		[...Array(10).fill(0), ...Array(10).fill(1)],
	);
});

test("a row of scatterers, places at random and a few chance pairs are no parts", () => {
	const random = new Random(5);
	const row = Array.from({ length: 20 }, (_, i) => ({
		...{ x: 10 * i, y: 3, weight: 1, kind: 0 },
	}));
	assert.is(asWholes(row, 1, 0, 0, 2), undefined);
	const anywhere = Array.from({ length: 120 }, () => ({
		...{ x: random.uniform(0, 250), y: random.uniform(0, 250) },
		...{ weight: 1, kind: 0 },
	}));
	assert.is(asWholes(anywhere, 1, 0, 0, 2), undefined);
	const few = places(20, random);
	const chance = few.slice(0, 3).map((site) => ({ ...site, x: site.x + 8 }));
	assert.is(asWholes([...few, ...chance], 1, 0, 0, 2), undefined);
	assert.is(asWholes([], 1, 0, 0, 2), undefined);
});

test.run();
