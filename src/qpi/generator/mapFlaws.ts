/** What a map shows besides ripples: a curved background, step edges, clusters, noise, and rows that were never measured. */
import { Random } from "../../random.ts";
import { drawPlaces, type Place } from "./mapPlaces.ts";
import { addLines, addWhite, deviation, measuredNoise } from "./noise.ts";

/** Heights are in standard deviations of the image without flaws, or as they are where no scatterer is in it. All zero by default: nothing happens. */
export interface MapFlaws {
	/** White noise and offsets of scan lines together, in the ratio of `measuredNoise`. */
	readonly noise?: number;
	/** A polynomial of third order in x and y. */
	readonly background?: number;
	/** How many clusters, 60 high, 6 to 12 A in radius. */
	readonly clusters?: number;
	/** How many straight step edges, 10 to 30 high. */
	readonly steps?: number;
	/** Share of the scan lines, the last ones, that was never measured: not a number. */
	readonly missingRows?: number;
}

/** The plane that an image shows; pixel (ix, iy) lies at ((ix - (nx - 1) / 2) * pixel, (iy - (ny - 1) / 2) * pixel). */
export interface Raster {
	readonly nx: number;
	readonly ny: number;
	/** Angstrom. */
	readonly pixel: number;
}

const CLUSTER = 60;
const STEP = [10, 30] as const;
/** Least distance from a cluster to a scatterer or another cluster, Angstrom. */
const APART = 25;

/** Adds the flaws to an image (first index x) in place, in the order in which they happen. Each has random numbers of its own: to leave one out changes no other. */
export function addFlaws(
	image: Float32Array,
	raster: Raster,
	scatterers: readonly Place[],
	random: Random,
	flaws: MapFlaws,
): void {
	const { noise = 0, background = 0, clusters = 0, steps = 0 } = flaws;
	const { nx, ny, pixel } = raster;
	const side = { x: nx * pixel, y: ny * pixel };
	const sigma = scatterers.length > 0 ? deviation(image) : 1;
	const [bent, stepped, clustered, noisy] = Array.from(
		{ length: 4 },
		() => new Random(random.uint32()),
	);
	if (background > 0) {
		const surface = drawn(raster, cubic(bent, side));
		add(image, surface, (background * sigma) / deviation(surface));
	}
	for (let k = 0; k < steps; k++) {
		const height = stepped.uniform(...STEP) * sigma;
		const sign = stepped.uniform() < 0.5 ? -1 : 1;
		add(image, drawn(raster, edge(stepped, side)), sign * height);
	}
	for (const place of drawPlaces(clustered, clusters, side, APART, scatterers))
		add(image, drawn(raster, heap(clustered, place)), CLUSTER * sigma);
	if (noise > 0) {
		const { white = 0, line = 0 } = measuredNoise(noise);
		addLines(image, noisy, line * sigma, ny);
		addWhite(image, noisy, white * sigma);
	}
	const measured = ny - Math.round((flaws.missingRows ?? 0) * ny);
	for (let p = 0; p < image.length; p++)
		if (p % ny >= measured) image[p] = Number.NaN;
}

/** A function of the place in Angstrom. */
type Shape = (x: number, y: number) => number;

function drawn({ nx, ny, pixel }: Raster, shape: Shape): Float32Array {
	return Float32Array.from({ length: nx * ny }, (_, p) =>
		shape(
			(Math.floor(p / ny) - (nx - 1) / 2) * pixel,
			((p % ny) - (ny - 1) / 2) * pixel,
		),
	);
}

function add(image: Float32Array, shape: Float32Array, height: number): void {
	for (let p = 0; p < image.length; p++) image[p] += height * shape[p];
}

function cubic(random: Random, side: Place): Shape {
	const terms = [1, 2, 3].flatMap((order) =>
		Array.from({ length: order + 1 }, (_, i) => ({
			i,
			j: order - i,
			weight: random.normal(),
		})),
	);
	return (x, y) =>
		terms.reduce(
			(sum, { i, j, weight }) =>
				sum + weight * ((2 * x) / side.x) ** i * ((2 * y) / side.y) ** j,
			0,
		);
}

/** From 0 to 1 across a straight edge through the middle part of the map, some 8 A wide. */
function edge(random: Random, side: Place): Shape {
	const angle = random.uniform(0, 2 * Math.PI);
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	const x0 = random.uniform(-0.3, 0.3) * side.x;
	const y0 = random.uniform(-0.3, 0.3) * side.y;
	return (x, y) => (1 + Math.tanh((c * (x - x0) + s * (y - y0)) / 4)) / 2;
}

/** A flat heap, 1 high. */
function heap(random: Random, { x: x0, y: y0 }: Place): Shape {
	const radius = random.uniform(6, 12);
	const long = random.uniform(0.8, 1.25);
	return (x, y) =>
		Math.exp(-((Math.hypot((x - x0) * long, (y - y0) / long) / radius) ** 4));
}
