/** The part of `npm run bench:extraction` that is about maps: seconds and memory, and whether the uncertainty is honest on maps with the flaws of real scans. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
	extractMap,
	extractMaps,
} from "../src/extraction/methods/extractMap.ts";
import { preprocess } from "../src/extraction/preprocess.ts";
import { makeMaps } from "../src/node/datasets/makeMaps.ts";
import { SolveThreads } from "../src/node/threads/solveThreads.ts";
import {
	type GeneratedMap,
	type MapRecipe,
	makeMap,
} from "../src/qpi/generator/maps.ts";
import type { KernelPrior } from "../src/qpi/posterior/prior.ts";
import { centredCorrelation } from "../src/qpi/scores/metrics.ts";

/** A map, at most so many seconds for it. */
interface Speed {
	readonly what: string;
	readonly recipe: MapRecipe;
	readonly images: number;
	readonly goal: number;
}

const FLAWS = { clusters: 0, steps: 0, missingRows: 0 };
const usual = { ...FLAWS, noise: 0.5, spread: 0.15, background: 10 };
const SPEED: readonly Speed[] = [
	{
		what: "256x256, 50 marks",
		recipe: { ...usual, pixels: [256, 256], field: 500, marks: 50 },
		images: 1,
		goal: 5,
	},
	{
		what: "512x512, 300 marks",
		recipe: { ...usual, pixels: [512, 512], field: 1200, marks: 300 },
		images: 1,
		goal: 30,
	},
	{
		what: "128x128, 40 marks",
		recipe: { ...usual, pixels: [128, 128], field: 400, marks: 40 },
		images: 1,
		goal: 5,
	},
	{
		what: "the same, 11 energies",
		recipe: { ...usual, pixels: [128, 128], field: 400, marks: 40 },
		images: 11,
		goal: 10,
	},
];

/** Maps that the uncertainty is looked at on. */
const MAPS = 8;

export async function mapRows(prior: KernelPrior) {
	const solver = new SolveThreads();
	const extract = (made: GeneratedMap, images: number) => {
		const { nx, ny, pixel, scatterers } = made;
		const { scan, weights, order } = preprocess({
			...{ image: made.image, nx, ny },
			spacing: { x: pixel, y: pixel },
		});
		const marks = scatterers.map(({ x, y, kind }) => ({ x, y, kind }));
		return extractMaps(
			{
				...{ nx, ny, pixel, weights, order, marks },
				images: Array.from({ length: images }, () => scan.image.slice()),
			},
			{ prior },
			{ method: "refined", solver },
		);
	};
	// What compiles on first use is not counted.
	await extract(makeMap(SPEED[2].recipe, 1), 1);
	const speed = [];
	for (const { what, recipe, images, goal } of SPEED) {
		const made = makeMap(recipe, 1);
		const began = performance.now();
		const [found] = await extract(made, images);
		const seconds = (performance.now() - began) / 1000;
		const megabytes = process.memoryUsage().rss / 2 ** 20;
		const ncc = nccOf(found.kinds[0].kernel, found.size, made);
		const numpy = images === 1 ? await numpyRidge(recipe) : null;
		speed.push({ what, seconds, goal, megabytes, ncc, numpy });
		console.log(
			`${what.padEnd(24)} refined ${seconds.toFixed(1)} s (goal ${goal}), NCC ${ncc.toFixed(4)}, ${megabytes.toFixed(0)} MB; ${numpy ? `numpy's ridge ${numpy.seconds.toFixed(1)} s, NCC ${numpy.ncc.toFixed(4)}` : "no numpy row"}`,
		);
	}
	const [one, eleven] = [speed[2].seconds, speed[3].seconds];
	console.log(
		`each further energy: ${(((eleven - one) / 10 / one) * 100).toFixed(0)} % of the first`,
	);

	const within = [0, 0];
	let pixels = 0;
	for (let i = 0; i < MAPS; i++) {
		const made = makeMap(
			{
				...usual,
				pixels: [192, 192],
				field: 450,
				marks: 40,
				clusters: i % 3,
				noise: [0.3, 0.6, 1][i % 3],
			},
			2,
			i,
		);
		const { nx, ny, pixel, scatterers, kernels } = made;
		const { scan, weights, order } = preprocess({
			...{ image: made.image, nx, ny },
			spacing: { x: pixel, y: pixel },
		});
		const found = await extractMap(
			{
				...{ image: scan.image, nx, ny, pixel, weights, order },
				marks: scatterers.map(({ x, y }) => ({ x, y })),
			},
			{ prior },
			{ method: "refined", solver },
		);
		const [{ kernel, uncertainty }] = found.kinds;
		// The amplitudes' mean is the kernel's own: its scale is not what is asked about.
		const truth = kernels[0];
		const pairs = [...around(truth, found.size, 60 / pixel)].map(
			([t, p]) => [t, kernel[p], uncertainty[p]] as const,
		);
		const gain =
			pairs.reduce((s, [t, k]) => s + t * k, 0) /
			pairs.reduce((s, [t]) => s + t * t, 0);
		for (const [t, k, u] of pairs)
			for (const n of [1, 2])
				if (Math.abs(k - gain * t) <= n * u) within[n - 1]++;
		pixels += pairs.length;
	}
	const [first, second] = within.map((n) => n / pixels);
	console.log(
		`${MAPS} maps with backgrounds and clusters: truth within one standard deviation at ${(100 * first).toFixed(0)} % of the kernels' pixels (68 expected), within two at ${(100 * second).toFixed(0)} % (95)`,
	);
	await solver.close();
	return { speed, calibration: { one: first, two: second } };
}

