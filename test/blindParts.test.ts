/** Parts of the search in unmarked maps whose right answers are known. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assigned, likenessOf } from "../src/extraction/blind/assign.ts";
import { centreOf, shiftBetween } from "../src/extraction/blind/centre.ts";
import { medianWeights, usual } from "../src/extraction/blind/choose.ts";
import { finenessOf } from "../src/extraction/blind/fineness.ts";
import { medianOf, peaks, spreadOf } from "../src/extraction/blind/grid.ts";
import { parted } from "../src/extraction/blind/heavy.ts";
import { componentsOf } from "../src/extraction/blind/layers.ts";
import { leftoversOf } from "../src/extraction/blind/leftovers.ts";
import { look } from "../src/extraction/blind/look.ts";
import { withoutHeaps } from "../src/extraction/blind/outliers.ts";
import { asWholes } from "../src/extraction/blind/pairs.ts";
import { placesOf } from "../src/extraction/blind/places.ts";
import { seedAt, seedsOf } from "../src/extraction/blind/seeds.ts";
import { halves } from "../src/extraction/blind/split.ts";
import { seenBySearch, spotsIn } from "../src/extraction/blind/spots.ts";
import { supportOf } from "../src/extraction/blind/support.ts";
import type { SitedMap } from "../src/extraction/kernels/sitedMap.ts";
import { MapConvolution } from "../src/qpi/operator/convolution.ts";
import { Random } from "../src/random.ts";

/** So many places of a kind, on a jittered grid of 50 pixels. */
function places(count: number, random: Random, kind = 0) {
	return Array.from({ length: count }, (_, i) => ({
		x: 50 * (i % 5) + random.uniform(-8, 8),
		y: 50 * Math.floor(i / 5) + random.uniform(-8, 8),
		...{ weight: random.uniform(0.8, 1.2), kind },
	}));
}

test("scatterers in pairs of one distance and direction become one each, halfway; others stay", () => {
	const random = new Random(3);
	const wholes = places(10, random);
	// Straight up, so that noise gives the step either sign along x.
	const parts = wholes.flatMap((w) =>
		[-5, 5].map((dy) => ({
			...w,
			x: w.x + random.uniform(-0.5, 0.5),
			y: w.y + dy + random.uniform(-0.5, 0.5),
		})),
	);
	const other = places(6, random, 1);
	const joined = asWholes([...parts, ...other], 2, 0, 0, 2);
	assert.is(joined?.kinds, 2);
	assert.is(joined?.sites.length, 16);
	for (const { x, y, weight } of wholes) {
		const near = joined?.sites.filter(
			(site) => site.kind === 1 && Math.hypot(site.x - x, site.y - y) < 0.8,
		);
		assert.is(near?.length, 1);
		assert.ok(Math.abs((near?.[0].weight ?? 0) - weight) < 1e-9);
	}
	assert.equal(
		joined?.sites.filter(({ kind }) => kind === 0),
		other.map((site) => ({ ...site, kind: 0 })),
	);
	// A part at the border has no partner: the rest say what is whole.
	assert.is(asWholes(parts.slice(1), 1, 0, 0, 2)?.sites.length, 9);
});

test("parts that were taken for two kinds become one; half of a kind in pairs is a kind of its own", () => {
	const random = new Random(4);
	const first = places(8, random);
	const second = first.map((site) => ({ ...site, x: site.x + 9, kind: 1 }));
	const third = places(5, random, 2);
	const all = [...first, ...second, ...third];
	const joined = asWholes(all, 3, 0, 1, 2);
	assert.is(joined?.kinds, 2);
	assert.equal(
		joined?.sites.map(({ kind }) => kind),
		[...Array(5).fill(0), ...Array(8).fill(1)],
	);
	assert.is(asWholes(all, 3, 0, 2, 2), undefined);
	// What has lost its other part lies where the whole would.
	const lone = asWholes([...first, ...second.slice(1)], 2, 0, 1, 2);
	const [x, y] = [first[0].x + 4.5, first[0].y];
	assert.is(lone?.sites.length, 8);
	const off = lone?.sites.map((site) => Math.hypot(site.x - x, site.y - y));
	assert.ok(Math.min(...(off ?? [])) < 1e-9);
	// Where half of a kind lies in pairs there are two kinds.
	const mixed = places(20, random);
	const parts = mixed.slice(10).map((site) => ({ ...site, y: site.y + 6 }));
	const apart = asWholes([...mixed, ...parts], 1, 0, 0, 2);
	assert.is(apart?.kinds, 2);
	assert.equal(
		apart?.sites.map(({ kind }) => kind),
		[...Array(10).fill(0), ...Array(10).fill(1)],
	);
});

