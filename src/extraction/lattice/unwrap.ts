/** Phases without their jumps of 2 pi. */

const TURN = 2 * Math.PI;

/** To -pi ... pi. */
export const wrapped = (phase: number): number =>
	phase - TURN * Math.round(phase / TURN);

/**
 * Phases on nx x ny nodes (radians, first index x) with whole turns added so that neighbours differ by less than half a turn, the surest pairs of neighbours first (as
 * Herraez et al., Appl. Opt. 41, 7437 (2002), order them): what is wrong in a doubtful place stays there. A copy.
 * @param quality of each node, from 0; a pair's is the lesser of its two
 */
export function unwrap(
	phase: Float64Array,
	quality: ArrayLike<number>,
	nx: number,
	ny: number,
): Float64Array {
	const pairs: [p: number, q: number, sure: number][] = [];
	const add = (p: number, q: number) =>
		pairs.push([p, q, Math.min(quality[p], quality[q])]);
	for (let i = 0; i < nx; i++)
		for (let j = 0; j < ny; j++) {
			if (i + 1 < nx) add(i * ny + j, (i + 1) * ny + j);
			if (j + 1 < ny) add(i * ny + j, i * ny + j + 1);
		}
	pairs.sort((a, b) => b[2] - a[2]);
	const out = phase.slice();
	/** The nodes that are joined with each. */
	const groups = Array.from(out, (_, p) => [p]);
	const group = Int32Array.from(out, (_, p) => p);
	for (const [p, q] of pairs) {
		if (group[p] === group[q]) continue;
		const [from, to] =
			groups[group[p]].length < groups[group[q]].length ? [p, q] : [q, p];
		const turns = Math.round((out[to] - out[from]) / TURN) * TURN;
		const target = group[to];
		const moved = groups[group[from]];
		groups[group[from]] = [];
		for (const node of moved) {
			out[node] += turns;
			group[node] = target;
			groups[target].push(node);
		}
	}
	return out;
}

/** How many loops of four good neighbours the phase does not close on: dislocations of the lattice, or a tip that slipped. */
export function dislocations(
	phase: Float64Array,
	good: ArrayLike<number>,
	nx: number,
	ny: number,
): number {
	let count = 0;
	for (let i = 0; i + 1 < nx; i++)
		for (let j = 0; j + 1 < ny; j++) {
			const p = i * ny + j;
			const loop = [p, p + ny, p + ny + 1, p + 1];
			if (!loop.every((node) => good[node])) continue;
			const turns = loop.reduce(
				(sum, node, k) => sum + wrapped(phase[loop[(k + 1) % 4]] - phase[node]),
				0,
			);
			if (Math.abs(turns) > Math.PI) count++;
		}
	return count;
}
