/** Scatterers as places of one pattern: pattern, places and amplitudes are fitted in turns, doubtful places dropped and missed ones added. */
import { Matrix, solve } from "ml-matrix";
import { correlation } from "../qpi/metrics.ts";
import { dot } from "../qpi/ridge.ts";
import { median, robustSigma } from "./scan.ts";
import { type Field, type Place, Template } from "./template.ts";

/** A pattern and its places: what an image is made of, as far as it goes. */
export interface Match {
	readonly template: Template;
	/** Amplitudes relative to their median. */
	readonly places: readonly Place[];
	/** Field less pattern at all places. */
	readonly rest: Float64Array;
	/** 1 - |rest|^2 / |field|^2 */
	readonly explained: number;
}

const ROUNDS = 5;
/** Amplitudes, relative to the median, below which a place is dropped and above which one is added. */
const DROP = 0.35;
const ADD = 0.4;
/** Robust sigmas of the matched filter's output that a new place needs. */
const SURE = 4;
/** How alike the pattern what lies around a new place must be. */
const ALIKE = 0.4;

/**
 * Fits from first places (pixels).
 * @param reach the pattern's half sizes, pixels
 * @param apart least distance between places, pixels
 * @param most never more places than this
 */
export function matchPattern(
	field: Field,
	first: readonly { readonly x: number; readonly y: number }[],
	reach: { readonly x: number; readonly y: number },
	apart: number,
	most: number,
): Match {
	const { nx, ny, weight } = field;
	const template = new Template(reach.x, reach.y);
	const seen = field.image.map((v, p) => v * weight[p]);
	const without = (places: readonly Place[]) => {
		const drawn = template.render(field, places);
		return seen.map((v, p) => v - drawn[p]);
	};
	let places: Place[] = first.map(({ x, y }) => ({ x, y, amplitude: 1 }));
	let rest = seen;
	for (let round = 1; round <= ROUNDS; round++) {
		template.learn(field, places);
		const amplitudes = fitAmplitudes(template, field, seen, places);
		const usual = median(amplitudes);
		places = places
			.map((place, j) => ({ ...place, amplitude: amplitudes[j] / usual }))
			.filter(({ amplitude }) => amplitude > DROP);
		template.values = template.values.map((v) => v * usual);
		rest = without(places);
		places = places
			.map((place) => moved(template, field, rest, place))
			.filter(({ x, y }) => x > -1 && y > -1 && x < nx && y < ny);
		rest = without(places);
		if (round === ROUNDS) break;
		const map = template.match(field, rest);
		const least = Math.max(ADD, SURE * robustSigma(map));
		for (const { x, y } of maxima(map, nx, ny, least)) {
			if (places.length >= most) break;
			if (
				places.every((q) => Math.hypot(q.x - x, q.y - y) >= apart) &&
				correlation(template.gather(rest, nx, ny, { x, y }), template.values) >
					ALIKE
			)
				places.push({ x, y, amplitude: 1 });
		}
	}
	return {
		template,
		places,
		rest,
		explained: 1 - dot(rest, rest) / dot(seen, seen),
	};
}

/** Local maxima of a map (3 x 3 pixels) above a value, the highest first. */
export function maxima(
	map: ArrayLike<number>,
	nx: number,
	ny: number,
	least: number,
): { x: number; y: number; value: number }[] {
	const found: { x: number; y: number; value: number }[] = [];
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++) {
			const value = map[x * ny + y];
			if (!(value > least)) continue;
			let highest = true;
			for (let jx = Math.max(0, x - 1); jx <= Math.min(nx - 1, x + 1); jx++)
				for (let jy = Math.max(0, y - 1); jy <= Math.min(ny - 1, y + 1); jy++)
					if (map[jx * ny + jy] > value) highest = false;
			if (highest) found.push({ x, y, value });
		}
	return found.sort((a, b) => b.value - a.value);
}

/** Least squares for all amplitudes together, lightly damped for places that lie close. */
function fitAmplitudes(
	template: Template,
	field: Field,
	seen: Float64Array,
	places: readonly Place[],
): number[] {
	const drawn = places.map((place) =>
		template.render(field, [{ ...place, amplitude: 1 }]),
	);
	const gram = drawn.map((a) => drawn.map((b) => dot(a, b)));
	const trace = gram.reduce((sum, row, j) => sum + row[j], 0);
	for (const [j, row] of gram.entries()) row[j] += (0.02 * trace) / gram.length;
	const right = drawn.map((a) => [dot(a, seen)]);
	return solve(new Matrix(gram), new Matrix(right)).to1DArray();
}

/** What is left, with the pattern at one place put back: zero where nothing was measured. */
export function alone(
	template: Template,
	{ nx, ny, weight }: Field,
	rest: Float64Array,
	place: Place,
): Float64Array {
	const own = rest.slice();
	template.addTo(own, nx, ny, place);
	for (let p = 0; p < own.length; p++) own[p] *= weight[p];
	return own;
}

/** A place moved to where the pattern fits best, at most half a pixel along each axis: the vertex of parabolas through the fit at +-1/2 pixel. */
function moved(
	template: Template,
	field: Field,
	rest: Float64Array,
	place: Place,
): Place {
	const { nx, ny } = field;
	const own = alone(template, field, rest, place);
	const fit = (dx: number, dy: number) =>
		dot(
			template.gather(own, nx, ny, { x: place.x + dx, y: place.y + dy }),
			template.values,
		);
	const middle = fit(0, 0);
	const step = (low: number, high: number) => {
		const bend = low + high - 2 * middle;
		const way =
			bend < 0 ? (low - high) / (4 * bend) : Math.sign(high - low) / 2;
		return Math.max(-0.5, Math.min(0.5, way));
	};
	return {
		...place,
		x: place.x + step(fit(-0.5, 0), fit(0.5, 0)),
		y: place.y + step(fit(0, -0.5), fit(0, 0.5)),
	};
}
