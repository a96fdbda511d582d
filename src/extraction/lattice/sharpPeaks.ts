/** Sharp maxima of a scan's power spectrum. */
import { ranked, type Scan } from "../scan/scan.ts";
import type { Vector } from "./lattice.ts";
import { powerOf } from "./power.ts";

export interface SharpPeak extends Vector {
	/** Power over that of what lies around it and of what is as fast. */
	readonly contrast: number;
	readonly power: number;
}

/** Fewer periods across the scan make no lattice. */
export const PERIODS = 8;
/** Of a peak's |q|: shorter ones it is not compared with. */
const SHORT = 0.7;
/** Bins about a peak: its own, and the ring it is compared with; */
const OWN = 2;
const RING = [6, 11] as const;
/** Local maxima of the power, summed over a few bins, with what they stand out of. Of q and -q one. */
export function sharpPeaks(
	scan: Scan,
	counts: ArrayLike<number>,
	wider: number,
): SharpPeak[] {
	const reach = OWN * wider;
	const { nx, ny, spacing } = scan;
	const { power, wx, wy } = powerOf(scan, counts);
	const at = (kx: number, ky: number) =>
		power[((kx + wx) % wx) * wy + ((ky + wy) % wy)];
	const [sx, sy] = [
		(2 * Math.PI) / (wx * spacing.x),
		(2 * Math.PI) / (wy * spacing.y),
	];
	const [hx, hy] = [Math.floor((wx - 1) / 2), Math.floor((wy - 1) / 2)];
	const least =
		(2 * Math.PI * PERIODS) / Math.min(nx * spacing.x, ny * spacing.y);
	/** Sum over the bins about each, kx >= 0. */
	const sums = new Float64Array((hx + 1) * wy);
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			let sum = 0;
			for (let i = -reach; i <= reach; i++)
				for (let j = -reach; j <= reach; j++) sum += at(kx + i, ky + j);
			sums[kx * wy + ((ky + wy) % wy)] = sum;
		}
	const sumAt = (kx: number, ky: number) => {
		const [i, j] = kx < 0 ? [-kx, -ky] : [kx, ky];
		return i > hx ? Number.NaN : sums[i * wy + ((j + wy) % wy)];
	};
	const speed = speeds(sums, { wy, hx, hy, sx, sy });
	const out: SharpPeak[] = [];
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			if (kx === 0 && ky <= 0) continue;
			const q = Math.hypot(kx * sx, ky * sy);
			if (q < least) continue;
			const own = sumAt(kx, ky);
			const as = speed(q);
			if (!(own > 3 * as)) continue;
			let highest = true;
			for (let i = -reach; i <= reach && highest; i++)
				for (let j = -reach; j <= reach; j++)
					if (sumAt(kx + i, ky + j) > own) highest = false;
			if (!highest) continue;
			const around = ringOf(
				sumAt,
				kx,
				ky,
				wider,
				(i, j) => Math.hypot(i * sx, j * sy) > SHORT * q,
			);
			const contrast = own / Math.max(around, as, 1e-300);
			const [mx, my] = centroid(at, kx, ky, reach);
			out.push({ x: mx * sx, y: my * sy, contrast, power: own });
		}
	return out;
}

/** Median of the sums of bins that are as fast, by |q|. */
function speeds(
	sums: Float64Array,
	{ wy, hx, hy, sx, sy }: Record<"wy" | "hx" | "hy" | "sx" | "sy", number>,
): (q: number) => number {
	const width = 6 * Math.max(sx, sy);
	const bands: number[][] = [];
	for (let kx = 0; kx <= hx; kx++)
		for (let ky = -hy; ky <= hy; ky++) {
			const band = Math.floor(Math.hypot(kx * sx, ky * sy) / width);
			bands[band] ??= [];
			bands[band].push(sums[kx * wy + ((ky + wy) % wy)]);
		}
	const medians = bands.map((values) =>
		ranked(Float64Array.from(values), values.length >> 1),
	);
	return (q) => medians[Math.floor(q / width)] ?? Number.POSITIVE_INFINITY;
}

/** What nine tenths of the sums in a ring about a peak stay below, but for wave vectors that are much shorter: ripples have those. */
function ringOf(
	sumAt: (kx: number, ky: number) => number,
	kx: number,
	ky: number,
	wider: number,
	fast: (kx: number, ky: number) => boolean,
): number {
	const values: number[] = [];
	const [inner, outer] = RING.map((r) => r * wider);
	for (let i = -outer; i <= outer; i++)
		for (let j = -outer; j <= outer; j++) {
			const d = Math.hypot(i, j);
			if (d < inner || d > outer || !fast(kx + i, ky + j)) continue;
			const sum = sumAt(kx + i, ky + j);
			if (Number.isFinite(sum)) values.push(sum);
		}
	return ranked(Float64Array.from(values), Math.floor(0.9 * values.length));
}

/** The centre of a peak's power, in bins. */
function centroid(
	at: (kx: number, ky: number) => number,
	kx: number,
	ky: number,
	reach: number,
): [number, number] {
	let [sum, x, y] = [0, 0, 0];
	for (let i = -reach; i <= reach; i++)
		for (let j = -reach; j <= reach; j++) {
			const p = at(kx + i, ky + j);
			[sum, x, y] = [sum + p, x + p * i, y + p * j];
		}
	return [kx + x / sum, ky + y / sum];
}
