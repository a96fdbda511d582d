import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/**
 * Principal directions of a set of images about zero (no mean is taken off: zero is where a kernel fades to): orthonormal rows, the one
 * with most energy first. At most as many as the images span; the Gram matrix is of the images' number, so this serves some hundreds of images of any size.
 */
export function principalComponents(
	images: readonly Float32Array[],
	count: number,
): Float32Array[] {
	if (images.length === 0)
		throw new RangeError("principalComponents: no images");
	const rows = images.map((image) => Float64Array.from(image));
	const gram = Matrix.zeros(rows.length, rows.length);
	for (let i = 0; i < rows.length; i++)
		for (let j = 0; j <= i; j++) {
			let sum = 0;
			for (let k = 0; k < rows[i].length; k++) sum += rows[i][k] * rows[j][k];
			gram.set(i, j, sum);
			gram.set(j, i, sum);
		}
	const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
		gram,
		{ assumeSymmetric: true },
	);
	const order = realEigenvalues
		.map((value, index) => ({ value, index }))
		.sort((a, b) => b.value - a.value);
	const least = 1e-9 * order[0].value;
	return order
		.slice(0, count)
		.filter(({ value }) => value > least)
		.map(({ value, index }) => {
			const direction = new Float64Array(rows[0].length);
			rows.forEach((row, i) => {
				const weight = eigenvectorMatrix.get(i, index) / Math.sqrt(value);
				for (let k = 0; k < row.length; k++) direction[k] += weight * row[k];
			});
			return Float32Array.from(direction);
		});
}
