/** Polynomials in x and y on a coarse copy of a scan, fitted so that what stands on the background does not count. */
import { robustSigma, type Scan } from "./scan.ts";

/** The scan in blocks of pixels: their means, for all that is slow. */
export interface Coarse {
	/** values[i * ny + j], less `middle`; NaN where less than half of a block counts. */
	readonly values: Float64Array;
	readonly middle: number;
	readonly nx: number;
	readonly ny: number;
	/** Pixels of the scan a block, along x and y; the last blocks may hold fewer. */
	readonly factor: { readonly x: number; readonly y: number };
	/** Angstrom a block. */
	readonly spacing: { readonly x: number; readonly y: number };
	/** The blocks' centres, the scan from -1 to 1. */
	readonly u: Float64Array;
	readonly v: Float64Array;
}

/** @param most blocks a side */
export function coarsen(
	{ image, nx, ny, spacing }: Scan,
	weights: ArrayLike<number>,
	middle: number,
	most: number,
): Coarse {
	const factor = { x: Math.ceil(nx / most), y: Math.ceil(ny / most) };
	const [mx, my] = [Math.ceil(nx / factor.x), Math.ceil(ny / factor.y)];
	const [sum, weight, all] = [0, 0, 0].map(() => new Float64Array(mx * my));
	for (let ix = 0; ix < nx; ix++)
		for (let iy = 0; iy < ny; iy++) {
			const p = ix * ny + iy;
			const to = Math.floor(ix / factor.x) * my + Math.floor(iy / factor.y);
			all[to]++;
			if (!(weights[p] > 0)) continue;
			weight[to] += weights[p];
			sum[to] += weights[p] * (image[p] - middle);
		}
	const centres = (n: number, m: number, f: number) =>
		Float64Array.from({ length: m }, (_, i) => {
			const end = Math.min(n, (i + 1) * f);
			return (i * f + end) / n - 1;
		});
	return {
		values: sum.map((s, p) =>
			weight[p] >= all[p] / 2 ? s / weight[p] : Number.NaN,
		),
		middle,
		nx: mx,
		ny: my,
		factor,
		spacing: { x: spacing.x * factor.x, y: spacing.y * factor.y },
		u: centres(nx, mx, factor.x),
		v: centres(ny, my, factor.y),
	};
}

/** Exponents of the products of Legendre polynomials up to an order, by rising order; the constant is the first. */
export const exponents = (order: number): (readonly [number, number])[] =>
	Array.from({ length: order + 1 }, (_, n) =>
		Array.from({ length: n + 1 }, (_, b) => [n - b, b] as const),
	).flat();

/** P_0 ... P_order at t. */
export function legendre(t: number, order: number): number[] {
	const p = [1, t];
	for (let n = 1; n < order; n++)
		p.push(((2 * n + 1) * t * p[n] - n * p[n - 1]) / (n + 1));
	return p.slice(0, order + 1);
}

/** Columns that were last made: the images of a stack share them. */
const made: {
	readonly u: Float64Array;
	readonly v: Float64Array;
	readonly order: number;
	readonly columns: readonly Float64Array[];
}[] = [];
const KEPT = 4;

/** A column for each of `exponents(order)`: P_a(u) P_b(v) over the blocks. Not to be written to. */
export function columnsOf(
	{ u, v, nx, ny }: Pick<Coarse, "u" | "v" | "nx" | "ny">,
	order: number,
): readonly Float64Array[] {
	const same = (a: Float64Array, b: Float64Array) =>
		a.length === b.length && a.every((value, i) => value === b[i]);
	const known = made.find(
		(one) => one.order === order && same(one.u, u) && same(one.v, v),
	);
	if (known) return known.columns;
	const along = Array.from(u, (t) => legendre(t, order));
	const across = Array.from(v, (t) => legendre(t, order));
	const columns = exponents(order).map(([a, b]) => {
		const column = new Float64Array(nx * ny);
		for (let ix = 0, p = 0; ix < nx; ix++)
			for (let iy = 0; iy < ny; iy++, p++)
				column[p] = along[ix][a] * across[iy][b];
		return column;
	});
	made.unshift({ u, v, order, columns });
	made.length = Math.min(made.length, KEPT);
	return columns;
}

/** The sum of coefficients times `exponents(order)` at each of a scan's pixels. */
export function surface(
	{ nx, ny }: Pick<Scan, "nx" | "ny">,
	coefficients: ArrayLike<number>,
	order: number,
): Float64Array {
	const out = new Float64Array(nx * ny);
	const across = Array.from({ length: ny }, (_, iy) =>
		legendre((2 * iy + 1) / ny - 1, order),
	);
	for (let ix = 0; ix < nx; ix++) {
		const along = legendre((2 * ix + 1) / nx - 1, order);
		const line = new Float64Array(order + 1);
		exponents(order).forEach(([a, b], i) => {
			line[b] += coefficients[i] * along[a];
		});
		for (let iy = 0; iy < ny; iy++) {
			let sum = 0;
			for (let b = 0; b <= order; b++) sum += line[b] * across[iy][b];
			out[ix * ny + iy] = sum;
		}
	}
	return out;
}

