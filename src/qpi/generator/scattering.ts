/** Images of many scatterers: plain superposition of their patterns, or full multiple scattering between them. */
import type { Random } from "../../random.ts";
import { RESOLUTION } from "../dataset/format.ts";
import type { Matrix } from "../maths/matrix.ts";
import { orbitals, visibleOrbitals } from "./bands.ts";
import { type KernelModel, tMatrix } from "./kernel.ts";
import { pixelPosition } from "./table.ts";

/** A place on the surface in Angstrom. */
export interface Scatterer {
	x: number;
	y: number;
}

export type Scattering = "linear" | "full";

export interface ObservationOptions {
	/** "linear" (default) adds the patterns; "full" solves the T matrix of all scatterers. */
	scattering?: Scattering;
	/** Relative visibility of each scatterer, 1 by default; multiplies T_ij by sqrt(a_i a_j). */
	amplitudes?: readonly number[];
	/** Drift: the tip's x is off by `shear * y` where it scans line y. */
	shear?: number;
}

/** The pattern of one scatterer at (0, 0): 64 x 64, first index x, drho/rho0. */
export function kernelImage(model: KernelModel): Float32Array {
	return observation(model, [{ x: 0, y: 0 }]);
}

/**
 * Noise-free image of scatterers of one kind, 64 x 64, first index x, drho/rho0. Scatterers may lie outside the field of view.
 * @throws RangeError when `amplitudes` does not name every scatterer, or one is more than 600 A away
 */
export function observation(
	model: KernelModel,
	scatterers: readonly Scatterer[],
	{ scattering = "linear", amplitudes, shear = 0 }: ObservationOptions = {},
): Float32Array {
	if (amplitudes && amplitudes.length !== scatterers.length)
		throw new RangeError(
			`observation: expected ${scatterers.length} amplitudes, one a scatterer, got ${amplitudes.length}`,
		);
	const image = new Float64Array(RESOLUTION * RESOLUTION);
	scatterers.forEach(({ x, y }, s) => {
		model.pattern.addTo(image, x, y, amplitudes?.[s], shear);
	});
	if (scattering === "full" && scatterers.length > 1)
		addMultiple(image, model, scatterers, amplitudes, shear);
	return Float32Array.from(image);
}

/**
 * Adds what multiple scattering changes: `-(1/pi) Im Tr[G (T - T') G]`, T of all sites, T' of each scatterer on its own. One scatterer
 * alone gives exactly the linear image.
 */
function addMultiple(
	image: Float64Array,
	model: KernelModel,
	scatterers: readonly Scatterer[],
	amplitudes: readonly number[] | undefined,
	shear: number,
): void {
	const { spec, cluster } = model;
	const n = orbitals(spec.band);
	const visible = visibleOrbitals(spec.band);
	const places = scatterers.flatMap((scatterer) =>
		model.places.map(({ x, y }) => ({
			x: scatterer.x + x,
			y: scatterer.y + y,
		})),
	);
	const single = scatterers.flatMap(() => model.single);
	const change = tMatrix(places, single, model.source.green);
	const size = change.n;
	scatterers.forEach((_, k) => {
		for (let i = 0; i < cluster.n; i++)
			for (let j = 0; j < cluster.n; j++) {
				const at = (k * cluster.n + i) * size + k * cluster.n + j;
				change.re[at] -= cluster.re[i * cluster.n + j];
				change.im[at] -= cluster.im[i * cluster.n + j];
			}
	});
	if (amplitudes)
		for (let i = 0; i < size; i++)
			for (let j = 0; j < size; j++) {
				const a =
					amplitudes[Math.floor(i / cluster.n)] *
					amplitudes[Math.floor(j / cluster.n)];
				change.re[i * size + j] *= Math.sqrt(a);
				change.im[i * size + j] *= Math.sqrt(a);
			}

	const { image: green } = model.source;
	const g = new Float64Array(2 * n * n);
	const scale = -1 / (Math.PI * model.density);
	const vectors = () =>
		Array.from({ length: visible }, () => ({
			re: new Float64Array(size),
			im: new Float64Array(size),
		}));
	const out = vectors();
	// one orbital: G(-r) = G(r), the way back is the way out
	const back = n === 1 ? out : vectors();
	for (let ix = 0, p = 0; ix < RESOLUTION; ix++)
		for (let iy = 0; iy < RESOLUTION; iy++, p++) {
			const y = pixelPosition(iy);
			const x = pixelPosition(ix) + shear * y;
			places.forEach((place, k) => {
				green(x - place.x, y - place.y, g);
				for (let a = 0; a < visible; a++)
					for (let b = 0; b < n; b++) {
						out[a].re[k * n + b] = g[2 * (a * n + b)];
						out[a].im[k * n + b] = g[2 * (a * n + b) + 1];
					}
				if (n === 1) return;
				green(place.x - x, place.y - y, g);
				for (let a = 0; a < visible; a++)
					for (let b = 0; b < n; b++) {
						back[a].re[k * n + b] = g[2 * (b * n + a)];
						back[a].im[k * n + b] = g[2 * (b * n + a) + 1];
					}
			});
			for (let a = 0; a < visible; a++)
				image[p] += scale * imaginaryForm(change, out[a], back[a]);
		}
}

interface ComplexVector {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

/** Im sum_ij u_i M_ij w_j */
function imaginaryForm(m: Matrix, u: ComplexVector, w: ComplexVector): number {
	let sum = 0;
	for (let i = 0, at = 0; i < m.n; i++) {
		let vr = 0;
		let vi = 0;
		for (let j = 0; j < m.n; j++, at++) {
			vr += m.re[at] * w.re[j] - m.im[at] * w.im[j];
			vi += m.re[at] * w.im[j] + m.im[at] * w.re[j];
		}
		sum += u.re[i] * vi + u.im[i] * vr;
	}
	return sum;
}

export interface PlacementOptions {
	/** Exactly so many; else uniform from `min` to `max`. */
	count?: number;
	min?: number;
	max?: number;
	/** Half the side of the square they lie in, Angstrom. */
	halfWidth?: number;
	/** Angstrom. */
	minDistance?: number;
}

/**
 * Random scatterers, uniform in a square and no closer than `minDistance`.
 * The square's default half is 170 A: four pixels inside the image's edge, so that each scatterer's centre is seen whole, while
 * its pattern is still cut by the edge as in real images. (The reference marks only those within 100 A; ours marks all.)
 * @throws RangeError when they do not fit
 */
export function placeScatterers(
	random: Random,
	{
		count,
		min = 1,
		max = 20,
		halfWidth = 170,
		minDistance = 15,
	}: PlacementOptions = {},
): Scatterer[] {
	const wanted = count ?? random.integer(min, max + 1);
	const places: Scatterer[] = [];
	for (let tries = 0; places.length < wanted; tries++) {
		if (tries === 10000)
			throw new RangeError(
				`placeScatterers: ${wanted} scatterers ${minDistance} A apart do not fit a square of ${2 * halfWidth} A`,
			);
		const x = random.uniform(-halfWidth, halfWidth);
		const y = random.uniform(-halfWidth, halfWidth);
		if (places.every((q) => Math.hypot(q.x - x, q.y - y) >= minDistance))
			places.push({ x, y });
	}
	return places;
}
