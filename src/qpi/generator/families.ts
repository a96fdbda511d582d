/**
 * The kernels of the evaluation set: families (a band and a scatterer) of every symmetry class, each at several energies. Energies and masses
 * are chosen so that the ripples have 0.3 to 2.8 radians a pixel, and the broadening damps a wave before it comes
 * round the periodic box (hbar v / 2 eta < BOX / 4).
 */
import { Random } from "../../random.ts";
import { maxOf } from "../maths/extremes.ts";
import { type Band, BOX } from "./bands.ts";
import type { KernelSpec, Site } from "./kernelSpec.ts";

interface Family {
	readonly name: string;
	readonly band: Band;
	readonly sites: Site[];
	/** First and last energy, eV. */
	readonly energies: readonly [number, number];
	/** eV. */
	readonly broadening: number;
}

/** A group of families with a common symmetry and its share of the kernels. */
interface FamilyClass {
	readonly symmetry: KernelSpec["symmetry"];
	readonly share: number;
	readonly families: readonly Family[];
}

const point = (phase: Site["phase"]): Site[] => [{ x: 0, y: 0, phase }];

/** `count` equal sites on a circle. */
const ring = (count: number, radius: number, phase: Site["phase"]): Site[] =>
	Array.from({ length: count }, (_, i) => ({
		x: radius * Math.cos((2 * Math.PI * i) / count),
		y: radius * Math.sin((2 * Math.PI * i) / count),
		phase,
	}));

const AG: Band = { kind: "surface", mass: 0.41, bottom: -0.065 };
const CU: Band = { kind: "surface", mass: 0.38, bottom: -0.44 };
const AU: Band = { kind: "surface", mass: 0.25, bottom: -0.487 };
const FREE: Band = { kind: "free", mass: 0.4, bottom: -0.065 };
const ELLIPSE: Band = {
	kind: "ellipse",
	mass: 2.5,
	massY: 0.8,
	bottom: -0.025,
};
const WARPED: Band = { kind: "warped", mass: 0.4, bottom: -0.1, warp: 0.12 };
const PNICTIDE = {
	kind: "pnictide" as const,
	scale: 0.1,
	filling: 1.6,
	cells: 128,
};

const PNICTIDE_SPACING = BOX / PNICTIDE.cells;

