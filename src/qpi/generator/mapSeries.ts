/** One area at several energies: the same scatterers in a band that is known, a map an energy, as a microscope takes them one after the other. */
import { Random } from "../../random.ts";
import { type Band, orbitals } from "./bands.ts";
import { kernelModel } from "./kernel.ts";
import { addFlaws } from "./mapFlaws.ts";
import { drawPlaces } from "./mapPlaces.ts";
import type { MapScatterer } from "./maps.ts";
import { amplitudes } from "./noise.ts";

export interface SeriesRecipe {
	/** Of one orbital. */
	readonly band: Band;
	/** eV, one a map. */
	readonly energies: readonly number[];
	/** eV. */
	readonly broadening: number;
	/** s-wave phase shift of the scatterers, radians. */
	readonly phase: number;
	/** Along x and y. */
	readonly pixels: readonly [number, number];
	/** Length of the longer side, Angstrom. */
	readonly field: number;
	readonly marks: number;
	/** Relative spread of the scatterers' amplitudes, even. */
	readonly spread: number;
	/** White noise and offsets of scan lines, over each map's own standard deviation. */
	readonly noise: number;
	/** Angstrom by which the area moves, at most, along each axis from one map to the next. */
	readonly drift: number;
}

export interface SeriesMap {
	/** eV */
	readonly energy: number;
	/** image[ix * ny + iy], (density of states - that of the clean surface) over the latter. */
	readonly image: Float32Array;
	/** Angstrom that the area has moved by. */
	readonly drift: { readonly x: number; readonly y: number };
}

export interface MapSeries {
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. */
	readonly pixel: number;
	/** As the map in the middle of the energies shows them, onto which the others are moved by whoever reads the series. */
	readonly scatterers: readonly MapScatterer[];
	/** In the order of the energies. */
	readonly maps: readonly SeriesMap[];
}

/** Least distance between scatterers, Angstrom. */
const APART = 12;

/** @throws RangeError when the band has two orbitals, a number is out of range or the scatterers do not fit */
export function makeSeries(recipe: SeriesRecipe, seed: number): MapSeries {
	const { band, broadening, phase, field, spread, noise } = recipe;
	const energies = [...recipe.energies].sort((a, b) => a - b);
	check(recipe, energies);
	const [nx, ny] = recipe.pixels;
	const pixel = field / Math.max(nx, ny);
	const [places, flaws, moves] = [0, 1, 2].map((i) => new Random(seed, i));
	const found = drawPlaces(
		places,
		recipe.marks,
		{ x: nx * pixel, y: ny * pixel },
		APART,
	);
	const weights = amplitudes(found.length, places, spread);
	const round = (v: number) => Math.round(v * 1000) / 1000;
	const scatterers = found.map(({ x, y }, j) => ({
		...{ x: round(x), y: round(y), weight: round(weights[j]), kind: 1 },
	}));
	const step = () => moves.uniform(-recipe.drift, recipe.drift);
	let [x, y] = [0, 0];
	const path = energies.map(() => {
		[x, y] = [x + step(), y + step()];
		return { x, y };
	});
	const middle = path[Math.floor(path.length / 2)];
	const at = (i: number, n: number) => (i - (n - 1) / 2) * pixel;
	const maps = energies.map((energy, e): SeriesMap => {
		const { evaluate } = kernelModel({
			...{ number: e + 1, family: band.kind, symmetry: 1, rotation: 0 },
			...{ energy, broadening, band, sites: [{ x: 0, y: 0, phase }] },
		});
		const drift = {
			x: round(path[e].x - middle.x),
			y: round(path[e].y - middle.y),
		};
		const image = Float32Array.from({ length: nx * ny }, (_, p) => {
			const px = at(Math.floor(p / ny), nx) - drift.x;
			const py = at(p % ny, ny) - drift.y;
			return scatterers.reduce(
				(sum, s) => sum + s.weight * evaluate(px - s.x, py - s.y),
				0,
			);
		});
		addFlaws(image, { nx, ny, pixel }, scatterers, flaws, { noise });
		return { energy, image, drift };
	});
	return { nx, ny, pixel, scatterers, maps };
}

function check(recipe: SeriesRecipe, energies: readonly number[]): void {
	const { band, pixels, field, marks } = recipe;
	const wrong = (found: string, expected: string) =>
		new RangeError(`a series of ${found}: expected ${expected}`);
	if (orbitals(band) > 1)
		throw wrong(`the band ${band.kind}`, "a band of one orbital");
	if (new Set(energies).size < Math.max(1, energies.length))
		throw wrong(`energies ${energies.join(", ")}`, "each only once");
	if (!pixels.every((n) => Number.isInteger(n) && n >= 32 && n <= 1024))
		throw wrong(`${pixels.join(" x ")} pixels`, "32 to 1024 along each side");
	if (!(field >= 50 && field <= 1000))
		throw wrong(`${field} A`, "50 to 1000 A along the longer side");
	if (!(Number.isInteger(marks) && marks >= 1))
		throw wrong(`${marks} scatterers`, "one or more");
}
