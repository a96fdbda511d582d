/** Where scatterers and clusters lie on a map. */
import type { Random } from "../../random.ts";

/** Angstrom from the map's centre, x to the right, y up. */
export interface Place {
	readonly x: number;
	readonly y: number;
}

/**
 * Random places in a rectangle about the centre: no nearer to its edge than a fiftieth of its side, nor to each other or to those `taken` than `apart`.
 * @throws RangeError when they do not fit
 */
export function drawPlaces(
	random: Random,
	count: number,
	side: Place,
	apart: number,
	taken: readonly Place[] = [],
): Place[] {
	const places: Place[] = [];
	for (let tries = 0; places.length < count; tries++) {
		if (tries === 10000 + 200 * count)
			throw new RangeError(
				`a map of ${side.x.toFixed(0)} x ${side.y.toFixed(0)} A has room for ${places.length} of ${count} scatterers or clusters ${apart} A apart`,
			);
		const x = random.uniform(-0.48, 0.48) * side.x;
		const y = random.uniform(-0.48, 0.48) * side.y;
		const free = (q: Place) => Math.hypot(q.x - x, q.y - y) >= apart;
		if (places.every(free) && taken.every(free)) places.push({ x, y });
	}
	return places;
}