const CLASSES: readonly FamilyClass[] = [
	{
		symmetry: 6,
		share: 16,
		families: [
			{
				name: "ag111 phase 0.6",
				band: AG,
				sites: point(0.6),
				energies: [-0.035, 0.19],
				broadening: 0.005,
			},
			{
				name: "cu111 black dot",
				band: CU,
				sites: point("black"),
				energies: [-0.41, -0.17],
				broadening: 0.006,
			},
			{
				name: "au111 phase pi/2",
				band: AU,
				sites: point(Math.PI / 2),
				energies: [-0.44, -0.07],
				broadening: 0.012,
			},
			{
				name: "cu111 phase 1.1",
				band: CU,
				sites: point(1.1),
				energies: [-0.395, -0.15],
				broadening: 0.012,
			},
		],
	},
	{
		symmetry: 4,
		share: 22,
		families: [
			{
				name: "c4 pocket c4=120",
				band: { kind: "quartic", mass: 0.5, bottom: -0.06, c4: 120 },
				sites: point(0.8),
				energies: [0, 0.14],
				broadening: 0.009,
			},
			{
				name: "d-wave superconductor",
				band: { kind: "dWave", scale: 1, gap: 0.08, cells: 128 },
				sites: [{ x: 0, y: 0, potential: [0, 0.3] }],
				energies: [0.04, 0.09],
				broadening: 0.008,
			},
			{
				name: "square tetramer R=16",
				band: FREE,
				sites: ring(4, 16, 1),
				energies: [-0.01, 0.19],
				broadening: 0.006,
			},
			{
				name: "c4 pocket c4=300 black dot",
				band: { kind: "quartic", mass: 0.5, bottom: -0.06, c4: 300 },
				sites: point("black"),
				energies: [0, 0.11],
				broadening: 0.012,
			},
			{
				name: "iron pnictide",
				band: PNICTIDE,
				sites: [{ x: 0, y: 0, potential: [0.4, 0] }],
				energies: [-0.06, 0.06],
				broadening: 0.009,
			},
		],
	},
	{
		symmetry: 2,
		share: 20,
		families: [
			{
				name: "ellipse m=2.5,0.8",
				band: ELLIPSE,
				sites: point(0.8),
				energies: [-0.015, 0.02],
				broadening: 0.002,
			},
			{
				name: "dimer",
				band: FREE,
				sites: [
					{ x: -9, y: 0, phase: 1 },
					{ x: 9, y: 0, phase: 1 },
				],
				energies: [-0.01, 0.19],
				broadening: 0.006,
			},
			{
				name: "ellipse m=0.6,0.25 black dot",
				band: { kind: "ellipse", mass: 0.6, massY: 0.25, bottom: -0.1 },
				sites: point("black"),
				energies: [-0.05, 0.08],
				broadening: 0.007,
			},
			{
				name: "iron pnictide dimer",
				band: PNICTIDE,
				sites: [
					{ x: -PNICTIDE_SPACING, y: 0, potential: [0.4, 0] },
					{ x: PNICTIDE_SPACING, y: 0, potential: [0.4, 0] },
				],
				energies: [-0.06, 0.06],
				broadening: 0.009,
			},
			{
				name: "dimer on c4 pocket",
				band: { kind: "quartic", mass: 0.5, bottom: -0.06, c4: 120 },
				sites: [
					{ x: -10, y: 0, phase: 0.8 },
					{ x: 10, y: 0, phase: 0.8 },
				],
				energies: [-0.02, 0.14],
				broadening: 0.009,
			},
		],
	},
	{
		symmetry: 6,
		share: 18,
		families: [
			{
				name: "warped 0.12",
				band: WARPED,
				sites: point(0.8),
				energies: [-0.07, 0.16],
				broadening: 0.007,
			},
			{
				name: "bi2te3",
				band: { kind: "topological", velocity: 2.55, lambda: 250 },
				sites: [{ x: 0, y: 0, potential: [60, 0] }],
				energies: [0.18, 0.42],
				broadening: 0.012,
			},
			{
				name: "hexamer R=18",
				band: FREE,
				sites: ring(6, 18, 0.8),
				energies: [-0.01, 0.19],
				broadening: 0.006,
			},
			{
				name: "warped -0.3 black dot",
				band: { kind: "warped", mass: 0.5, bottom: -0.1, warp: -0.3 },
				sites: point("black"),
				energies: [-0.06, 0.08],
				broadening: 0.008,
			},
		],
	},
	{
		symmetry: 3,
		share: 12,
		families: [
			{
				name: "trimer R=12",
				band: FREE,
				sites: ring(3, 12, 1),
				energies: [-0.01, 0.19],
				broadening: 0.006,
			},
			{
				name: "centred trimer R=17",
				band: FREE,
				sites: [...ring(3, 17, 0.9), { x: 0, y: 0, phase: -0.8 }],
				energies: [-0.01, 0.19],
				broadening: 0.008,
			},
			{
				name: "trimer on warped 0.12",
				band: WARPED,
				sites: ring(3, 14, -0.9),
				energies: [-0.03, 0.16],
				broadening: 0.007,
			},
		],
	},
	{
		symmetry: 1,
		share: 12,
		families: [
			{
				name: "unequal dimer",
				band: FREE,
				sites: [
					{ x: -9, y: 0, phase: -1 },
					{ x: 9, y: 0, phase: 0.7 },
				],
				energies: [-0.01, 0.19],
				broadening: 0.006,
			},
			{
				name: "scalene trimer",
				band: FREE,
				sites: [
					{ x: -14, y: -6, phase: 1.2 },
					{ x: 12, y: -9, phase: 0.7 },
					{ x: 3, y: 15, phase: -0.8 },
				],
				energies: [-0.01, 0.19],
				broadening: 0.007,
			},
			{
				name: "unequal dimer on ellipse",
				band: ELLIPSE,
				sites: [
					{ x: -8, y: -9, phase: 1.2 },
					{ x: 8, y: 9, phase: -0.6 },
				],
				energies: [-0.012, 0.02],
				broadening: 0.002,
			},
		],
	},
];

