/** Smooth fields on coarse nodes across a scan, and Gaussian means of images there. */
import type { Scan } from "../scan/scan.ts";

/** Where the nodes are: node (i, j) of nx x ny lies at ((i - (nx - 1) / 2) step, (j - (ny - 1) / 2) step), Angstrom from the scan's centre. */
export interface Nodes {
	readonly nx: number;
	readonly ny: number;
	readonly step: number;
}

type Frame = Omit<Scan, "image">;

/** Nodes that reach the edges of a scan. */
export function nodesOf({ nx, ny, spacing }: Frame, step: number): Nodes {
	const most = (side: number) => Math.max(2, Math.ceil(side / step) + 1);
	return { nx: most(nx * spacing.x), ny: most(ny * spacing.y), step };
}

interface Reach {
	readonly first: number;
	readonly weights: Float64Array;
}

/** Gaussian weights of the pixels about each node along one axis, out to four standard deviations. */
function reaches(
	n: number,
	dx: number,
	nodes: number,
	step: number,
	sigma: number,
): Reach[] {
	return Array.from({ length: nodes }, (_, i) => {
		const at = ((i - (nodes - 1) / 2) * step) / dx + (n - 1) / 2;
		const reach = (4 * sigma) / dx;
		const first = Math.max(0, Math.ceil(at - reach));
		const last = Math.min(n - 1, Math.floor(at + reach));
		return {
			first,
			weights: Float64Array.from(
				{ length: Math.max(0, last - first + 1) },
				(_, k) => Math.exp(-0.5 * (((first + k - at) * dx) / sigma) ** 2),
			),
		};
	});
}

/** Sums of images at the nodes, weighted by a Gaussian of this standard deviation (Angstrom). Along x, then along y. */
export function gaussianSums(
	images: readonly Float64Array[],
	{ nx, ny, spacing }: Frame,
	nodes: Nodes,
	sigma: number,
): Float64Array[] {
	const across = reaches(nx, spacing.x, nodes.nx, nodes.step, sigma);
	const along = reaches(ny, spacing.y, nodes.ny, nodes.step, sigma);
	return images.map((image) => {
		const out = new Float64Array(nodes.nx * nodes.ny);
		const line = new Float64Array(ny);
		across.forEach(({ first, weights }, i) => {
			line.fill(0);
			weights.forEach((w, k) => {
				const from = (first + k) * ny;
				for (let iy = 0; iy < ny; iy++) line[iy] += w * image[from + iy];
			});
			along.forEach(({ first: start, weights: ws }, j) => {
				let sum = 0;
				for (let k = 0; k < ws.length; k++) sum += ws[k] * line[start + k];
				out[i * nodes.ny + j] = sum;
			});
		});
		return out;
	});
}

/** Weights of the four nodes about a place t beyond the second of them (Catmull and Rom, 1974): straight lines stay straight. */
function cubic(t: number, out: Float64Array): void {
	out[0] = t * (-0.5 + t * (1 - 0.5 * t));
	out[1] = 1 + t * t * (1.5 * t - 2.5);
	out[2] = t * (0.5 + t * (2 - 1.5 * t));
	out[3] = t * t * (0.5 * t - 0.5);
}

/** Of both axes. */
const TAPS = [new Float64Array(4), new Float64Array(4)] as const;

/** A field's value at a place (Angstrom from the centre) between its nodes; beyond them it goes on as it is at the edge. */
export function valueAt(
	field: Float64Array,
	{ nx, ny, step }: Nodes,
	x: number,
	y: number,
): number {
	const [px, py] = [
		Math.max(0, Math.min(nx - 1, x / step + (nx - 1) / 2)),
		Math.max(0, Math.min(ny - 1, y / step + (ny - 1) / 2)),
	];
	const [ix, iy] = [
		Math.min(nx - 2, Math.floor(px)),
		Math.min(ny - 2, Math.floor(py)),
	];
	cubic(px - ix, TAPS[0]);
	cubic(py - iy, TAPS[1]);
	let sum = 0;
	for (let i = 0; i < 4; i++) {
		const row = ix + i - 1;
		let part = 0;
		for (let j = 0; j < 4; j++)
			part += TAPS[1][j] * nodeAt(field, nx, ny, row, iy + j - 1);
		sum += TAPS[0][i] * part;
	}
	return sum;
}

/** A node's value; one step beyond the edge it goes on in a straight line. */
function nodeAt(
	field: Float64Array,
	nx: number,
	ny: number,
	i: number,
	j: number,
): number {
	if (i < 0)
		return 2 * nodeAt(field, nx, ny, 0, j) - nodeAt(field, nx, ny, 1, j);
	if (i >= nx)
		return (
			2 * nodeAt(field, nx, ny, nx - 1, j) - nodeAt(field, nx, ny, nx - 2, j)
		);
	if (j < 0) return 2 * field[i * ny] - field[i * ny + 1];
	if (j >= ny) return 2 * field[i * ny + ny - 1] - field[i * ny + ny - 2];
	return field[i * ny + j];
}

/** A field at all pixels of a scan. */
export function atPixels(
	field: Float64Array,
	nodes: Nodes,
	{ nx, ny, spacing }: Frame,
): Float64Array {
	const out = new Float64Array(nx * ny);
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++)
			out[ix * ny + iy] = valueAt(
				field,
				nodes,
				(ix - (nx - 1) / 2) * spacing.x,
				(iy - (ny - 1) / 2) * spacing.y,
			);
	return out;
}

/** Steps of the relaxation below: enough for holes of some twenty nodes. */
const SWEEPS = 400;

/** The field with the nodes that are not `good` as smooth as their neighbours allow (Laplace's equation, by over-relaxation); a copy. */
export function bridged(
	field: Float64Array,
	good: ArrayLike<number>,
	{ nx, ny }: Nodes,
): Float64Array {
	const out = field.slice();
	let [sum, count] = [0, 0];
	field.forEach((v, p) => {
		if (good[p]) [sum, count] = [sum + v, count + 1];
	});
	const bad: number[] = [];
	out.forEach((_, p) => {
		if (good[p]) return;
		bad.push(p);
		out[p] = count > 0 ? sum / count : 0;
	});
	if (count === 0 || bad.length === 0) return out;
	for (let sweep = 0; sweep < SWEEPS; sweep++)
		for (const p of bad) {
			const [i, j] = [Math.floor(p / ny), p % ny];
			let [total, n] = [0, 0];
			if (i > 0) [total, n] = [total + out[p - ny], n + 1];
			if (i < nx - 1) [total, n] = [total + out[p + ny], n + 1];
			if (j > 0) [total, n] = [total + out[p - 1], n + 1];
			if (j < ny - 1) [total, n] = [total + out[p + 1], n + 1];
			out[p] += 1.6 * (total / n - out[p]);
		}
	return out;
}
