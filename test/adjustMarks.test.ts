import { test } from "uvu";
import * as assert from "uvu/assert";
import { adjustSites } from "../src/extraction/marks/adjustMarks.ts";
import { MapOperator, type Site } from "../src/qpi/operator/mapOperator.ts";
import { Random } from "../src/random.ts";

const [NX, NY, SIZE] = [90, 70, 41];
const SIGMA = 0.05;
const PRIOR = { amplitude: 0.3, shift: 0.5 };
type Mark = Required<Site>;

/** Two kinds of waves, well resolved. */
const kernels = Float64Array.from({ length: 2 * SIZE * SIZE }, (_, k) => {
	const p = k % (SIZE * SIZE);
	const r = Math.hypot(Math.floor(p / SIZE) - 20, (p % SIZE) - 20);
	return Math.cos((k === p ? 1.1 : 0.6) * r) * Math.exp(-r / 5);
});
const truth: Mark[] = [
	{ x: 20.3, y: 17.8, weight: 1.2, kind: 0 },
	{ x: 62.1, y: 50.4, weight: 0.8, kind: 0 },
	{ x: 41.7, y: 33.2, weight: 1, kind: 1 },
	{ x: 70.2, y: 12.6, weight: 1.1, kind: 1 },
	{ x: 15.5, y: 55.1, weight: 0.9, kind: 1 },
];
const apply = (sites: readonly Mark[]) =>
	new MapOperator({ nx: NX, ny: NY, size: SIZE, kinds: 2 }, sites).apply(
		kernels,
	);
const clean = apply(truth);
const noisy = (seed: number) => {
	const random = new Random(seed);
	return clean.map((v) => v + SIGMA * random.normal());
};
const image = noisy(5);
const ones = new Float64Array(NX * NY).fill(1);

function adjusted(
	sites: readonly Mark[],
	marks = sites,
	{ map = image, weights = ones, prior = PRIOR } = {},
) {
	const model = apply(sites);
	const rest = model.map((v, p) => (weights[p] > 0 ? map[p] - v : 0));
	return adjustSites(
		{ nx: NX, ny: NY, rest, weights, kernels, size: SIZE, sigma: SIGMA },
		sites,
		marks,
		prior,
	);
}
function repeated(marks: readonly Mark[], options = {}) {
	let found = adjusted(marks, marks, options);
	for (let round = 0; round < 4; round++)
		found = adjusted(found.sites, marks, options);
	return found;
}
const off = (found: readonly Mark[], j: number) =>
	Math.hypot(found[j].x - truth[j].x, found[j].y - truth[j].y);
const shifted = truth.map((site, j) => ({
	...site,
	x: site.x + [0.6, -0.5, 0.4, -0.6, 0.3][j],
	y: site.y - [0.4, 0.3, -0.6, 0.2, -0.5][j],
	weight: 1,
}));

test("shifted marks of wrong amplitudes come back, of both kinds", () => {
	const first = adjusted(shifted);
	assert.ok(first.promise > 100, `promise ${first.promise}`);
	const { sites, errors } = repeated(shifted);
	for (const [j, { weight }] of sites.entries()) {
		assert.ok(off(sites, j) < 0.05, `${j}: ${off(sites, j)} pixels off`);
		assert.ok(Math.abs(weight - truth[j].weight) < 0.04, `${j}: ${weight}`);
		assert.ok(errors[j].x < 0.03 && errors[j].weight < 0.04);
	}
	// it was costly to move them so far
	assert.ok(first.occam < 0);
});

test("exact marks promise nothing and stay", () => {
	const { sites, promise } = adjusted(truth);
	assert.ok(promise <= 0, `promise ${promise}`);
	for (const j of truth.keys()) assert.ok(off(sites, j) < 0.05);
});

test("the mean amplitude of each kind is the kernel's own and stays", () => {
	const strong = truth.map((site) => ({ ...site, weight: 2 * site.weight }));
	const { sites } = adjusted(strong);
	for (const kind of [0, 1]) {
		const total = (list: readonly Mark[]) =>
			list.reduce((s, site) => s + (site.kind === kind ? site.weight : 0), 0);
		assert.ok(Math.abs(total(sites) / total(strong) - 1) < 1e-9);
	}
});

test("errors are those that places and amplitudes have over many maps", () => {
	const prior = { amplitude: 10, shift: 10 };
	const [maps, single] = [60, { x: 0, weight: 0 }];
	for (let seed = 0; seed < maps; seed++) {
		const { sites, errors, amplitudes } = adjusted(truth, truth, {
			map: noisy(100 + seed),
			prior,
		});
		for (const [j, { x, weight }] of truth.entries()) {
			const share = 1 / maps / truth.length;
			single.x += share * ((sites[j].x - x) / errors[j].x) ** 2;
			single.weight +=
				share * ((amplitudes[j] - weight) / errors[j].weight) ** 2;
		}
	}
	for (const [name, square] of Object.entries(single))
		assert.ok(Math.abs(square - 1) < 0.3, `${name}: ${square}`);
});

test("a mark on an empty place is insignificant, on a scatterer it is not", () => {
	const empty = { x: 40, y: 60, weight: 1, kind: 0 };
	const { significances, amplitudes } = adjusted([...truth, empty]);
	assert.ok(Math.abs(significances[5]) < 3, `${significances[5]}`);
	assert.ok(Math.abs(amplitudes[5]) < 0.1);
	for (const [j, { weight }] of truth.entries()) {
		assert.ok(significances[j] > 20, `${j}: ${significances[j]}`);
		assert.ok(Math.abs(amplitudes[j] - weight) < 0.1);
	}
});

test("two marks on one scatterer: neither amplitude is known, and the errors say so", () => {
	const alone = adjusted(truth);
	const twin = { ...truth[0], x: truth[0].x + 0.2, weight: 0.6 };
	const both = adjusted([
		{ ...truth[0], weight: 0.6 },
		...truth.slice(1),
		twin,
	]);
	for (const j of [0, 5]) {
		assert.ok(both.errors[j].weight > 4 * alone.errors[0].weight);
		assert.ok(
			Math.abs(both.significances[j]) < alone.significances[0] / 5,
			`${both.significances[j]} of ${alone.significances[0]}`,
		);
	}
	// the others are as well known as before
	assert.ok(both.errors[2].weight < 1.05 * alone.errors[2].weight);
});

test("pixels of weight 0 do not count, and a mark that no pixel sees stays", () => {
	const weights = ones.map((_, p) => (Math.floor(p / NY) < 36 ? 0 : 1));
	const map = image.map((v, p) => (weights[p] ? v : Number.NaN));
	const { sites, errors, promise } = repeated(shifted, { map, weights });
	assert.ok(Number.isFinite(promise));
	assert.ok(off(sites, 1) < 0.05 && off(sites, 3) < 0.05);
	// 16 pixels inside the masked half
	assert.ok(off(sites, 0) > 0.5, `moved to ${off(sites, 0)}`);
	assert.ok(errors[0].x > 0.9 * PRIOR.shift);
	const far = [...truth, { x: -60, y: 20, weight: 1, kind: 0 }];
	const { significances } = adjusted(far);
	assert.ok(significances.every(Number.isFinite));
	assert.ok(significances[5] < 0.01);
});

test.run();
