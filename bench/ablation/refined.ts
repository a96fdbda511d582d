import { REFINE, refine } from "../../src/extraction/kernels/refined.ts";
import {
	REFINE_MAP,
	refineMap,
	ridgeMap,
} from "../../src/extraction/kernels/refineMap.ts";
import type { SitedMap } from "../../src/extraction/kernels/sitedMap.ts";
import { writeFileAtomic } from "../../src/node/files/files.ts";
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

const SEEDS = [1, 2, 3];

const misfit = (change: Partial<typeof REFINE.misfit>) => ({
	misfit: { ...REFINE.misfit, ...change },
});
const SHARED: Record<string, Partial<typeof REFINE>> = {
	"as it is": {},
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
 * within 60 A for maps, whole for images.
 */
export async function ablateRefined({
	each,
	json,
}: {
	each: number;
	json?: string;
}): Promise<void> {
	const prior = await (await openWeights()).prior();
	const rows: Record<string, unknown>[] = [];
	for (const [what, variants, run] of [
		["maps", ON_MAPS, maps],
		["images", SHARED, images],
	] as const) {
		let usual: number[] = [];
		for (const [name, change] of Object.entries(variants)) {
			const began = performance.now();
			const means: number[] = [];
			for (const seed of SEEDS)
				means.push(mean(await run(prior, each, change, seed)));
			const seconds = (performance.now() - began) / 1000 / SEEDS.length / each;
			if (name === "as it is") usual = means;
			// Each seed against itself: what the choice does, not what the seeds differ by.
			const gains = means.map((v, i) => v - usual[i]);
			const spread = Math.sqrt(
				gains.reduce((s, g) => s + (g - mean(gains)) ** 2, 0) / 2,
			);
			rows.push({
				what,
				name,
				ncc: mean(means),
				gain: mean(gains),
				spread,
				seconds,
			});
			console.log(
				`${what.padEnd(7)} ${name.padEnd(28)} NCC ${mean(means).toFixed(4)}  change ${(1e4 * mean(gains)).toFixed(1).padStart(6)} +- ${(1e4 * spread).toFixed(1)} e-4  ${seconds.toFixed(2)} s`,
			);
		}
	}
	if (json)
		await writeFileAtomic(
			json,
			`${JSON.stringify({ each, rows }, null, "\t")}\n`,
		);
}
