/** From an activation, a value a pixel, to scatterers. */
import type { Site } from "../../qpi/operator/mapOperator.ts";
import { blurred, medianOf, peaks } from "./grid.ts";

/** Angstrom: an activation is smoothed by this, and a scatterer gathers what lies within that. */
const SMOOTH = 3;
const GATHER = 5;
/** Share of the strongest places that a place must have, and of the median of those that are left. */
const LEAST = 0.25;
const USUAL = 0.3;

/** The places where the activation gathers, with the sum there over the usual one as amplitude. */
export function placesOf(
	activation: Float64Array,
	nx: number,
	ny: number,
	pixel: number,
): Required<Site>[] {
	const sign = activation.map(Math.abs);
	const sigma = Math.max(0.7, SMOOTH / pixel);
	const smooth = blurred(sign, nx, ny, sigma);
	const positive = smooth.filter((v) => v > 1e-12).sort();
	if (positive.length === 0) return [];
	const top = positive[Math.floor(0.999 * (positive.length - 1))];
	const reach = Math.max(1, Math.round(GATHER / pixel));
	const found = peaks(smooth, nx, ny, 2 * sigma, LEAST * top).map(
		({ x, y }) => {
			let [sum, sx, sy, mass] = [0, 0, 0, 0];
			for (
				let i = Math.max(0, x - reach);
				i <= Math.min(nx - 1, x + reach);
				i++
			)
				for (
					let j = Math.max(0, y - reach);
					j <= Math.min(ny - 1, y + reach);
					j++
				) {
					const v = activation[i * ny + j];
					const m = Math.abs(v);
					sum += v;
					mass += m;
					sx += m * i;
					sy += m * j;
				}
			return { x: sx / mass, y: sy / mass, weight: sum, kind: 0 };
		},
	);
	const usual = medianOf(found.map(({ weight }) => Math.abs(weight)));
	return found
		.filter(({ weight }) => Math.abs(weight) > USUAL * usual)
		.map((site) => ({ ...site, weight: site.weight / usual }));
}
