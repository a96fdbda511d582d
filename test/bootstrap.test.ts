import { test } from "uvu";
import * as assert from "uvu/assert";
import { comparePart } from "../bench/scores.ts";
import { pairedDifference } from "../src/qpi/scores/bootstrap.ts";
import { Random } from "../src/random.ts";
import type { Part } from "../src/training/data.ts";
import type { ScoreFile } from "../src/training/evaluate.ts";

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

test("a method against another over trainings: means, each seed's difference, and Student's t over seeds", () => {
	const file = (seed: number, lead: number): ScoreFile => {
		const part = (o: number) => (o < 4 ? "seen" : "unseenEnergy") as Part;
		const scores = (shift: number) =>
			Array.from({ length: 6 }, (_, i) => i + (i < 4 ? shift : 0));
		const column = (shift: number) => ({
			...{ mae: scores(shift), mse: scores(shift), rmse: scores(shift) },
			ncc: scores(shift),
		});
		return {
			seed,
			observations: Array.from({ length: 6 }, (_, i) => ({
				...{ kernel: 1 + (i >> 1), part: part(i), noise: 0, scatterers: 1 },
			})),
			methods: { twoStep: column(lead), oneStep: column(0) },
		};
	};
	const compare = (leads: readonly number[], part: string) =>
		comparePart(
			leads.map((lead, i) => {
				const one = file(i + 1, lead);
				return [
					{ file: one, method: "twoStep" as const },
					{ file: one, method: "oneStep" as const },
				] as const;
			}),
			"ncc",
			part,
		);
	const found = compare([1, 2, 3], "seen");
	assert.equal(found?.bySeed, [1, 2, 3]);
	assert.equal(found?.means, [3.5, 1.5]);
	assert.equal([found?.groups, found?.pairs], [6, 12]);
	// Mean 2, standard deviation 1, two degrees of freedom: 4.303 / sqrt(3) either way.
	const [low, high] = found?.overSeeds ?? [0, 0];
	assert.ok(Math.abs(low + 0.484) < 1e-3 && Math.abs(high - 4.484) < 1e-3);
	assert.equal(compare([1, 2, 3], "unseenEnergy")?.bySeed, [0, 0, 0]);
	assert.is(compare([1], "seen")?.overSeeds, undefined);
	assert.is(compare([1, 2], "unseenFamily"), undefined);
});

test.run();
