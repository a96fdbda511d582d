/**
 * Kernels of 2n x 2n nodes fall into parts that are even or odd in x and in y; each is fixed by its quadrant of n x n nodes. Products with symmetric patterns
 * then cost a quarter.
 */

/** Sorts of components: parity under x -> -x and y -> -y; "mixed" ones stand for two, (x even, y odd) and its mirror image. */
export const SORTS = [
	{ name: "even+", x: 1, y: 1, swap: 1 },
	{ name: "even-", x: 1, y: 1, swap: -1 },
	{ name: "odd+", x: -1, y: -1, swap: 1 },
	{ name: "odd-", x: -1, y: -1, swap: -1 },
	{ name: "mixed", x: 1, y: -1, swap: 0 },
] as const;

/** The parts of a 128 x 128 kernel that are even-even, odd-odd, even-odd and (exchanged, so that it is even-odd too) odd-even, as quadrants; lengths are kept. */
export function fold(kernel: ArrayLike<number>): Float64Array[] {
	const n = Math.sqrt(kernel.length);
	const side = n / 2;
	const parts = Array.from({ length: 4 }, () => new Float64Array(side * side));
	const [ee, oo, eo, oe] = parts;
	for (let i = 0; i < side; i++)
		for (let j = 0; j < side; j++) {
			const [right, left] = [(side + i) * n, (side - 1 - i) * n];
			const [up, down] = [side + j, side - 1 - j];
			const a = kernel[right + up];
			const b = kernel[left + up];
			const c = kernel[right + down];
			const d = kernel[left + down];
			ee[i * side + j] = (a + b + c + d) / 2;
			oo[i * side + j] = (a - b - c + d) / 2;
			eo[i * side + j] = (a + b - c - d) / 2;
			oe[j * side + i] = (a - b + c - d) / 2;
		}
	return parts;
}

/** The kernel of `fold`'s parts. */
export function unfold([
	ee,
	oo,
	eo,
	oe,
]: readonly ArrayLike<number>[]): Float64Array {
	const side = Math.sqrt(ee.length);
	const n = 2 * side;
	const out = new Float64Array(n * n);
	for (let i = 0; i < side; i++)
		for (let j = 0; j < side; j++) {
			const [right, left] = [(side + i) * n, (side - 1 - i) * n];
			const [up, down] = [side + j, side - 1 - j];
			const p = ee[i * side + j];
			const q = oo[i * side + j];
			const r = eo[i * side + j];
			const s = oe[j * side + i];
			out[right + up] = (p + q + r + s) / 2;
			out[left + up] = (p - q + r - s) / 2;
			out[right + down] = (p - q - r + s) / 2;
			out[left + down] = (p + q - r - s) / 2;
		}
	return out;
}

/** The half of a quadrant that fixes one that is even or odd under the exchange of x and y: rows i, columns 0 to i. */
export function packTriangle(quadrant: ArrayLike<number>): Float64Array {
	const side = Math.sqrt(quadrant.length);
	const out = new Float64Array((side * (side + 1)) / 2);
	for (let i = 0, at = 0; i < side; i++)
		for (let j = 0; j <= i; j++) out[at++] = quadrant[i * side + j];
	return out;
}

/** The quadrant of `packTriangle`'s half; swap is 1 or -1. */
export function unpackTriangle(
	half: ArrayLike<number>,
	swap: number,
): Float64Array {
	const side = (Math.sqrt(8 * half.length + 1) - 1) / 2;
	const out = new Float64Array(side * side);
	for (let i = 0, at = 0; i < side; i++)
		for (let j = 0; j <= i; j++, at++) {
			out[j * side + i] = swap * half[at];
			out[i * side + j] = half[at];
		}
	return out;
}

/** What a quadrant is multiplied with in place of `packTriangle`'s half: sums (or differences) of the values that one of the half's stands for. */
export function foldTriangle(
	quadrant: ArrayLike<number>,
	swap: number,
): Float64Array {
	const side = Math.sqrt(quadrant.length);
	const out = new Float64Array((side * (side + 1)) / 2);
	for (let i = 0, at = 0; i < side; i++) {
		for (let j = 0; j < i; j++)
			out[at++] = quadrant[i * side + j] + swap * quadrant[j * side + i];
		// An odd one has nothing on the diagonal.
		out[at++] = swap > 0 ? quadrant[i * side + i] : 0;
	}
	return out;
}
