/** The first Brillouin zone of a two-dimensional lattice. */
import { length, type Pair, reduced, type Vector } from "./lattice.ts";

/**
 * The Wigner-Seitz cell of the reciprocal lattice about q = 0: the places nearer to 0 than to any other of its points.
 * @param pair two vectors that span the reciprocal lattice, 1/Angstrom
 * @returns its 4 or 6 corners, counter-clockwise, 1/Angstrom
 */
export function firstZone(pair: Pair): Vector[] {
	// Of shortest vectors, no point further than these bounds the cell.
	const [p, q] = reduced(pair);
	const bounds = [-1, 0, 1].flatMap((h) =>
		[-1, 0, 1].flatMap((k) =>
			h || k ? [{ x: h * p.x + k * q.x, y: h * p.y + k * q.y }] : [],
		),
	);
	const far = 2 * (length(p) + length(q));
	let corners: Vector[] = [
		{ x: -far, y: -far },
		{ x: far, y: -far },
		{ x: far, y: far },
		{ x: -far, y: far },
	];
	for (const g of bounds) corners = nearer(corners, g);
	// Bounds that only touch a corner leave it twice.
	return corners.filter(({ x, y }, i) => {
		const next = corners[(i + 1) % corners.length];
		return Math.hypot(next.x - x, next.y - y) > 1e-6 * far;
	});
}

/** What of a convex polygon is nearer to 0 than to g. */
function nearer(corners: readonly Vector[], g: Vector): Vector[] {
	const beyond = ({ x, y }: Vector) => x * g.x + y * g.y - length(g) ** 2 / 2;
	return corners.flatMap((from, i) => {
		const to = corners[(i + 1) % corners.length];
		const [a, b] = [beyond(from), beyond(to)];
		const at = a / (a - b);
		const cut = {
			x: from.x + at * (to.x - from.x),
			y: from.y + at * (to.y - from.y),
		};
		return [...(a <= 0 ? [from] : []), ...(a < 0 !== b < 0 ? [cut] : [])];
	});
}
