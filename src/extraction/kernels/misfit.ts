/** What the residual of a fit says about the errors: whether pixels err together, and which of them the model has nothing for. */

/** Residual of a fit on nx x ny pixels (first index x), 0 where nothing counts, and what each pixel counts. */
export interface Misfit {
	readonly rest: ArrayLike<number>;
	readonly nx: number;
	readonly ny: number;
	readonly weights: ArrayLike<number>;
	/** Standard deviation of the map itself, over the pixels that count. */
	readonly deviation: number;
}

/** What is looked for in a misfit (npm run bench:ablation -- refined). */
export const MISFIT = {
	/** Misfits below this share of the image's standard deviation are none. */
	small: 0.1,
	/** Pixels that are tried for erring together with one: this far in x and y. */
	patch: 6,
	/** Times the median that a local misfit must reach before pixels are doubted: of noise alone it stays below 3. */
	doubt: 4,
};

/**
 * How many pixels err together: the sum of the squared autocorrelation of the misfit, 1 for white noise (an area in pixels; the variance of a sum of squares
 * grows by it). Also 1 where next to nothing is left unexplained.
 */
export function colourOf(
	{ rest, nx, ny, weights, deviation }: Misfit,
	{ small, patch } = MISFIT,
): number {
	const counts = Uint8Array.from(weights, (w) => (w > 0 ? 1 : 0));
	let [measured, square] = [0, 0];
	for (let i = 0; i < counts.length; i++)
		if (counts[i]) {
			measured++;
			square += rest[i] ** 2;
		}
	const power = square / measured;
	if (!(power > (small * deviation) ** 2)) return 1;
	let sum = 0;
	for (let dx = 0; dx <= patch; dx++)
		for (let dy = dx === 0 ? 0 : -patch; dy <= patch; dy++) {
			let [product, count] = [0, 0];
			for (let x = 0; x < nx - dx; x++)
				for (let y = Math.max(0, -dy); y < Math.min(ny, ny - dy); y++) {
					const [i, j] = [x * ny + y, (x + dx) * ny + y + dy];
					if (counts[i] && counts[j]) {
						product += rest[i] * rest[j];
						count++;
					}
				}
			// What chance alone gives is taken off; each lag stands for its opposite too.
			const twice = dx === 0 && dy === 0 ? 1 : 2;
			if (count > 0)
				sum += twice * Math.max(0, (product / count / power) ** 2 - 1 / count);
		}
	return Math.max(1, sum);
}

/** Degrees of freedom of the t distribution. */
const FREEDOM = 4;
/** Pixels around one whose misfit is looked at together: 5 x 5. */
const REACH = 2;

/** Weights after one step of iterative reweighting, from the mean square misfit around each pixel; undefined where it is even. */
export function doubted(
	{ rest, nx, ny, weights, deviation }: Misfit,
	{ small, doubt } = MISFIT,
): Float64Array | undefined {
	const local = new Float64Array(nx * ny);
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++) {
			let [sum, count] = [0, 0];
			const [low, high] = [Math.max(0, y - REACH), Math.min(ny - 1, y + REACH)];
			for (
				let i = Math.max(0, x - REACH);
				i <= Math.min(nx - 1, x + REACH);
				i++
			)
				for (let p = i * ny + low; p <= i * ny + high; p++)
					if (weights[p] > 0) {
						sum += weights[p] * rest[p] ** 2;
						count++;
					}
			local[x * ny + y] = count > 0 ? sum / count : 0;
		}
	const known = local.filter((_, i) => weights[i] > 0).sort();
	const median = known[Math.floor(known.length / 2)] ?? 0;
	// Where almost everything is explained, what is left is the prior's doing and says nothing about the image.
	const usual = Math.max(median, (small * deviation) ** 2);
	if (!(known[known.length - 1] > doubt * usual)) return undefined;
	return Float64Array.from(
		local,
		(v, i) => (weights[i] * (FREEDOM + 1)) / (FREEDOM + Math.max(1, v / usual)),
	);
}

/** Standard deviation of the pixels that count. */
export function deviationOf(
	image: ArrayLike<number>,
	weights: ArrayLike<number>,
): number {
	let [count, mean, square] = [0, 0, 0];
	for (let i = 0; i < image.length; i++) {
		if (!(weights[i] > 0)) continue;
		// Welford's recurrence: images on a large constant keep their digits
		const away = image[i] - mean;
		mean += away / ++count;
		square += away * (image[i] - mean);
	}
	return Math.sqrt(square / Math.max(1, count));
}
