/** Small dense complex matrices, row-major, for T matrices (a few hundred rows at most). */
export class Matrix {
	readonly n: number;
	readonly re: Float64Array;
	readonly im: Float64Array;

	/** The zero matrix of n x n. */
	constructor(n: number) {
		this.n = n;
		this.re = new Float64Array(n * n);
		this.im = new Float64Array(n * n);
	}

	/** A B */
	times(b: Matrix): Matrix {
		const { n } = this;
		const c = new Matrix(n);
		for (let i = 0; i < n; i++)
			for (let k = 0; k < n; k++) {
				const ar = this.re[i * n + k];
				const ai = this.im[i * n + k];
				if (ar === 0 && ai === 0) continue;
				for (let j = 0; j < n; j++) {
					c.re[i * n + j] += ar * b.re[k * n + j] - ai * b.im[k * n + j];
					c.im[i * n + j] += ar * b.im[k * n + j] + ai * b.re[k * n + j];
				}
			}
		return c;
	}

	/** 1 - A */
	oneMinus(): Matrix {
		const c = new Matrix(this.n);
		for (let i = 0; i < c.re.length; i++) {
			c.re[i] = -this.re[i];
			c.im[i] = -this.im[i];
		}
		for (let i = 0; i < this.n; i++) c.re[i * (this.n + 1)] += 1;
		return c;
	}

	/**
	 * A^-1 B by elimination with partial pivoting.
	 * @throws RangeError when A is singular
	 */
	solve(b: Matrix): Matrix {
		const { n } = this;
		const a = { re: this.re.slice(), im: this.im.slice() };
		const x = new Matrix(n);
		x.re.set(b.re);
		x.im.set(b.im);
		/** row[to] += factor * row[from] */
		const add = (to: number, from: number, fr: number, fi: number) => {
			for (const m of [a, x])
				for (let j = 0; j < n; j++) {
					const br = m.re[from * n + j];
					const bi = m.im[from * n + j];
					m.re[to * n + j] += fr * br - fi * bi;
					m.im[to * n + j] += fr * bi + fi * br;
				}
		};
		for (let c = 0; c < n; c++) {
			let pivot = c;
			const size = (i: number) => Math.hypot(a.re[i * n + c], a.im[i * n + c]);
			for (let i = c + 1; i < n; i++) if (size(i) > size(pivot)) pivot = i;
			if (!(size(pivot) > 0))
				throw new RangeError(
					`Matrix.solve: the ${n} x ${n} matrix is singular`,
				);
			if (pivot !== c) {
				// exchange by three additions: no second code path for rows
				add(c, pivot, 1, 0);
				add(pivot, c, -1, 0);
				add(c, pivot, 1, 0);
			}
			const norm = a.re[c * n + c] ** 2 + a.im[c * n + c] ** 2;
			const ir = a.re[c * n + c] / norm;
			const ii = -a.im[c * n + c] / norm;
			add(c, c, ir - 1, ii);
			for (let i = 0; i < n; i++) {
				if (i === c) continue;
				const fr = a.re[i * n + c];
				const fi = a.im[i * n + c];
				if (fr !== 0 || fi !== 0) add(i, c, -fr, -fi);
			}
		}
		return x;
	}
}
