/** Waves shorter than the bins that kernels are solved for in: how much of them is left, and that it is said. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { profile } from "../src/extraction/findings/profile.ts";
import { extractMap } from "../src/extraction/methods/extractMap.ts";
import {
	qLimitLayer,
	qLimitLines,
	qLimitOf,
} from "../src/extraction/results/qLimit.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { Random } from "../src/random.ts";

const prior = await (await openWeights()).prior();

test("waves below the bins' limit are whole, beyond it they are damped and have their q; the limit is told", async () => {
	const random = new Random(3);
	const [n, pixel] = [96, 2];
	const [long, short] = [0.25, 0.7];
	const pattern = (r: number) =>
		((Math.cos(long * r) + Math.cos(short * r + 0.9)) * Math.exp(-r / 60)) /
		Math.sqrt(1 + r / 4);
	const marks = Array.from({ length: 12 }, () => ({
		x: random.uniform(-90, 90),
		y: random.uniform(-90, 90),
	}));
	const at = (i: number, n: number) => (i - (n - 1) / 2) * pixel;
	const clean = Float64Array.from({ length: n * n }, (_, p) =>
		marks.reduce((sum, { x, y }) => {
			const [px, py] = [at(Math.floor(p / n), n), at(p % n, n)];
			return sum + pattern(Math.hypot(px - x, py - y));
		}, 0),
	);
	const sigma = Math.sqrt(clean.reduce((s, v) => s + v * v, 0) / clean.length);
	const image = clean.map((v) => v + 0.5 * sigma * random.normal());
	const shares = async (window: number) => {
		const extraction = await extractMap(
			{ image, nx: n, ny: n, pixel, marks },
			{ prior },
			{
				...{ method: "refined", samples: 0, adjust: false, window },
				holdOut: false,
			},
		);
		const { size } = extraction;
		const truth = Float64Array.from({ length: size * size }, (_, p) =>
			pattern(Math.hypot(at(Math.floor(p / size), size), at(p % size, size))),
		);
		const [found, expected] = [extraction.kinds[0].kernel, truth].map((k) =>
			profile(k, { spacing: pixel, reach: 60 }),
		);
		const top = (of: typeof found, q: number) =>
			[...of.q.keys()]
				.filter((k) => Math.abs(of.q[k] - q) < 0.05)
				.reduce((a, b) => (of.value[b] > of.value[a] ? b : a));
		const [whole, damped] = [long, short].map((q) => {
			const [a, b] = [top(found, q), top(expected, q)];
			assert.ok(
				Math.abs(found.q[a] - expected.q[b]) < 0.02,
				`${q}: ${found.q[a]}`,
			);
			return found.value[a] / expected.value[b];
		});
		return {
			limit: qLimitOf({ shown: { extraction }, taken: { pixel } }),
			whole,
			damped,
		};
	};
	const fine = await shares(64);
	assert.is(fine.limit.bins, 1);
	assert.equal(qLimitLines(fine.limit), []);
	assert.ok(fine.damped > 0.7, `${fine.damped}`);
	const binned = await shares(140);
	assert.is(binned.limit.bins, 3);
	assert.ok(binned.whole > 0.8, `${binned.whole}`);
	assert.ok(
		binned.damped < 0.75 * fine.damped,
		`${binned.damped}, ${fine.damped}`,
	);
	assert.ok(binned.damped > 0.2, `${binned.damped}`);
	assert.match(
		qLimitLines(binned.limit)[0],
		/^q limit: waves up to 0\.52 1\/Å are whole, .* bins of 3 x 3 pixels/,
	);
	assert.equal(qLimitLayer(binned.limit, 0.5, [0, 0.1]), []);
	assert.equal(qLimitLayer(binned.limit, 1, [0, 0.1])[0].points, [
		{ x: binned.limit.whole, y: 0 },
		{ x: binned.limit.whole, y: 100 },
	]);
});

test.run();