test("a row of scatterers, places at random and a few chance pairs are no parts", () => {
	const random = new Random(5);
	const row = Array.from({ length: 20 }, (_, i) => ({
		...{ x: 10 * i, y: 3, weight: 1, kind: 0 },
	}));
	assert.is(asWholes(row, 1, 0, 0, 2), undefined);
	const anywhere = Array.from({ length: 120 }, () => ({
		...{ x: random.uniform(0, 250), y: random.uniform(0, 250) },
		...{ weight: 1, kind: 0 },
	}));
	assert.is(asWholes(anywhere, 1, 0, 0, 2), undefined);
	const few = places(20, random);
	const chance = few.slice(0, 3).map((site) => ({ ...site, x: site.x + 8 }));
	assert.is(asWholes([...few, ...chance], 1, 0, 0, 2), undefined);
	assert.is(asWholes([], 1, 0, 0, 2), undefined);
});

/** A ring about a bump, and a bump with two arms. */
const ring = (x: number, y: number) => {
	const r = Math.hypot(x, y);
	return Math.exp((-r * r) / 8) + 0.6 * Math.cos(r) * Math.exp(-r / 4);
};
const arms = (x: number, y: number) =>
	Math.exp(-(x * x + y * y) / 8) - Math.exp(-((x - 4) ** 2 + y * y) / 6);

const PIXEL = 3;
/** A map of such patterns at 80 x 72 pixels, with noise. */
function mapOf(
	sites: readonly { x: number; y: number; weight: number; kind: number }[],
	noise: number,
	kinds = 1,
): SitedMap & { readonly image: Float64Array } {
	const random = new Random(11);
	const [nx, ny] = [80, 72];
	const image = Float64Array.from({ length: nx * ny }, (_, p) => {
		let sum = noise * random.normal();
		for (const { x, y, weight, kind } of sites)
			sum += weight * [ring, arms][kind](Math.floor(p / ny) - x, (p % ny) - y);
		return sum;
	});
	const weights = new Float64Array(nx * ny).fill(1);
	return { image, nx, ny, pixel: PIXEL, weights, order: 0, kinds, sites };
}

const SIZE = 21;
const looked = (map: SitedMap) =>
	look(map, SIZE, new MapConvolution(map.nx, map.ny, SIZE));

/** 12 places, 16 pixels apart or more, of two kinds in turn. */
const TWELVE = Array.from({ length: 12 }, (_, i) => ({
	x: 13 + 18 * (i % 4) + ((5 * i) % 3) - 1.3,
	y: 14 + 21 * Math.floor(i / 4) + ((7 * i) % 4) - 1.6,
	...{ weight: 1, kind: i % 2 },
}));
const ONE = TWELVE.map((site) => ({ ...site, kind: 0 }));

test("a scatterer of the wrong kind is put right, and looks like its kind then", () => {
	const map = mapOf(TWELVE, 0.05, 2);
	const found = looked(map);
	const wrong = TWELVE.map((site, j) =>
		j === 5 ? { ...site, kind: 0 } : site,
	);
	const bent = { ...map, sites: wrong };
	// What the kernels leave with the wrong one: its own pattern less the other kind's.
	const { changes } = assigned(map, found);
	assert.is(changes, 0);
	const seen = found.rest.map((v, p) => {
		const [x, y] = [
			Math.floor(p / map.ny) - TWELVE[5].x,
			(p % map.ny) - TWELVE[5].y,
		];
		return v + arms(x, y) - ring(x, y);
	});
	const right = assigned(bent, { fit: found.fit, rest: seen });
	assert.is(right.changes, 1);
	assert.equal(
		right.sites.map(({ kind }) => kind),
		TWELVE.map(({ kind }) => kind),
	);
	const alike = [bent.sites[5], right.sites[5]].map((site) =>
		likenessOf(bent, { fit: found.fit, rest: seen }, site),
	);
	assert.ok(likenessOf(map, found, TWELVE[5]) > 0.95);
	assert.ok(alike[0] < 0.9, `${alike}`);
	// Sites move with the centres of their kinds.
	const { sites } = assigned(map, found, [
		{ dx: 1, dy: -2 },
		{ dx: 0, dy: 0 },
	]);
	assert.equal(
		sites.slice(0, 2).map(({ x, y }) => [x, y]),
		[
			[TWELVE[0].x + 1, TWELVE[0].y - 2],
			[TWELVE[1].x, TWELVE[1].y],
		],
	);
});

