/** A spectrum whose middle pixel is q = 0. */
import type { Field, Panel } from "../../../drawing/panels.ts";

/** Of a transform of even size the first row and column have no opposite: without them q = 0 is the middle. */
export function aboutZero({ field }: Pick<Panel, "field">): Field {
	const { values, nx, ny, x, y } = field;
	const [sx, sy] = [(x[1] - x[0]) / nx, (y[1] - y[0]) / ny];
	const kept = new Float32Array((nx - 1) * (ny - 1));
	for (let i = 1; i < nx; i++)
		for (let j = 1; j < ny; j++)
			kept[(i - 1) * (ny - 1) + j - 1] = values[i * ny + j];
	return {
		...{ values: kept, nx: nx - 1, ny: ny - 1 },
		x: [x[0] + sx, x[1]],
		y: [y[0] + sy, y[1]],
	};
}

/** Of log10. */
export const asLinear = (field: Field): Field => ({
	...field,
	values: Float32Array.from(field.values, (v) => 10 ** v),
});
