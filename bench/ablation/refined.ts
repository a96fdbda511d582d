import { readFile } from "node:fs/promises";
import { say } from "../../src/cli/command.ts";
import { REFINE, refine } from "../../src/extraction/kernels/refined.ts";
import {
	REFINE_MAP,
	refineMap,
	ridgeMap,
} from "../../src/extraction/kernels/refineMap.ts";
import type { SitedMap } from "../../src/extraction/kernels/sitedMap.ts";
import { writeFileAtomic } from "../../src/node/files/files.ts";
import {
	isIn,
	markOf,
	type Shard,
	together,
} from "../../src/node/files/shard.ts";
import { openWeights } from "../../src/node/files/shippedWeights.ts";
import { makeSplit } from "../../src/qpi/dataset/split.ts";
import { makeKernel, planKernels } from "../../src/qpi/generator/generator.ts";
import { makeMap } from "../../src/qpi/generator/maps.ts";
import { centre } from "../../src/qpi/operator/ridge.ts";
import type { KernelPrior } from "../../src/qpi/posterior/prior.ts";
import {
	centredCorrelation,
	correlation,
} from "../../src/qpi/scores/metrics.ts";
import { Random } from "../../src/random.ts";
import { type Trial, type Worth, worthOf } from "./units.ts";

const SEEDS = [1, 2, 3];
const USUAL = "as it is";

const misfit = (change: Partial<typeof REFINE.misfit>) => ({
	misfit: { ...REFINE.misfit, ...change },
});
const SHARED: Record<string, Partial<typeof REFINE>> = {
	[USUAL]: {},
	"near: none": { near: null },
	"near: width 0.035": { near: { width: 0.035, share: 0.2 } },
	"near: width 0.14": { near: { width: 0.14, share: 0.2 } },
	"near: share 0.1": { near: { width: 0.07, share: 0.1 } },
	"near: share 0.4": { near: { width: 0.07, share: 0.4 } },
	"no adjustment": { rounds: 0 },
	"one adjustment": { rounds: 1 },
	"few steps: half": { few: 12 },
	"few steps: 60": { few: 60 },
	"white errors (patch 0)": misfit({ patch: 0 }),
	"patch 3": misfit({ patch: 3 }),
	"no pixel doubted": misfit({ doubt: Number.POSITIVE_INFINITY }),
	"doubt from 3": misfit({ doubt: 3 }),
	"small 0.05": misfit({ small: 0.05 }),
	"small 0.2": misfit({ small: 0.2 }),
};
const ON_MAPS: Record<string, Partial<typeof REFINE_MAP>> = {
	...SHARED,
	"250 components": { most: 250 },
	"1000 components": { most: 1000 },
	"trial with 100 components": { trial: 100 },
	"no variance of each pixel": { own: false },
};

/** Marks as people make them: off by an Angstrom or two, all of amplitude 1. */
function onMap(seed: number, index: number) {
	const made = makeMap(
		{
			...{ pixels: [112, 112], field: 380, marks: 30, spread: 0.15 },
			...{ noise: [0.3, 0.6, 1][index % 3], background: 0 },
			...{ clusters: 0, steps: 0, missingRows: 0 },
		},
		seed,
		index,
	);
	const { image, nx, ny, pixel, scatterers } = made;
	const random = new Random(seed, index);
	const map: SitedMap = {
		...{ image, nx, ny, pixel, order: 2, kinds: 1 },
		weights: new Float64Array(nx * ny).fill(1),
		sites: scatterers.map(({ x, y }) => ({
			x: (x + random.normal()) / pixel + (nx - 1) / 2,
			y: (y + random.normal()) / pixel + (ny - 1) / 2,
			weight: 1,
			kind: 0,
		})),
	};
	return { made, map };
}

async function maps(
	prior: KernelPrior,
	each: number,
	change: Partial<typeof REFINE_MAP>,
	seed: number,
) {
	const scores: number[] = [];
	for (let i = 0; i < each; i++) {
		const { made, map } = onMap(seed, i);
		const size = 2 * Math.round(90 / map.pixel) + 1;
		const found = await refineMap(map, prior, ridgeMap(map, size), undefined, {
			...REFINE_MAP,
			...change,
		});
		scores.push(
			centredCorrelation(
				{ values: found.kernels, size },
				made.kernels[0],
				60 / map.pixel,
			),
		);
	}
	return scores;
}

