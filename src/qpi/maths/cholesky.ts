/** L of A = L L^T, lower triangle, row-major n x n, in place of A; only A's lower triangle is read. Throws RangeError when A is not positive definite. */
export function cholesky(a: Float64Array, n: number): Float64Array {
	for (let i = 0; i < n; i++)
		for (let j = 0; j <= i; j++) {
			let sum = a[i * n + j];
			for (let k = 0, p = i * n, q = j * n; k < j; k++, p++, q++)
				sum -= a[p] * a[q];
			if (i > j) a[i * n + j] = sum / a[j * n + j];
			else if (sum > 0) a[i * n + i] = Math.sqrt(sum);
			else
				throw new RangeError(
					`cholesky: the matrix of ${n} x ${n} is not positive definite`,
				);
		}
	return a;
}

/** x of L L^T x = b. */
export function choleskySolve(
	l: Float64Array,
	n: number,
	b: ArrayLike<number>,
): Float64Array {
	const x = Float64Array.from(b);
	for (let i = 0; i < n; i++) {
		for (let k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
		x[i] /= l[i * n + i];
	}
	for (let i = n - 1; i >= 0; i--) {
		x[i] /= l[i * n + i];
		for (let k = 0; k < i; k++) x[k] -= l[i * n + k] * x[i];
	}
	return x;
}

/** The diagonal of (L L^T)^-1. */
export function inverseDiagonal(l: Float64Array, n: number): Float64Array {
	const out = new Float64Array(n);
	const column = new Float64Array(n);
	for (let j = 0; j < n; j++) {
		column.fill(0);
		for (let i = j; i < n; i++) {
			let sum = i === j ? 1 : 0;
			for (let k = j; k < i; k++) sum -= l[i * n + k] * column[k];
			column[i] = sum / l[i * n + i];
			out[j] += column[i] ** 2;
		}
	}
	return out;
}
