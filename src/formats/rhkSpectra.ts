/** Which pixel each spectrum of an RHK file belongs to: the file says where each was measured, and how many points the grid has along its sides. */

/** Where a page's spectra lie. */
export interface SpectraGrid {
	/** Metres between neighbours. */
	readonly step: { readonly x: number; readonly y: number };
	/** Of each spectrum ix * ny + iy, x to the right and y up before the scan's rotation. */
	readonly pixels: Int32Array;
	/** Spectra at each point. */
	readonly repeats: number;
}

/** Steps that a spectrum may be off its node. */
const OFF = 0.25;

/**
 * @param sides points along x and y
 * @param places metres, one a spectrum, in any order
 * @param angles degrees, that the grid may be turned by, the likeliest first
 * @returns undefined where the places are no such grid
 */
export function spectraGrid(
	[nx, ny]: readonly [number, number],
	places: readonly (readonly [x: number, y: number])[],
	angles: readonly number[],
): SpectraGrid | undefined {
	const repeats = places.length / (nx * ny);
	if (!(nx >= 2 && ny >= 2 && repeats >= 1 && Number.isInteger(repeats)))
		return undefined;
	for (const angle of angles) {
		const [c, s] = [Math.cos, Math.sin].map((f) => f((angle * Math.PI) / 180));
		const x = nodes(
			places.map(([x, y]) => c * x + s * y),
			nx,
		);
		const y = nodes(
			places.map(([x, y]) => c * y - s * x),
			ny,
		);
		if (!x || !y) continue;
		const pixels = Int32Array.from(x.at, (ix, k) => ix * ny + y.at[k]);
		const counts = new Int32Array(nx * ny);
		for (const pixel of pixels) counts[pixel]++;
		if (counts.every((count) => count === repeats))
			return { step: { x: x.step, y: y.step }, pixels, repeats };
	}
	return undefined;
}

/** The nearest of `count` nodes of even step for each value, where all are near. */
function nodes(
	values: readonly number[],
	count: number,
): { readonly step: number; readonly at: number[] } | undefined {
	const [low, high] = values.reduce(
		([low, high], v) => [Math.min(low, v), Math.max(high, v)],
		[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
	);
	const step = (high - low) / (count - 1);
	if (!(step > 0 && Number.isFinite(step))) return undefined;
	const at = values.map((v) => Math.round((v - low) / step));
	return values.every((v, k) => Math.abs((v - low) / step - at[k]) < OFF)
		? { step, at }
		: undefined;
}
