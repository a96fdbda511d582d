/** Marks that only mend another kind's kernel. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { companionsOf } from "../src/extraction/blind/satellites.ts";
import { Random } from "../src/random.ts";

const grid = { nx: 128, ny: 128, pixel: 4, kinds: 2 };
const random = new Random(4);
const anywhere = (kind: number, weight: number, count: number) =>
	Array.from({ length: count }, () => ({
		x: random.uniform(10, 118),
		y: random.uniform(10, 118),
		...{ weight, kind },
	}));

test("marks at one offset from most marks of another kind are companions, those elsewhere are not", () => {
	const hosts = anywhere(0, 1, 17);
	const own = anywhere(1, 3, 18);
	const beside = hosts.slice(0, 12).map(({ x, y }) => ({
		x: x - 2.1 + random.uniform(-0.4, 0.4),
		y: y + 3.2 + random.uniform(-0.4, 0.4),
		...{ weight: 1, kind: 1 },
	}));
	const found = companionsOf({ ...grid, sites: [...hosts, ...own, ...beside] });
	assert.equal(found, new Set(beside));
});

test("two kinds that are strewn at random have none", () => {
	for (let k = 0; k < 20; k++)
		assert.is(
			companionsOf({
				...grid,
				sites: [...anywhere(0, 1, 60), ...anywhere(1, 1, 60)],
			}).size,
			0,
		);
});

test("a kind that would be left without marks stays: it may be one half of what a scatterer looks like", () => {
	const hosts = anywhere(0, 1, 12);
	const beside = hosts.map(({ x, y }) => ({
		...{ x: x + 4, y, weight: 1, kind: 1 },
	}));
	assert.is(companionsOf({ ...grid, sites: [...hosts, ...beside] }).size, 0);
});

test.run();
