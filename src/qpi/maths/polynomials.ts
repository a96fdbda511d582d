/** Polynomials in x and y up to an order on the pixels of a map, orthonormal under its weights: what a background is made of. */
export class Polynomials {
	/** [terms][nx * ny] */
	readonly basis: readonly Float64Array[];
	readonly #weights: ArrayLike<number>;

	/**
	 * @param weights a weight a pixel; terms that pixels of weight do not tell apart are left out
	 * @param order 0 for a constant, 1 for a plane, ...
	 */
	constructor(
		nx: number,
		ny: number,
		weights: ArrayLike<number>,
		order: number,
	) {
		this.#weights = weights;
		const along = (n: number) => legendre(n, order);
		const [px, py] = [along(nx), along(ny)];
		const basis: Float64Array[] = [];
		for (let total = 0; total <= order; total++)
			for (let a = 0; a <= total; a++) {
				const [fx, fy] = [px[a], py[total - a]];
				const term = new Float64Array(nx * ny);
				for (let ix = 0, p = 0; ix < nx; ix++)
					for (let iy = 0; iy < ny; iy++, p++) term[p] = fx[ix] * fy[iy];
				const before = this.#inner(term, term);
				// twice, for what rounding leaves of the others
				for (let pass = 0; pass < 2; pass++)
					for (const other of basis) {
						const overlap = this.#inner(other, term);
						for (let p = 0; p < term.length; p++) term[p] -= overlap * other[p];
					}
				const square = this.#inner(term, term);
				if (!(square > 1e-9 * before)) continue;
				const scale = 1 / Math.sqrt(square);
				basis.push(term.map((v) => v * scale));
			}
		this.basis = basis;
	}

	#inner(a: Float64Array, b: Float64Array): number {
		let sum = 0;
		for (let p = 0; p < a.length; p++) sum += this.#weights[p] * a[p] * b[p];
		return sum;
	}

	/** The polynomial nearest to a map, least squares under the weights. */
	of(map: Float64Array): Float64Array {
		const out = new Float64Array(map.length);
		for (const basis of this.basis) {
			const along = this.#inner(basis, map);
			for (let p = 0; p < out.length; p++) out[p] += along * basis[p];
		}
		return out;
	}

	/** The map less that polynomial. */
	without(map: Float64Array): Float64Array {
		const fit = this.of(map);
		return map.map((v, p) => v - fit[p]);
	}
}

/** Legendre's polynomials of orders 0 ... order on n points from -1 to 1. */
function legendre(n: number, order: number): Float64Array[] {
	const x = Float64Array.from({ length: n }, (_, i) =>
		n > 1 ? (2 * i) / (n - 1) - 1 : 0,
	);
	const out = [x.map(() => 1), x];
	for (let k = 1; k < order; k++)
		out.push(
			x.map(
				(v, i) => ((2 * k + 1) * v * out[k][i] - k * out[k - 1][i]) / (k + 1),
			),
		);
	return out;
}