/**
 * The evaluation set: `count` kernels over the symmetry classes (100: 16 isotropic metal, 22 four-fold, 20 two-fold, 18 six-fold, 12 three-fold, 12 one-fold),
 * every family at four energies or more where the count allows. The seed turns the families; each keeps its direction.
 * @throws RangeError for a count below 6, one for each class
 */
export function planKernels(count: number, seed: number): KernelSpec[] {
	if (!Number.isInteger(count) || count < CLASSES.length)
		throw new RangeError(
			`planKernels: expected a whole number of at least ${CLASSES.length} kernels, got ${count}`,
		);
	const total = CLASSES.reduce((sum, { share }) => sum + share, 0);
	const perClass = apportion(
		CLASSES.map(({ share }) => share / total),
		count,
	);
	const specs: KernelSpec[] = [];
	CLASSES.forEach(({ symmetry, families }, c) => {
		const used = Math.min(
			families.length,
			Math.max(1, Math.floor(perClass[c] / 4)),
		);
		const perFamily = apportion(new Array(used).fill(1 / used), perClass[c]);
		for (let f = 0; f < used; f++) {
			const { name, band, sites, energies, broadening } = families[f];
			// streams from 2^16 on belong to the kernels' observations
			const rotation = new Random(seed, c * 64 + f).uniform(0, 2 * Math.PI);
			for (let e = 0; e < perFamily[f]; e++) {
				// a lone energy is taken from the middle
				const place = perFamily[f] > 1 ? e / (perFamily[f] - 1) : 0.5;
				specs.push({
					number: specs.length + 1,
					family: name,
					symmetry,
					energy: energies[0] + place * (energies[1] - energies[0]),
					rotation,
					broadening,
					band,
					sites,
				});
			}
		}
	});
	return specs;
}

/** Whole parts of `count`, at least one each, by largest remainders. */
function apportion(shares: number[], count: number): number[] {
	const parts = shares.map((share) => Math.max(1, Math.floor(share * count)));
	const rest = shares.map((share, i) => ({
		i,
		rest: share * count - parts[i],
	}));
	rest.sort((a, b) => b.rest - a.rest || a.i - b.i);
	let left = count - parts.reduce((sum, part) => sum + part, 0);
	for (let r = 0; left > 0; r = (r + 1) % rest.length, left--)
		parts[rest[r].i]++;
	while (left++ < 0) parts[parts.indexOf(maxOf(parts))]--;
	return parts;
}

/**
 * A kernel like those of the evaluation set, its energy, masses, phases, distances and direction drawn at random: for training on more
 * than the set. `number` only names it.
 */
export function randomKernel(random: Random, number = 1): KernelSpec {
	const { symmetry, families } = CLASSES[random.integer(0, CLASSES.length)];
	const family = families[random.integer(0, families.length)];
	const near = (spread: number) => random.uniform(1 - spread, 1 + spread);
	const band = { ...family.band };
	if ("mass" in band) band.mass *= near(0.1);
	if ("massY" in band) band.massY *= near(0.1);
	if ("warp" in band) band.warp *= near(0.5);
	if ("c4" in band) band.c4 *= near(0.5);
	if ("lambda" in band) band.lambda *= near(0.2);
	if ("gap" in band) band.gap *= near(0.2);
	const size = near(0.3);
	const strength = near(0.4);
	return {
		number,
		family: family.name,
		symmetry,
		energy: random.uniform(...family.energies),
		rotation: random.uniform(0, 2 * Math.PI),
		broadening: family.broadening * random.uniform(1, 1.6),
		band,
		sites: family.sites.map((site) => ({
			...site,
			x: site.x * size,
			y: site.y * size,
			...(typeof site.phase === "number" && { phase: site.phase * strength }),
		})),
	};
}
