/** Scatterers, kinds and kernels of maps in which nothing is marked. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	type BlindResult,
	type BlindTurn,
	findScatterers,
} from "../src/extraction/blind/blind.ts";
import { compareMarks } from "../src/extraction/marks/compareMarks.ts";
import { preprocess } from "../src/extraction/preprocess.ts";
import { type GeneratedMap, makeMap } from "../src/qpi/generator/maps.ts";
import { Random } from "../src/random.ts";

const recipe = {
	...{ clusters: 0, steps: 0, missingRows: 0 },
	pixels: [128, 112] as const,
	field: 400,
	marks: 24,
	noise: 0.5,
	background: 8,
};

/** Shares of the true scatterers that were found, and of the found ones that are true, kinds told apart. */
function score(found: BlindResult, { scatterers }: GeneratedMap) {
	const pairs = compareMarks(found.marks, scatterers).reduce(
		(sum, kind) => sum + kind.pairs.length,
		0,
	);
	return {
		recall: pairs / scatterers.length,
		precision: pairs / found.marks.length,
	};
}

function prepared({ image, nx, ny, pixel }: GeneratedMap) {
	const spacing = { x: pixel, y: pixel };
	const { scan, weights, order } = preprocess({ image, nx, ny, spacing });
	return { images: [scan.image], nx, ny, pixel, weights, order };
}

test("one kind, nothing given: all are found and no other; the same map gives the same marks", async () => {
	const made = makeMap(recipe, 3);
	const turns: BlindTurn[] = [];
	const found = await findScatterers(prepared(made), {
		onProgress: (turn) => {
			turns.push(turn);
		},
	});
	const { recall, precision } = score(found, made);
	const told = `recall ${recall}, precision ${precision}`;
	assert.ok(recall > 0.95 && precision > 0.95, told);
	assert.is(found.kinds.length, 1);
	assert.ok((found.explained ?? 0) > 0.4, `${found.explained}`);
	for (const { quality, significance, errors } of found.marks) {
		assert.ok(quality > 0 && quality <= 1, `${quality}`);
		assert.ok(significance > 3, `${significance}`);
		assert.ok([errors.x, errors.y, errors.weight].every((e) => e > 0));
	}
	assert.ok(
		turns.some(({ kernel, size }) => kernel?.length === (size ?? 0) ** 2),
	);
	assert.ok(turns.some(({ marks }) => (marks?.length ?? 0) > 10));
	assert.ok(turns.every(({ done, total }) => done < total));
	assert.equal((await findScatterers(prepared(made))).marks, found.marks);
});

test("two kinds are told apart", async () => {
	const made = makeMap({ ...recipe, kinds: 2, marks: 36, background: 0 }, 5);
	const found = await findScatterers(prepared(made));
	assert.is(found.kinds.length, 2);
	const { recall, precision } = score(found, made);
	assert.ok(
		recall > 0.9 && precision > 0.9,
		`recall ${recall}, precision ${precision}`,
	);
	assert.is(
		found.kinds.reduce((sum, { marks }) => sum + marks, 0),
		found.marks.length,
	);
});

test("as many kinds as are asked for, where the judge would take one", async () => {
	const made = makeMap({ ...recipe, background: 0 }, 3);
	const found = await findScatterers(prepared(made), { kinds: 2 });
	assert.is(found.kinds.length, 2);
});

test("noise, with lines and a background, holds nothing; neither does a constant", async () => {
	const random = new Random(7);
	const [nx, ny] = [96, 112];
	const lines = Float64Array.from({ length: ny }, () => 0.5 * random.normal());
	const image = Float32Array.from(
		{ length: nx * ny },
		(_, p) =>
			random.normal() + lines[p % ny] + 3 * Math.sin(Math.floor(p / ny) / 40),
	);
	const spacing = { x: 3, y: 3 };
	const { scan, weights, order } = preprocess({ image, nx, ny, spacing });
	const map = { nx, ny, pixel: 3, weights, order };
	for (const each of [scan.image, new Float32Array(nx * ny).fill(4.2)]) {
		const found = await findScatterers({ ...map, images: [each] });
		assert.equal([found.marks, found.kinds, found.explained], [[], [], null]);
		assert.is(found.told.length, 1);
	}
});

test("a stack: dead layers are left out, what one layer hides another shows", async () => {
	const made = makeMap({ ...recipe, background: 0 }, 3);
	const { images, ...map } = prepared(made);
	const random = new Random(5);
	const noisy = (scale: number) =>
		images[0].map((v) => 1e-9 * (v + scale * random.normal()));
	const dead = new Float32Array(images[0].length).fill(2);
	const found = await findScatterers({
		...map,
		images: [noisy(3), dead, noisy(3), noisy(3)],
	});
	assert.equal(found.layersLeftOut, [1]);
	const { recall, precision } = score(found, made);
	assert.ok(recall > 0.9 && precision > 0.9, `${recall}`);
});

test("a window to start from, and dips in place of bumps", async () => {
	const made = makeMap({ ...recipe, background: 0, noise: 0.3 }, 3);
	const { images, ...map } = prepared(made);
	const [half] = [Math.min(made.nx, made.ny) * made.pixel * 0.5 - 40];
	const one = made.scatterers.find(
		({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) < half,
	);
	assert.ok(one);
	const dips = images[0].map((v) => -v);
	const found = await findScatterers(
		{ ...map, images: [dips] },
		{ seeds: [{ x: one.x, y: one.y, size: 50 }], kinds: 1 },
	);
	assert.is(found.kinds.length, 1);
	const { recall } = score(found, made);
	assert.ok(recall > 0.95, `${recall}`);
});

test("what does not fit is refused, and a caller can stop", async () => {
	const map = prepared(makeMap(recipe, 3));
	const fails = async (
		options: Parameters<typeof findScatterers>[1],
		words: RegExp,
		stack = map,
	) => {
		let failure = "";
		await findScatterers(stack, options).catch((error: Error) => {
			failure = error.message;
		});
		assert.match(failure, words);
	};
	await fails({ kinds: 0 }, /kinds as a whole number from 1, got 0/);
	await fails({ seeds: [{ x: 0, y: 0, size: -3 }] }, /positive size/);
	await fails({ seeds: [{ x: 500, y: 0, size: 40 }] }, /inside the map/);
	await fails({}, /expected a map of 128 x 112/, {
		...map,
		images: [new Float32Array(9)],
	});
	await fails(
		{
			onProgress: () => {
				throw new Error("that is enough");
			},
		},
		/that is enough/,
	);
});

test.run();
