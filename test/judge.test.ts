import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Judgement, judgeMarks } from "../src/extraction/kernels/judge.ts";
import type { MapMark } from "../src/extraction/kernels/markedMap.ts";
import { makeMap } from "../src/qpi/generator/maps.ts";
import { Random } from "../src/random.ts";

const RECIPE = { pixels: [96, 80], field: 300, marks: 16, noise: 0.5 } as const;

test("judgeMarks: the true scatterers before fewer, more, moved and random ones, a single one and a second kind that is none", async () => {
	const { image, nx, ny, pixel, scatterers } = makeMap(RECIPE, 3, 1);
	const random = new Random(2);
	const anywhere = () => ({
		x: random.uniform(-140, 140),
		y: random.uniform(-115, 115),
	});
	const judge = (marks: readonly MapMark[], values = image) =>
		judgeMarks({ image: values, nx, ny, pixel, marks });
	const truth = await judge(scatterers);
	assert.ok(truth.explained > 0.3, `${truth.explained}`);
	assert.ok(truth.penalty > 0 && truth.penalty < 0.05, `${truth.penalty}`);
	assert.is(truth.score, truth.explained - truth.penalty);
	const lists: Record<string, readonly MapMark[]> = {
		half: scatterers.slice(0, 8),
		double: [...scatterers, ...scatterers.map(anywhere)],
		moved: scatterers.map(({ x, y }) => ({
			x: x + 3 * random.normal(),
			y: y + 3 * random.normal(),
		})),
		random: scatterers.map(anywhere),
		single: scatterers.slice(0, 1),
		split: scatterers.map((mark, i) => ({ ...mark, kind: 1 + (i % 2) })),
	};
	const scores: Record<string, Judgement> = {};
	for (const [name, list] of Object.entries(lists)) {
		scores[name] = await judge(list);
		assert.ok(scores[name].score < truth.score, name);
	}
	assert.ok(scores.random.score < 0 && scores.single.score < 0.02);
	// On noise alone nothing is worth its price.
	const noise = Float32Array.from(image, () => random.normal());
	const onNoise = await judge(scatterers, noise);
	assert.ok(onNoise.score < 0 && onNoise.penalty > 0.01);
});

test("judgeMarks: two kinds before one of both, and nothing for nothing", async () => {
	const made = makeMap(
		{ ...RECIPE, pixels: [112, 96], field: 340, marks: 24, kinds: 2 },
		3,
		1,
	);
	const { image, nx, ny, pixel, scatterers } = made;
	const judge = (marks: readonly MapMark[]) =>
		judgeMarks({ image, nx, ny, pixel, marks });
	const two = await judge(scatterers);
	const one = await judge(scatterers.map((mark) => ({ ...mark, kind: 1 })));
	assert.ok(two.score > one.score + 0.05, `${two.score} ${one.score}`);
	assert.ok(Math.abs(two.penalty - one.penalty) < 0.02);
	assert.equal(await judge([]), { score: 0, explained: 0, penalty: 0 });
});

test("judgeMarks: the penalty is a share of the variance, whatever the unit and the pixel", async () => {
	const { image, nx, ny, pixel, scatterers } = makeMap(RECIPE, 3, 1);
	const marks = scatterers.map(({ x, y }) => ({ x, y }));
	const map = { image, nx, ny, pixel, marks };
	const one = await judgeMarks(map);
	const tall = await judgeMarks({ ...map, image: image.map((v) => 50 * v) });
	assert.ok(Math.abs(one.penalty - tall.penalty) < 1e-6);
	assert.ok(Math.abs(one.explained - tall.explained) < 1e-4);
	// chi^2 of 16 scatterers at 3 + ln(300 x 250 / 36) nats, in noise of variance 1/4 of the signal's: a fifth of the whole.
	const expected =
		(2 * 16 * (3 + Math.log((300 * 250) / 36)) * 0.2) / (nx * ny);
	assert.ok(one.penalty > 0.6 * expected && one.penalty < 1.6 * expected);
});

test.run();
