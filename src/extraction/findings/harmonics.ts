/**
 * Angular harmonics of a kernel, `a_m(r) = mean over theta of K(r, theta) exp(-i m theta)` on rings one pixel apart. White noise spreads evenly over all m, up to 80 of them in a ring, whereas a band's or a cluster's
 * anisotropy is in the lowest: so a harmonic shows long before the residual of the whole image after symmetrisation does.
 */
import { sampler } from "./rotate.ts";

/** Harmonics that are judged. */
export const HARMONICS = 12;
/** Points on the widest rings; half or a quarter of them on those that hold no harmonics for more. Divisible by all orders. */
const POINTS = 192;

/** A ring of r pixels holds harmonics up to pi r: these must not be taken for the ones that are judged. */
const pointsOn = (r: number) =>
	[POINTS / 4, POINTS / 2].find((n) => n >= Math.PI * r + HARMONICS) ?? POINTS;

/** The ripples: the rings that are judged, in pixels about a centre. */
export interface Zone {
	/** Side of the image. */
	readonly n: number;
	/** Where the core ends: zero within, all of the kernel RAMP further out. */
	readonly core: number;
	/** Where the kernel ends: zero outside, all of it RAMP further in. */
	readonly end: number;
	/** The scatterer's place from the middle of the image. */
	readonly centre: readonly [number, number];
	/** Radii of the rings. */
	readonly radii: readonly number[];
}

/** Pixels over which the zone's rims are smoothed, as far as there is room: the interpolation rings at a sharp one. */
const RAMP = 3;

export function zoneOf(
	n: number,
	core: number,
	end: number,
	centre: readonly [number, number] = [0, 0],
): Zone {
	const first = Math.ceil(core + 0.5);
	const last = Math.floor(end - 1);
	return {
		n,
		core,
		end,
		centre,
		radii: Array.from({ length: last - first + 1 }, (_, k) => first + k),
	};
}

/** What is left of the kernel at r pixels from the centre. */
export function weightAt({ core, end }: Zone, r: number): number {
	const ramp = Math.min(RAMP, (end - core) / 4);
	const edge = (x: number) =>
		Math.sin((Math.PI / 2) * Math.min(1, Math.max(0, x / ramp))) ** 2;
	return edge(r - core) * edge(end - r);
}

/** The zone's rings of a kernel, the rest of it taken off pixel by pixel before the interpolation, so that no core rings in the ripples. */
export function ripples(kernel: ArrayLike<number>, zone: Zone): Float64Array[] {
	const { n, centre } = zone;
	const middle = (n - 1) / 2;
	const image = Float64Array.from({ length: n * n }, (_, p) => {
		const x = Math.floor(p / n) - middle - centre[0];
		const y = (p % n) - middle - centre[1];
		return kernel[p] * weightAt(zone, Math.sqrt(x * x + y * y));
	});
	return polar(image, n, zone.radii, centre);
}

/** Values on rings of these radii (pixels). */
export function polar(
	kernel: ArrayLike<number>,
	n: number,
	radii: readonly number[],
	centre: readonly [number, number] = [0, 0],
): Float64Array[] {
	const at = sampler(kernel, n);
	const [x, y] = centre.map((c) => c + (n - 1) / 2);
	return radii.map((r) => {
		const points = pointsOn(r);
		return Float64Array.from({ length: points }, (_, i) => {
			const t = (i * POINTS) / points;
			return at(
				x + r * COSINE[t],
				y + r * COSINE[(t + (3 * POINTS) / 4) % POINTS],
			);
		});
	});
}

export interface Waves {
	readonly re: Float64Array;
	readonly im: Float64Array;
}

const COSINE = Float64Array.from({ length: POINTS }, (_, t) =>
	Math.cos((2 * Math.PI * t) / POINTS),
);

/** a_0 ... a_12 of a ring. */
export function harmonicsOf(ring: ArrayLike<number>): Waves {
	const re = new Float64Array(HARMONICS + 1);
	const im = new Float64Array(HARMONICS + 1);
	const stride = POINTS / ring.length;
	for (let m = 0; m <= HARMONICS; m++)
		for (let t = 0; t < ring.length; t++) {
			const value = ring[t] / ring.length;
			const at = m * t * stride;
			re[m] += value * COSINE[at % POINTS];
			// sin x = cos(x - a quarter turn)
			im[m] -= value * COSINE[(at + (3 * POINTS) / 4) % POINTS];
		}
	return { re, im };
}

/** Mean of ring(theta) ring(theta + 2 pi / order). */
export function overlap(ring: Float64Array, order: number): number {
	const { length } = ring;
	const shift = length / order;
	let sum = 0;
	for (let t = 0; t < length; t++) sum += ring[t] * ring[(shift + t) % length];
	return sum / length;
}

export const meanSquare = (ring: Float64Array): number => overlap(ring, 1);