/** A pattern on size x size nodes, moved. */
const kernelOf = (
	pattern: (x: number, y: number) => number,
	size: number,
	dx = 0,
	dy = 0,
) =>
	Float64Array.from({ length: size * size }, (_, p) =>
		pattern(
			Math.floor(p / size) - (size - 1) / 2 - dx,
			(p % size) - (size - 1) / 2 - dy,
		),
	);

test("a kernel's centre: of two-fold and three-fold symmetry, else of its power; how far one lies from another", () => {
	const two = centreOf(kernelOf(ring, 31, 1.5, -2.25), 31, PIXEL);
	assert.is(two.fold, 2);
	assert.ok(Math.hypot(two.dx - 1.5, two.dy + 2.25) < 0.1);
	const corner = (x: number, y: number, a: number) =>
		Math.exp(-((x - 5 * Math.cos(a)) ** 2 + (y - 5 * Math.sin(a)) ** 2) / 5);
	const triangle = (x: number, y: number) =>
		[0.3, 0.3 + (2 * Math.PI) / 3, 0.3 - (2 * Math.PI) / 3].reduce(
			(sum, a) => sum + corner(x, y, a),
			0,
		);
	const three = centreOf(kernelOf(triangle, 31, -1, 0.5), 31, PIXEL);
	assert.is(three.fold, 3);
	assert.ok(Math.hypot(three.dx + 1, three.dy - 0.5) < 0.1);
	const bump = (x: number, y: number) => Math.exp(-(x * x + y * y) / 5);
	const odd = (x: number, y: number) =>
		bump(x, y) - bump(x - 7, y) + 0.9 * bump(x, y - 9);
	assert.is(centreOf(kernelOf(odd, 31), 31, PIXEL).fold, 1);
	const far = shiftBetween(kernelOf(odd, 31), kernelOf(odd, 31, 3, -2), 31, 8);
	assert.equal([far.dx, far.dy], [3, -2]);
	assert.ok(far.alike > 0.99);
});

test("one kind that is two is halved where they differ", () => {
	const map = mapOf(TWELVE, 0.05, 1);
	const found = looked({ ...map, sites: ONE });
	const second = halves(found, 0);
	const kinds = TWELVE.map(({ kind }) => kind === 1);
	const same = second.filter((half, j) => half === kinds[j]).length;
	assert.ok(same === 0 || same === 12, `${same}`);
});

test("one mark for two scatterers is taken for two, along their line; single ones are let be", () => {
	const twins = [
		{ x: 40, y: 52, weight: 1, kind: 0 },
		{ x: 42.5, y: 54.5, weight: 1, kind: 0 },
	];
	const single = ONE.slice(0, 6);
	const map = mapOf([...single, ...twins], 0.05);
	const between = { x: 41.2, y: 53.3, weight: 1.7, kind: 0 };
	const true_ = looked({ ...map, sites: [...single, ...twins] });
	assert.is(parted(true_.map, true_), undefined);
	// With the right kernel, for that of the marks is wider.
	const kernels = kernelOf(ring, SIZE);
	const sites = [...single, between];
	const rest = map.image.map((v, p) => {
		const [x, y] = [Math.floor(p / map.ny), p % map.ny];
		return sites.reduce(
			(left, site) => left - site.weight * ring(x - site.x, y - site.y),
			v,
		);
	});
	const fit = { kernels, size: SIZE, sigma: 0.05 };
	const two = parted({ ...map, sites }, { fit, rest: Float64Array.from(rest) });
	assert.is(two?.length, 8);
	assert.equal(two?.slice(0, 6), single);
	const [a, b] = two?.slice(6) ?? [];
	assert.ok(Math.abs(a.weight - 1) < 0.15, `${a.weight}`);
	for (const { x, y } of twins)
		assert.ok(
			Math.min(...[a, b].map((t) => Math.hypot(t.x - x, t.y - y))) < 0.9,
		);
});

