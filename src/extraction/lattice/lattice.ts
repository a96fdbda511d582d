/** Two-dimensional lattices and their reciprocal ones; Angstrom and 1/Angstrom, q = 2 pi / wavelength. */

export interface Vector {
	readonly x: number;
	readonly y: number;
}

/** A lattice by the lengths of its primitive vectors (Angstrom) and the angle between them (degrees). */
export interface Lattice {
	readonly a: number;
	readonly b: number;
	readonly angle: number;
}

/** Two vectors that span a lattice. */
export type Pair = readonly [Vector, Vector];

/** Rows (xx, xy), (yx, yy): (x, y) becomes (xx x + xy y, yx x + yy y). */
export interface Matrix {
	readonly xx: number;
	readonly xy: number;
	readonly yx: number;
	readonly yy: number;
}

export const IDENTITY: Matrix = { xx: 1, xy: 0, yx: 0, yy: 1 };

export const times = (m: Matrix, { x, y }: Vector): Vector => ({
	x: m.xx * x + m.xy * y,
	y: m.yx * x + m.yy * y,
});

export const product = (m: Matrix, n: Matrix): Matrix => ({
	xx: m.xx * n.xx + m.xy * n.yx,
	xy: m.xx * n.xy + m.xy * n.yy,
	yx: m.yx * n.xx + m.yy * n.yx,
	yy: m.yx * n.xy + m.yy * n.yy,
});

/** Throws RangeError where there is none. */
export function inverse({ xx, xy, yx, yy }: Matrix): Matrix {
	const det = xx * yy - xy * yx;
	if (!(Math.abs(det) > 1e-9 * (xx ** 2 + xy ** 2 + yx ** 2 + yy ** 2)))
		throw new RangeError("lattice: its two vectors lie on one line");
	return { xx: yy / det, xy: -xy / det, yx: -yx / det, yy: xx / det };
}

/** The vectors as rows: applied to r it gives both scalar products. */
export const rows = ([p, q]: Pair): Matrix => ({
	xx: p.x,
	xy: p.y,
	yx: q.x,
	yy: q.y,
});

export const rotation = (angle: number): Matrix => {
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	return { xx: c, xy: -s, yx: s, yy: c };
};

export const length = ({ x, y }: Vector): number => Math.hypot(x, y);

/** The pair p, q with p_i . a_j = 2 pi delta_ij: the reciprocal lattice's of a lattice's, and the other way round. */
export function reciprocal(pair: Pair): Pair {
	const { xx, xy, yx, yy } = inverse(rows(pair));
	const turn = 2 * Math.PI;
	return [
		{ x: turn * xx, y: turn * yx },
		{ x: turn * xy, y: turn * yy },
	];
}

/** The primitive vectors, a along x, b to its left (or to its right: `mirrored`). */
export function vectorsOf({ a, b, angle }: Lattice, mirrored = false): Pair {
	const phi = ((mirrored ? -angle : angle) * Math.PI) / 180;
	return [
		{ x: a, y: 0 },
		{ x: b * Math.cos(phi), y: b * Math.sin(phi) },
	];
}

/** Lengths and angle of two primitive vectors. */
export function latticeOf([p, q]: Pair): Lattice {
	const [a, b] = [length(p), length(q)];
	const cos = (p.x * q.x + p.y * q.y) / (a * b);
	return {
		...{ a, b },
		angle: (180 / Math.PI) * Math.acos(Math.max(-1, Math.min(1, cos))),
	};
}

/** The shortest vectors that span the same lattice (Lagrange's reduction), at an angle of 90 degrees or less. */
export function reduced([p, q]: Pair): Pair {
	let [short, long] = length(p) <= length(q) ? [p, q] : [q, p];
	for (;;) {
		const n = Math.round(
			(short.x * long.x + short.y * long.y) / length(short) ** 2,
		);
		if (n === 0) break;
		long = { x: long.x - n * short.x, y: long.y - n * short.y };
		if (length(long) >= length(short)) break;
		[short, long] = [long, short];
	}
	const sign = short.x * long.x + short.y * long.y < 0 ? -1 : 1;
	return [short, { x: sign * long.x, y: sign * long.y }];
}

/** "3.800 x 3.800 A, 90.0 degrees" */
export const describeLattice = ({ a, b, angle }: Lattice): string =>
	`${a.toFixed(3)} x ${b.toFixed(3)} A, ${angle.toFixed(1)} degrees`;

/** Throws RangeError where it is none. */
export function checkLattice({ a, b, angle }: Lattice): void {
	if (!(a > 0 && b > 0 && a < 1e4 && b < 1e4))
		throw new RangeError(
			`lattice: found sides of ${a} and ${b} A, expected two above 0`,
		);
	if (!(angle >= 20 && angle <= 160))
		throw new RangeError(
			`lattice: found an angle of ${angle} degrees, expected 20 to 160`,
		);
}
