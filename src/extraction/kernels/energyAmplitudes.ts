/** Whether scatterers of a stack keep their relative amplitudes at all energies. */
import { cholesky, choleskySolve } from "../../qpi/maths/cholesky.ts";
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { markEquations } from "../marks/markEquations.ts";
import type { MapKernels } from "./furtherImages.ts";
import { misfitOf } from "./refineMap.ts";
import type { SitedMap } from "./sitedMap.ts";

/** An image and the kernels that it was explained with. */
export interface Seen {
	readonly map: SitedMap;
	readonly fit: MapKernels;
}

export interface EnergyAmplitudes {
	/** Whether amplitudes are to change with energy. */
	readonly byEnergy: boolean;
	/** Relative standard deviation of an amplitude about its mean over energies, as the evidence has it best; 0 where it wants none. */
	readonly spread: number;
	/** What the logarithm of the evidence grows by with that spread, over all images that were looked at. */
	readonly gain: number;
	/** How many those were. */
	readonly images: number;
	/** What all energies together ask for, relative change of each scatterer. */
	readonly common: Float64Array;
}

/** Spreads that are tried. */
const SPREADS = [0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.7];
/** A smaller one is what a wrong place or a rough kernel make of an amplitude, and not worth a freedom for every scatterer and energy. */
const LEAST = 0.05;
/** What the evidence has to grow by, for each image: less is what a handful of pixels say. */
const PAYS = 2;
/** What is expected of a change that all energies have in common, relative. */
const COMMON = 0.3;

/**
 * By evidence, kernels taken as known: relative changes d(E) of the amplitudes that are normal with one spread t, about what all energies have in common. With the normal equations
 * A d = b of an energy, in units of its noise, log p grows by `(b^T (A + 1/t^2)^-1 b - log det(1 + t^2 A)) / 2`; the best t is what the data ask for (MacKay, Neural Comput. 4, 415 (1992)).
 */
export function energyAmplitudes(images: readonly Seen[]): EnergyAmplitudes {
	const n = images[0].fit.sites.length;
	const equations = images.map((seen) =>
		amplitudeEquations(seen, seen.fit.sites),
	);
	const sum = { normal: new Float64Array(n * n), toward: new Float64Array(n) };
	for (const { normal, toward } of equations) {
		for (let i = 0; i < n * n; i++) sum.normal[i] += normal[i];
		for (let i = 0; i < n; i++) sum.toward[i] += toward[i];
	}
	const common = regularised(sum, n, COMMON).change;
	const own = equations.map(({ normal, toward }) => ({
		normal,
		toward: toward.map((v, i) => v - rowTimes(normal, n, i, common)),
	}));
	let best = { spread: 0, gain: 0 };
	for (const spread of SPREADS) {
		const gain = own.reduce(
			(all, each) => all + regularised(each, n, spread).gain,
			0,
		);
		if (gain > best.gain) best = { spread, gain };
	}
	const byEnergy =
		images.length > 1 &&
		best.spread >= LEAST &&
		best.gain > PAYS * images.length;
	return { ...best, byEnergy, images: images.length, common };
}

/**
 * The sites with the amplitudes that an image asks for, by a Newton step from those that its kernels were found with; the mean of each kind stays, for it is the kernel's own.
 * @param given the sites whose amplitudes were asked about
 */
export function sitesAt(
	seen: Seen,
	{ spread, common }: EnergyAmplitudes,
	given: readonly Required<Site>[],
): Required<Site>[] {
	const { sites } = seen.fit;
	const n = sites.length;
	const { normal, toward } = amplitudeEquations(seen, given);
	// From the amplitudes that are expected.
	const away = sites.map(({ weight }, j) =>
		given[j].weight === 0 ? 0 : weight / given[j].weight - 1 - common[j],
	);
	const right = toward.map((v, j) => v - away[j] / spread ** 2);
	const { change } = regularised({ normal, toward: right }, n, spread);
	const free = sites.map(({ weight }, j) =>
		Math.max(0, weight + given[j].weight * change[j]),
	);
	const total = (kind: number, weights: readonly number[]) =>
		weights.reduce((a, v, j) => (sites[j].kind === kind ? a + v : a), 0);
	const before = given.map(({ weight }) => weight);
	return sites.map((site, j) => {
		const now = total(site.kind, free);
		const ratio = now === 0 ? 0 : total(site.kind, before) / now;
		return { ...site, weight: ratio > 0 ? free[j] * ratio : site.weight };
	});
}

/** Normal equations of changes of the amplitudes relative to given ones, symmetric n x n, in units of the noise. */
function amplitudeEquations(
	{ map, fit }: Seen,
	given: readonly Required<Site>[],
): { normal: Float64Array; toward: Float64Array } {
	const { sites, kernels, size, sigma } = fit;
	const { rest, weights } = misfitOf(map, fit);
	const { nx, ny } = map;
	const all = markEquations(
		{ nx, ny, rest: Float64Array.from(rest), weights, kernels, size, sigma },
		sites,
	);
	const n = sites.length;
	const normal = new Float64Array(n * n);
	for (let j = 0; j < n; j++)
		for (let i = 0; i <= j; i++) {
			const value =
				all.normal[9 * j * n + 3 * i] * given[j].weight * given[i].weight;
			normal[j * n + i] = value;
			normal[i * n + j] = value;
		}
	const toward = Float64Array.from(
		given,
		({ weight }, j) => weight * all.toward[3 * j],
	);
	return { normal, toward };
}

/** Changes of a spread that is expected, and what they add to the logarithm of the evidence. */
function regularised(
	{ normal, toward }: { normal: Float64Array; toward: Float64Array },
	n: number,
	spread: number,
): { change: Float64Array; gain: number } {
	const matrix = normal.map((v) => v * spread ** 2);
	for (let i = 0; i < n; i++) matrix[i * (n + 1)] += 1;
	const root = cholesky(matrix, n);
	const change = choleskySolve(root, n, toward).map((v) => v * spread ** 2);
	let gain = 0;
	for (let i = 0; i < n; i++)
		gain += (toward[i] * change[i]) / 2 - Math.log(root[i * (n + 1)]);
	return { change, gain };
}

const rowTimes = (
	matrix: Float64Array,
	n: number,
	row: number,
	x: Float64Array,
): number => {
	let sum = 0;
	for (let i = 0; i < n; i++) sum += matrix[row * n + i] * x[i];
	return sum;
};