const specs = planKernels(100, 1);
const split = makeSplit(specs, { seed: 1 });
const unseen = [...split.unseenFamily, ...split.unseenEnergy];

async function images(
	prior: KernelPrior,
	each: number,
	change: Partial<typeof REFINE>,
	seed: number,
) {
	return Array.from({ length: each }, (_, i) => {
		const spec = specs[unseen[(7 * i + seed) % unseen.length] - 1];
		const { kernel, observations } = makeKernel(spec, {
			...{ observations: 1, seed: 100 * seed + i, noiseLevels: [0.3] },
			placement: { min: 3, max: 15 },
			augment: { jitter: 0.3, wrong: 0.1 },
		});
		const [{ image, scatterers }] = observations;
		const marks = scatterers.map((s) => ({ ...s, weight: 1 }));
		const found = refine({ image, scatterers: marks }, prior, {
			...REFINE,
			...change,
		});
		return correlation(centre(found.kernel), kernel);
	});
}

const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
/**
 * What each choice that `refined` rests on is worth, over three seeds, on maps (refineMap) and on 64 x 64 images of unseen kernels (refine). Kernels
 * within 60 A for maps, whole for images. Of a part the figures alone, for `mergeRefined`.
 */
export async function ablateRefined({
	each,
	json,
	shard,
}: {
	each: number;
	json?: string;
	shard?: Shard;
}): Promise<void> {
	if (shard && !json)
		throw new Error("--shard gives figures that merge puts together: --json");
	const prior = await (await openWeights()).prior();
	const all = [
		...Object.entries(ON_MAPS).map(([name, change]) => ({
			...{ what: "maps", name },
			run: (seed: number) => maps(prior, each, change, seed),
		})),
		...Object.entries(SHARED).map(([name, change]) => ({
			...{ what: "images", name },
			run: (seed: number) => images(prior, each, change, seed),
		})),
	];
	const rows: Trial[] = [];
	for (const { what, name, run } of all.filter((_, i) => isIn(shard, i))) {
		const began = performance.now();
		const means: number[] = [];
		for (const seed of SEEDS) means.push(mean(await run(seed)));
		const seconds = (performance.now() - began) / 1000 / SEEDS.length / each;
		rows.push({ what, name, means, seconds });
		if (!shard) say(lineOf(worthOf(rows, USUAL)[rows.length - 1]));
	}
	if (!json) return;
	const worth = shard
		? { ...markOf(shard, all.length), measured: rows }
		: { rows: worthOf(rows, USUAL) };
	await writeFileAtomic(json, text({ each, ...worth }));
}

/** The figures of all parts as those of one run. */
export async function mergeRefined(
	files: readonly string[],
	{ json }: { json?: string },
): Promise<void> {
	const parts = await Promise.all(
		files.map(async (name) => {
			const found = JSON.parse(await readFile(name, "utf8"));
			return { name, ...found, things: found.measured ?? [] };
		}),
	);
	const [{ each }] = parts;
	const odd = parts.find((part) => part.each !== each);
	if (odd)
		throw new Error(`${odd.name}: found --each ${odd.each}, expected ${each}`);
	const rows = worthOf(together<Trial>(parts), USUAL);
	for (const row of rows) say(lineOf(row));
	if (json) await writeFileAtomic(json, text({ each, rows }));
}

const text = (value: object) => `${JSON.stringify(value, null, "\t")}\n`;

const lineOf = ({ what, name, ncc, gain, spread, seconds }: Worth) =>
	`${what.padEnd(7)} ${name.padEnd(28)} NCC ${ncc.toFixed(4)}  change ${(1e4 * gain).toFixed(1).padStart(6)} +- ${(1e4 * spread).toFixed(1)} e-4  ${seconds.toFixed(2)} s`;
