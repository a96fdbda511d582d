import { test } from "uvu";
import * as assert from "uvu/assert";
import { pairedDifference } from "../src/qpi/scores/bootstrap.ts";
import { Random } from "../src/random.ts";

test("the interval holds the true difference in about 95 of 100 experiments whose groups vary together", () => {
	let held = 0;
	for (let run = 0; run < 200; run++) {
		const random = new Random(run);
		const [a, b, groups]: [number[], number[], string[]] = [[], [], []];
		for (let g = 0; g < 40; g++) {
			const common = 0.3 + random.normal();
			for (let k = 0; k < 5; k++) {
				const level = 10 * random.normal();
				a.push(level + common + 0.2 * random.normal());
				b.push(level);
				groups.push(`${g}`);
			}
		}
		const { low, high } = pairedDifference(a, b, groups, {
			seed: 1,
			resamples: 400,
		});
		if (low <= 0.3 && 0.3 <= high) held++;
	}
	assert.ok(held >= 180 && held <= 198, `${held} of 200`);
});

test("a group counts by its pairs, and equal differences have an interval of no width", () => {
	const { mean, low, high, groups, pairs } = pairedDifference(
		[3, 4, 5],
		[1, 2, 3],
		["x", "x", "y"],
		{ seed: 1 },
	);
	assert.equal([mean, low, high, groups, pairs], [2, 2, 2, 2, 3]);
	const uneven = pairedDifference([1, 1, 4], [0, 0, 0], ["x", "x", "y"], {
		seed: 1,
	});
	assert.is(uneven.mean, 2);
});

test("lengths that differ and values that are not finite are refused", () => {
	assert.throws(
		() => pairedDifference([1], [1, 2], ["x"], { seed: 1 }),
		/1 and 2 values in 1 groups; expected/,
	);
	assert.throws(
		() => pairedDifference([Number.NaN], [1], ["x"], { seed: 1 }),
		/NaN and 1; expected finite/,
	);
});

test.run();
