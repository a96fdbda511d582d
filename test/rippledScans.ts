/** Scans as microscopes give them, with their truth: ripples about scatterers, and all that stands in the way. Formulas of their own, not the generator's. */
import type { Scan } from "../src/extraction/preprocess.ts";
import { Random } from "../src/random.ts";

export interface Features {
	readonly seed: number;
	readonly nx?: number;
	readonly ny?: number;
	/** Angstrom a pixel. */
	readonly dx?: number;
	readonly dy?: number;
	readonly scatterers?: number;
	/** Over the ripples' standard deviation, as all heights here. */
	readonly noise?: number;
	/** Height of an adatom, some 8 A wide, at each scatterer. */
	readonly adatoms?: number;
	/** Order and height of a polynomial background. */
	readonly order?: number;
	readonly background?: number;
	readonly clusters?: number;
	/** Heights of steps across the scan. */
	readonly steps?: readonly number[];
	/** Rows at the bottom that are NaN. */
	readonly missing?: number;
}

export interface RippledScan {
	readonly scan: Scan;
	/** Ripples and adatoms alone, the ripples of standard deviation 1. */
	readonly signal: Float32Array;
	readonly scatterers: readonly { readonly x: number; readonly y: number }[];
	/** 1 on a cluster. */
	readonly cluster: Uint8Array;
	/** The number of the terrace. */
	readonly terrace: Uint8Array;
}

export function rippledScan({
	seed,
	nx = 160,
	ny = nx,
	dx = 2.5,
	dy = dx,
	scatterers: count = 30,
	noise = 0.2,
	adatoms = 0,
	order = 0,
	background = 0,
	clusters = 0,
	steps = [],
	missing = 0,
}: Features): RippledScan {
	const random = new Random(seed);
	const [width, height] = [nx * dx, ny * dy];
	const anywhere = (share: number) => ({
		x: random.uniform(-share / 2, share / 2) * width,
		y: random.uniform(-share / 2, share / 2) * height,
	});
	const scatterers = Array.from({ length: count }, () => anywhere(1));
	const blobs = Array.from({ length: clusters }, () => ({
		...anywhere(0.8),
		radius: random.uniform(12, 22),
	}));
	// Of each order's terms one holds at least half of the height.
	const terms = Array.from({ length: order }, (_, n) =>
		Array.from({ length: n + 2 }, (_, a) => ({
			a,
			b: n + 1 - a,
			c: background * (a === n + 1 ? 0.75 : random.uniform(-0.5, 0.5)),
		})),
	).flat();
	const at = (f: (x: number, y: number) => number) =>
		Float32Array.from({ length: nx * ny }, (_, p) =>
			f(
				(Math.floor(p / ny) - (nx - 1) / 2) * dx,
				((p % ny) - (ny - 1) / 2) * dy,
			),
		);
	const waves = at((x, y) =>
		scatterers.reduce((sum, s) => {
			const r = Math.hypot(x - s.x, y - s.y);
			return (
				sum +
				(Math.cos(0.22 * r + 0.6) * Math.exp(-r / 50)) / Math.sqrt(1 + r / 5)
			);
		}, 0),
	);
	const power = waves.reduce((sum, v) => sum + v * v, 0) / waves.length;
	const cores = at((x, y) =>
		scatterers.reduce(
			(sum, s) => sum + Math.exp(-((x - s.x) ** 2 + (y - s.y) ** 2) / 32),
			0,
		),
	);
	const signal = waves.map((v, p) => v / Math.sqrt(power) + adatoms * cores[p]);
	const terrace = new Uint8Array(nx * ny);
	const cluster = new Uint8Array(nx * ny);
	let p = 0;
	const image = at((x, y) => {
		let z = signal[p] + noise * random.normal();
		for (const { a, b, c } of terms)
			z += c * ((2 * x) / width) ** a * ((2 * y) / height) ** b;
		steps.forEach((step, k) => {
			const middle = ((k + 1) / (steps.length + 1) - 0.5) * 0.9 * width;
			const d = x + 0.4 * y + 6 * Math.sin(y / 40) - middle;
			z += step / (1 + Math.exp(-d / 2));
			if (d > 0) terrace[p]++;
		});
		for (const blob of blobs) {
			const d = Math.hypot(x - blob.x, y - blob.y) - blob.radius;
			z += 60 / (1 + Math.exp(d / 2));
			if (d < 2) cluster[p] = 1;
		}
		return p++ % ny < missing ? Number.NaN : z;
	});
	const scan = { image, nx, ny, spacing: { x: dx, y: dy } };
	return { scan, signal, scatterers, cluster, terrace };
}

/** Power of what differs from the signal (but for a constant) over the signal's, where `counts` is 1: noise alone has its square. */
export function errorOf(
	image: Float32Array,
	signal: Float32Array,
	counts: Float32Array,
): number {
	let [n, sumA, sumB] = [0, 0, 0];
	counts.forEach((c, p) => {
		if (c < 1) return;
		n++;
		sumA += image[p];
		sumB += signal[p];
	});
	let [off, all] = [0, 0];
	counts.forEach((c, p) => {
		if (c < 1) return;
		const b = signal[p] - sumB / n;
		off += (image[p] - sumA / n - b) ** 2;
		all += b * b;
	});
	return off / all;
}