function nccOf(kernel: Float32Array, size: number, made: GeneratedMap): number {
	return centredCorrelation(
		{ values: kernel, size },
		made.kernels[0],
		60 / made.pixel,
	);
}

/** The true values within a radius (pixels), and which pixel of a kernel of `size` each is. */
function* around(
	{ values, size: of }: GeneratedMap["kernels"][number],
	size: number,
	radius: number,
): Generator<[number, number]> {
	const half = Math.min(Math.floor(radius), (size - 1) / 2, (of - 1) / 2);
	for (let i = -half; i <= half; i++)
		for (let j = -half; j <= half; j++)
			if (Math.hypot(i, j) <= radius)
				yield [
					values[(i + (of - 1) / 2) * of + j + (of - 1) / 2],
					(i + (size - 1) / 2) * size + j + (size - 1) / 2,
				];
}

/** What plain ridge in numpy takes on such a map (bench/maps.py), where there is numpy. */
async function numpyRidge(
	recipe: MapRecipe,
): Promise<{ seconds: number; ncc: number } | null> {
	const folder = await mkdtemp(join(tmpdir(), "qpi-lens-"));
	try {
		const same = (n = 0) => [n, n] as const;
		const { pixels, field, marks, noise } = recipe;
		await makeMaps({
			...{ out: folder, maps: 1, seed: 1 },
			ranges: {
				...{ pixels: [pixels], kinds: 1, noise: [noise ?? 0] },
				...{ field: same(field), marks: same(marks) },
				spread: same(recipe.spread),
				background: same(recipe.background),
				clusters: same(recipe.clusters),
				steps: same(recipe.steps),
				missingRows: same(recipe.missingRows),
			},
		});
		const script = fileURLToPath(new URL("maps.py", import.meta.url));
		const { stdout } = spawnSync("python3", [script, folder], {
			encoding: "utf8",
		});
		const mean = /mean\s+([\d.]+) s {2}NCC within 60 A ([\d.]+)/.exec(
			stdout ?? "",
		);
		return mean && { seconds: Number(mean[1]), ncc: Number(mean[2]) };
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