export interface Fit {
	readonly coefficients: Float64Array;
	/** Of each value; 0 for those that are NaN. */
	readonly weights: Float64Array;
	readonly residual: Float64Array;
	/** Robust standard deviation of the residual. */
	readonly sigma: number;
}

/** Rounds with weights that fall as 1/r, to come near from anywhere, and then as 1/r^4: what is far off counts nowhere. */
const ROUNDS = { near: 4, far: 8 };

/** Least squares, iteratively reweighted (Holland & Welsch, Commun. Stat. A 6, 813 (1977)). Values that are NaN do not count. */
export function robustFit(
	columns: readonly Float64Array[],
	values: Float64Array,
): Fit {
	const n = values.length;
	const weights = Float64Array.from(values, (v) => (Number.isNaN(v) ? 0 : 1));
	let coefficients = new Float64Array(columns.length);
	let residual = values;
	let sigma = robustSigma(values);
	for (let round = 0; round < ROUNDS.near + ROUNDS.far; round++) {
		const before = coefficients;
		coefficients = backward(factorise(normal(columns, values, weights)));
		residual = values.slice();
		columns.forEach((column, i) => {
			const c = coefficients[i];
			for (let p = 0; p < n; p++) residual[p] -= c * column[p];
		});
		sigma = robustSigma(residual);
		const cut = 2 * sigma;
		const power = round < ROUNDS.near ? 1 : 4;
		for (let p = 0; p < n; p++) {
			const r = Math.abs(residual[p]);
			if (r >= 0) weights[p] = r > cut ? (cut / r) ** power : 1;
		}
		const moved = Math.hypot(...coefficients.map((c, i) => c - before[i]));
		if (round > ROUNDS.near && moved < 1e-3 * sigma) break;
	}
	return { coefficients, weights, residual, sigma };
}

/** The weighted normal equations, lower triangle by rows, and their right side. */
export function normal(
	columns: readonly Float64Array[],
	values: Float64Array,
	weights: Float64Array,
): { gram: Float64Array[]; right: Float64Array } {
	const right = new Float64Array(columns.length);
	const weighted = new Float64Array(values.length);
	const gram = columns.map((column, i) => {
		let sum = 0;
		for (let p = 0; p < weighted.length; p++) {
			weighted[p] = weights[p] > 0 ? weights[p] * column[p] : 0;
			if (weights[p] > 0) sum += weighted[p] * values[p];
		}
		right[i] = sum;
		return products(weighted, columns.slice(0, i + 1));
	});
	return { gram, right };
}

/** The sum of products of `values` with each column. */
function products(
	values: Float64Array,
	columns: readonly Float64Array[],
): Float64Array {
	const out = new Float64Array(columns.length);
	// Four at a time: each value is loaded once for them, and the processor adds them side by side.
	let c = 0;
	for (; c + 4 <= out.length; c += 4) {
		const [c0, c1, c2, c3] = columns.slice(c, c + 4);
		let [s0, s1, s2, s3] = [0, 0, 0, 0];
		for (let p = 0; p < values.length; p++) {
			const v = values[p];
			s0 += v * c0[p];
			s1 += v * c1[p];
			s2 += v * c2[p];
			s3 += v * c3[p];
		}
		out[c] = s0;
		out[c + 1] = s1;
		out[c + 2] = s2;
		out[c + 3] = s3;
	}
	for (; c < out.length; c++)
		for (let p = 0; p < values.length; p++) out[c] += values[p] * columns[c][p];
	return out;
}

/**
 * Cholesky's factor of the normal equations and z = L^-1 right: z[i]^2 is what column i takes from the sum of squares after all columns before it. Columns that
 * depend on earlier ones take nothing.
 */
export function factorise({ gram, right }: ReturnType<typeof normal>): {
	lower: Float64Array[];
	gains: Float64Array;
} {
	const lower = gram.map((row) => row.slice());
	const gains = right.slice();
	lower.forEach((row, i) => {
		for (let j = 0; j <= i; j++) {
			let sum = row[j];
			for (let k = 0; k < j; k++) sum -= row[k] * lower[j][k];
			if (j < i) row[j] = sum / lower[j][j];
			else
				row[i] =
					sum > 1e-9 * gram[i][i] ? Math.sqrt(sum) : Number.POSITIVE_INFINITY;
		}
		let rest = gains[i];
		for (let k = 0; k < i; k++) rest -= row[k] * gains[k];
		gains[i] = rest / row[i];
	});
	return { lower, gains };
}

function backward({
	lower,
	gains,
}: ReturnType<typeof factorise>): Float64Array<ArrayBuffer> {
	const out = new Float64Array(gains);
	for (let i = out.length - 1; i >= 0; i--) {
		for (let k = i + 1; k < out.length; k++) out[i] -= lower[k][i] * out[k];
		out[i] /= lower[i][i];
	}
	return out;
}