test("support: places of one pattern confirm each other, places of noise do not", () => {
	const map = mapOf(ONE, 0.1);
	const standing = supportOf(map, SIZE, 1);
	assert.ok(Math.min(...standing) > 5, `${standing}`);
	const empty = supportOf({ ...mapOf([], 0.1), sites: ONE }, SIZE, 1);
	assert.ok(Math.min(...standing) > 2 * Math.max(...empty), `${empty}`);
	assert.ok(medianOf(empty) < 4.5, `${empty}`);
});

test("layers: dead and broken ones are left out, the rest as one image in which noise averages out", () => {
	const random = new Random(2);
	const pattern = mapOf(ONE, 0).image;
	const counted = new Float64Array(pattern.length).fill(1);
	const noisy = (scale: number) =>
		Float64Array.from(pattern, (v) => scale * (v + 0.5 * random.normal()));
	const broken = noisy(1);
	broken[7] = Number.NaN;
	const layers = [noisy(1), new Float64Array(pattern.length).fill(3)];
	const { images, leftOut } = componentsOf(
		[...layers, broken, noisy(-5), noisy(2), noisy(1)],
		counted,
	);
	assert.equal(leftOut, [1, 2]);
	const likeness = (a: ArrayLike<number>) => {
		const mean = (f: (p: number) => number) =>
			pattern.reduce((sum: number, _, p) => sum + f(p), 0) / pattern.length;
		const [ma, mb] = [mean((p) => a[p]), mean((p) => pattern[p])];
		const cross = mean((p) => (a[p] - ma) * (pattern[p] - mb));
		return Math.abs(
			cross /
				Math.sqrt(
					mean((p) => (a[p] - ma) ** 2) * mean((p) => (pattern[p] - mb) ** 2),
				),
		);
	};
	assert.ok(likeness(images[0]) > likeness(layers[0]) + 0.1);
	assert.equal(componentsOf([layers[1]], counted).images, []);
});

test("what is left over is listed with its place and its looks, not where scatterers are; heaps do not count", () => {
	const map = mapOf([], 0.05);
	const image = Float64Array.from(map.image);
	const spot = (x0: number, y0: number, height: number) => {
		for (let x = -6; x <= 6; x++)
			for (let y = -6; y <= 6; y++)
				image[(x0 + x) * map.ny + y0 + y] +=
					height * Math.exp(-(x * x + y * y) / 4);
	};
	spot(20, 30, 0.4);
	spot(60, 40, -0.6);
	spot(40, 15, 0.5);
	const known = { x: 40, y: 15, weight: 1, kind: 0 };
	const places = leftoversOf({ ...map, sites: [known] }, image);
	assert.equal(
		places.map(({ x, y, looks }) => [x, y, looks.split(" ")[0]]),
		[
			[60, 40, "dark"],
			[20, 30, "bright"],
		],
	);
	assert.ok(places[0].significance > places[1].significance);

	const found = { ...looked({ ...map, sites: ONE }), judgement: {} as never };
	const searched = {
		...{
			map,
			seen: { image: map.image, weights: map.weights },
		},
		...{ size: SIZE, seedReach: 6, white: 0.05, signed: false },
	};
	assert.is(withoutHeaps(searched, map.image, found), undefined);
	const heap = image.slice();
	heap[60 * map.ny + 60] = 50;
	const bare = withoutHeaps(searched, heap, found);
	const counts = (x: number, y: number) => bare?.map.weights[x * map.ny + y];
	assert.equal([counts(60, 60), counts(63, 60), counts(66, 60)], [0, 0, 1]);
});

test("seeds show what spots have in common, bright or dark; a window is a seed if it lies in the map", () => {
	const dark = ONE.map((site) => ({ ...site, weight: -1 }));
	for (const [sites, sign] of [
		[ONE, 1],
		[dark, -1],
	] as const) {
		const map = mapOf(sites, 0.1);
		const seen = { image: map.image, weights: map.weights };
		const [first] = seedsOf(seen, map.nx, map.ny, PIXEL, 6);
		assert.is(first.size, 13);
		const power = first.kernel.reduce((sum, v) => sum + v * v, 0);
		assert.ok(Math.abs(power - 1) < 1e-9);
		const truth = kernelOf(ring, 13).map((v) => sign * v);
		assert.ok(shiftBetween(first.kernel, truth, 13, 2).alike > 0.8);
	}
	const map = mapOf(ONE, 0.1);
	const seen = { image: map.image, weights: map.weights };
	const at = (x: number, y: number, size = 36) =>
		seedAt({ map, seen, size: SIZE }, { x, y, size });
	const [{ x, y }] = ONE;
	const window = at((x - 39.5) * PIXEL, (y - 35.5) * PIXEL);
	assert.is(window.size, 13);
	assert.ok(shiftBetween(window.kernel, kernelOf(ring, 13), 13, 2).alike > 0.8);
	assert.throws(() => at(119, 0), /inside the map/);
	assert.throws(() => at(0, 0, 5), /12.0 A or more, got 5 A/);
});

