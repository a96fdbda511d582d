/** Scans of an atomic lattice, with ripples, as a microscope distorts them; what is true of each place is known. */
import {
	type Lattice,
	reciprocal,
	rotation,
	times,
	type Vector,
	vectorsOf,
} from "../src/extraction/lattice/lattice.ts";
import type { Scan } from "../src/extraction/scan/scan.ts";
import { Random } from "../src/random.ts";

export interface Atoms {
	readonly lattice: Lattice;
	readonly seed?: number;
	readonly nx?: number;
	readonly ny?: number;
	readonly dx?: number;
	readonly noise?: number;
	/** Of each of the lattice's waves; the ripples' standard deviation is 1. */
	readonly height?: number;
	/** Radians. */
	readonly turned?: number;
	/** Angstrom at most; 0: the lattice is only sheared. */
	readonly drift?: number;
	readonly sheared?: boolean;
	readonly shift?: Vector;
}

/** A scan, where each of its places (Angstrom) lies in the perfect lattice, and its scatterers in its own frame. */
export function latticeScan({
	lattice,
	seed = 3,
	nx = 160,
	ny = nx,
	dx = 1,
	noise = 0.3,
	height = 0.6,
	turned = 0.3,
	drift = 2,
	sheared = true,
	shift = { x: 0, y: 0 },
}: Atoms): {
	scan: Scan;
	perfect: (r: Vector) => Vector;
	scatterers: Vector[];
} {
	const [g, h] = reciprocal(vectorsOf(lattice)).map((v) =>
		times(rotation(turned), v),
	);
	const hexagonal = Math.abs(Math.abs(lattice.angle - 90) - 30) < 1;
	const waves = [g, h];
	if (hexagonal)
		waves.push(
			lattice.angle > 90
				? { x: h.x - g.x, y: h.y - g.y }
				: { x: h.x + g.x, y: h.y + g.y },
		);
	const side = nx * dx;
	const turn = 2 * Math.PI;
	const perfect = ({ x, y }: Vector): Vector => ({
		x:
			x +
			(sheared ? 0.01 * x + 0.03 * y : 0) +
			shift.x +
			drift * Math.sin((turn * y) / (1.3 * side) + 0.4) +
			0.5 * drift * Math.cos((turn * x) / (1.2 * side)),
		y:
			y -
			(sheared ? 0.02 * y : 0) +
			shift.y +
			0.7 * drift * Math.sin((turn * (x + y)) / (1.6 * side)),
	});
	const random = new Random(seed);
	const scatterers = Array.from({ length: 20 }, () => ({
		x: random.uniform(-0.45, 0.45) * nx * dx,
		y: random.uniform(-0.45, 0.45) * ny * dx,
	}));
	const places = Array.from({ length: nx * ny }, (_, p) =>
		perfect({
			x: (Math.floor(p / ny) - (nx - 1) / 2) * dx,
			y: ((p % ny) - (ny - 1) / 2) * dx,
		}),
	);
	const ripples = places.map(({ x, y }) =>
		scatterers.reduce(
			(sum, s) => sum + ripple(Math.hypot(x - s.x, y - s.y)),
			0,
		),
	);
	const rms = Math.hypot(...ripples) / Math.sqrt(nx * ny);
	const image = Float32Array.from(
		places,
		({ x, y }, p) =>
			ripples[p] / rms +
			noise * random.normal() +
			height * waves.reduce((s, q) => s + Math.cos(q.x * x + q.y * y), 0),
	);
	const scan = { image, nx, ny, spacing: { x: dx, y: dx } };
	return {
		scan,
		perfect,
		scatterers: scatterers.map((s) => scanned(s, perfect)),
	};
}

/** A scatterer's pattern at a distance (Angstrom). */
export const ripple = (r: number): number =>
	(Math.cos(0.7 * r + 0.4) * Math.exp(-r / 30)) / Math.sqrt(r / 5 + 1);

/** The place of a scan that lies at a place of the perfect lattice. */
function scanned(place: Vector, perfect: (r: Vector) => Vector): Vector {
	let r = place;
	for (let turn = 0; turn < 50; turn++) {
		const now = perfect(r);
		r = { x: r.x + place.x - now.x, y: r.y + place.y - now.y };
	}
	return r;
}

/**
 * How far places are from where they should be (root mean square and the most, Angstrom) after the best shift and turn, or, where the lattice's size is not
 * known, after the best linear map.
 */
export function misplaced(
	found: (r: Vector) => Vector,
	perfect: (r: Vector) => Vector,
	{ nx, ny, spacing }: Omit<Scan, "image">,
	freedom: "rigid" | "linear",
): { rms: number; most: number } {
	const places: Vector[] = [];
	for (let ix = 2; ix < nx - 2; ix += 6)
		for (let iy = 2; iy < ny - 2; iy += 6)
			places.push({
				x: (ix - (nx - 1) / 2) * spacing.x,
				y: (iy - (ny - 1) / 2) * spacing.y,
			});
	const centred = (at: Vector[]) => {
		const n = at.length;
		const [mx, my] = [
			at.reduce((s, v) => s + v.x / n, 0),
			at.reduce((s, v) => s + v.y / n, 0),
		];
		return at.map(({ x, y }) => ({ x: x - mx, y: y - my }));
	};
	const got = centred(places.map(found));
	const want = centred(places.map(perfect));
	const sum = (f: (a: Vector, b: Vector) => number) =>
		got.reduce((s, a, i) => s + f(a, want[i]), 0);
	const off = (map: (v: Vector) => Vector) => {
		const distances = got.map((a, i) => {
			const b = map(want[i]);
			return Math.hypot(a.x - b.x, a.y - b.y);
		});
		return {
			rms: Math.sqrt(distances.reduce((s, d) => s + d * d, 0) / got.length),
			most: Math.max(...distances),
		};
	};
	if (freedom === "rigid") {
		const angle = Math.atan2(
			sum((a, b) => b.x * a.y - b.y * a.x),
			sum((a, b) => b.x * a.x + b.y * a.y),
		);
		return off((v) => times(rotation(angle), v));
	}
	const [xx, xy, yy] = [
		sum((_, b) => b.x * b.x),
		sum((_, b) => b.x * b.y),
		sum((_, b) => b.y * b.y),
	];
	const det = xx * yy - xy * xy;
	const row = (f: (a: Vector) => number) => {
		const [p, q] = [sum((a, b) => f(a) * b.x), sum((a, b) => f(a) * b.y)];
		return [(p * yy - q * xy) / det, (q * xx - p * xy) / det];
	};
	const [mx, my] = [row((a) => a.x), row((a) => a.y)];
	return off(({ x, y }) => ({
		x: mx[0] * x + mx[1] * y,
		y: my[0] * x + my[1] * y,
	}));
}