test("spots of a width stand out where they are, of their sign, above a threshold", () => {
	const random = new Random(5);
	const [n, pixel] = [120, 2];
	const sites = [
		{ x: 30, y: 40, height: 9 },
		{ x: 80, y: 90, height: -9 },
		{ x: 90, y: 30, height: 5 },
	];
	const image = Float64Array.from({ length: n * n }, (_, p) => {
		const [i, j] = [Math.floor(p / n), p % n];
		return sites.reduce(
			(sum, { x, y, height }) =>
				sum + height * Math.exp(-((i - x) ** 2 + (j - y) ** 2) / 18),
			random.normal(),
		);
	});
	const seen = seenBySearch({ images: [image], nx: n, ny: n, pixel });
	const found = (least: number, polarity: "bright" | "dark" | "either") =>
		spotsIn(seen, { width: 6, least, polarity });
	const all = found(8, "either");
	assert.is(all.length, 3);
	for (const { x, y, height } of sites) {
		const spot = all.find(
			(s) => Math.hypot(s.x / pixel + 59.5 - x, s.y / pixel + 59.5 - y) < 2.5,
		);
		assert.is(spot?.sign, Math.sign(height));
	}
	assert.is(found(8, "bright").length, 2);
	assert.is(found(8, "dark").length, 1);
	const least = all[2].significance;
	assert.is(found(1.05 * least, "either").length, 2);
	assert.throws(() => found(0, "dark"), /expected a width and a threshold/);
});

test("places gather an activation; peaks are apart; medians and spreads", () => {
	const [nx, ny] = [60, 50];
	const x = new Float64Array(nx * ny);
	x[20 * ny + 10] = 3;
	x[21 * ny + 10] = 1;
	x[45 * ny + 30] = 4;
	x[30 * ny + 40] = 0.2;
	const found = placesOf(x, nx, ny, PIXEL);
	assert.equal(
		found.map(({ x, y, weight }) => [x, y, weight]),
		[
			[45, 30, 1],
			[20.25, 10, 1],
		],
	);
	assert.equal(placesOf(new Float64Array(nx * ny), nx, ny, PIXEL), []);
	const near = Float64Array.from([0, 5, 0, 4, 0, 0, 0, 0, 3, 0]);
	const chosen = (apart: number, least: number) =>
		peaks(near, 1, 10, apart, least).map(({ y }) => y);
	assert.equal(chosen(1, 0), [1, 3, 8]);
	assert.equal(chosen(3, 0), [1, 8]);
	assert.equal(chosen(1, 3), [1, 3]);
	assert.equal(
		[medianOf([3, 1, 2, 9]), medianOf([]), medianOf([4])],
		[3, 0, 4],
	);
	assert.is(spreadOf([-1, 1, 2, 900], [1, 1, 1, 0]), 1.4826);
	const sites = [1, 2, 4].map((weight) => ({ x: 0, y: 0, kind: 1, weight }));
	assert.equal(medianWeights(sites, 2), [0, 2]);
	assert.equal(
		usual(sites, 2).map(({ weight }) => weight),
		[0.5, 1, 2],
	);
});

test("fineness: waves of eight pixels bear larger ones, those of three do not; the noise is what was added", () => {
	const [nx, ny] = [288, 256];
	const random = new Random(9);
	const waves = (length: number) => ({
		image: Float64Array.from(
			{ length: nx * ny },
			(_, p) =>
				Math.cos((2 * Math.PI * (Math.floor(p / ny) + (p % ny) / 2)) / length) +
				0.3 * random.normal(),
		),
		weights: new Float64Array(nx * ny).fill(1),
	});
	const [long, short] = [9, 3].map((n) => finenessOf(waves(n), nx, ny));
	assert.equal([long.factor, short.factor], [2, 1]);
	assert.ok(Math.abs(long.noise - 0.3) < 0.02, `${long.noise}`);
});

test.run();
