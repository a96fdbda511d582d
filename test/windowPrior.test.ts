import { test } from "uvu";
import * as assert from "uvu/assert";
import { fold, packTriangle, SORTS } from "../src/qpi/operator/quadrants.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { BlockCovariance } from "../src/qpi/posterior/blockCovariance.ts";
import {
	FactoredCovariance,
	independent,
} from "../src/qpi/posterior/factoredCovariance.ts";
import { type Covariance, KernelPrior } from "../src/qpi/posterior/prior.ts";
import { WindowPrior } from "../src/qpi/posterior/windowPrior.ts";
import { Random } from "../src/random.ts";

const random = new Random(2);
const normals = (n: number) =>
	Float64Array.from({ length: n }, () => random.normal());

type Pattern = (x: number, y: number) => number;
/** Band-limited patterns of each of SORTS, q radians a node. */
const PATTERNS: readonly ((q: number) => Pattern)[] = [
	(q) => (x, y) => Math.cos(q * x) + Math.cos(q * y),
	(q) => (x, y) => Math.cos(q * x) - Math.cos(q * y),
	(q) => (x, y) => Math.sin(q * x) * Math.sin(q * y),
	(q) => (x, y) =>
		Math.sin(q * x) * Math.sin(q * 2 * y) -
		Math.sin(q * 2 * x) * Math.sin(q * y),
	(q) => (x, y) => Math.cos(q * x) * Math.sin(1.4 * q * y),
];
const QS = [0.3, 0.9];
const WIDTH = 12;
const place = (p: number, size: number, step: number) => ({
	x: (Math.floor(p / size) - (size - 1) / 2) * step,
	y: ((p % size) - (size - 1) / 2) * step,
});

/** Of unit norm on the prior's 128 x 128 nodes. */
function scaled(pattern: Pattern): Pattern {
	const under: Pattern = (x, y) =>
		pattern(x, y) * Math.exp(-(x * x + y * y) / 2 / WIDTH ** 2);
	let square = 0;
	for (let p = 0; p < 128 * 128; p++) {
		const { x, y } = place(p, 128, 1);
		square += under(x, y) ** 2;
	}
	return (x, y) => under(x, y) / Math.sqrt(square);
}

/** The patterns in the order of the prior's coefficients: mixed ones, then these with x and y exchanged. */
const patterns: Pattern[] = PATTERNS.flatMap((of) =>
	QS.map((q) => scaled(of(q))),
);
patterns.push(
	...patterns.slice(-2).map(
		(f): Pattern =>
			(x, y) =>
				f(y, x),
	),
);
const variances = [7, 2, 6, 1.5, 5, 1.2, 4, 1.1, 3, 1];
const all = [...variances, ...variances.slice(-2)];
const learned = normals(36);
const FLOOR = 0.01;

const prior = new KernelPrior(
	new Map<string, { shape: number[]; data: Float32Array }>([
		...SORTS.flatMap(({ name, swap }, s) => {
			const quadrants = [0, 1].flatMap((c) => {
				const nodes = Float64Array.from({ length: 128 * 128 }, (_, p) => {
					const { x, y } = place(p, 128, 1);
					return patterns[2 * s + c](x, y);
				});
				const quadrant = fold(nodes)[[0, 0, 1, 1, 2][s]];
				return [...(swap === 0 ? quadrant : packTriangle(quadrant))];
			});
			return [
				[
					`${name}.components`,
					{
						shape: [2, quadrants.length / 2],
						data: Float32Array.from(quadrants),
					},
				],
				[
					`${name}.variances`,
					{
						shape: [2],
						data: Float32Array.from(variances.slice(2 * s, 2 * s + 2)),
					},
				],
			] as [string, { shape: number[]; data: Float32Array }][];
		}),
		["kernels", { shape: [3, 12], data: Float32Array.from(learned) }],
		["floor", { shape: [1], data: Float32Array.of(FLOOR) }],
	]),
);

const SHAPE = { size: 45, step: 0.71 };
const AREA = SHAPE.size ** 2;
/** Patterns on the window, from their formulas. */
const direct = patterns.map((f) =>
	Float64Array.from({ length: AREA }, (_, p) => {
		const { x, y } = place(p, SHAPE.size, SHAPE.step);
		return f(x, y);
	}),
);
const expand = (z: ArrayLike<number>) =>
	direct[0].map((_, p) =>
		direct.reduce((sum, pattern, c) => sum + z[c] * pattern[p], 0),
	);
const off = (found: ArrayLike<number>, expected: ArrayLike<number>) => {
	let [difference, size] = [0, 0];
	for (let i = 0; i < found.length; i++) {
		difference += (found[i] - expected[i]) ** 2;
		size += expected[i] ** 2;
	}
	return Math.sqrt(difference / size);
};

test("components between the prior's nodes are where their formulas have them", () => {
	const {
		components,
		variances: kept,
		own,
	} = WindowPrior.of(prior, SHAPE).factors;
	assert.equal([...kept], [...Float32Array.from(all)]);
	direct.forEach((expected, c) => {
		const found = components.subarray(c * AREA, (c + 1) * AREA);
		assert.ok(off(found, expected) < 3e-3, `${c}: ${off(found, expected)}`);
	});
	assert.ok(own.every((v) => Math.abs(v - FLOOR) < 1e-8));
});

test("a window wider than the prior's nodes is zero beyond them", () => {
	const size = 161;
	const { components } = WindowPrior.of(prior, { size, step: 1 }).factors;
	for (let p = 0; p < size * size; p++) {
		const { x, y } = place(p, size, 1);
		if (Math.max(Math.abs(x), Math.abs(y)) > 72) assert.is(components[p], 0);
	}
	const middle = components[(size * size - 1) / 2];
	assert.ok(Math.abs(middle / patterns[0](0, 0) - 1) < 3e-3);
});

test("the most important components are kept, and what the others hold goes to each pixel", () => {
	const window = WindowPrior.of(prior, { ...SHAPE, most: 4 });
	const kept = [0, 2, 4, 6];
	assert.equal([...window.factors.variances], [7, 6, 5, 4]);
	kept.forEach((c, at) => {
		const found = window.factors.components.subarray(
			at * AREA,
			(at + 1) * AREA,
		);
		assert.ok(off(found, direct[c]) < 3e-3);
	});
	const left = all.reduce((sum, v, c) => sum + (kept.includes(c) ? 0 : v), 0);
	assert.ok(Math.abs(window.own[7] - FLOOR - left / 128 ** 2) < 1e-6);
	// one coefficient a component that was kept
	assert.is(window.coefficients(new Float64Array(AREA)).length, 4);
});

test("apply is V diag(variances) V^T and each pixel's own; coefficients are its part in it", () => {
	const own = normals(AREA).map((v) => v * v);
	const window = WindowPrior.of(prior, SHAPE).withOwn(own);
	const u = normals(AREA);
	const z = direct.map((pattern, c) => all[c] * dot(pattern, u));
	const smooth = expand(z);
	assert.ok(off(window.coefficients(u), z) < 3e-3);
	const expected = smooth.map((v, p) => v + own[p] * u[p]);
	assert.ok(off(window.apply(u), expected) < 3e-3);
});

test("near a kernel: those that were learned and are like it, in any orientation, and a share of all", () => {
	const window = WindowPrior.of(prior, SHAPE).withOwn(new Float64Array(AREA));
	const row = learned.slice(12, 24);
	// x and y exchanged: even in the exchange stay, odd ones change sign, mixed ones change places
	const turned = row.map(
		(v, c) =>
			[
				v,
				v,
				-v,
				-v,
				v,
				v,
				-v,
				-v,
				row[c + 2],
				row[c + 2],
				row[c - 2],
				row[c - 2],
			][c],
	);
	const pattern = expand(turned);
	const probe = normals(AREA);
	const close = window.near(turned, { width: 1e-3, share: 1e-9 });
	assert.ok(
		off(
			close.apply(probe),
			pattern.map((v) => v * dot(pattern, probe)),
		) < 0.01,
	);
	const share = 0.3;
	const wide = window.near(turned, { width: 1e-3, share });
	const z = direct.map((d, c) => share * all[c] * dot(d, probe));
	const expected = expand(z).map(
		(v, p) => v + (1 - share) * pattern[p] * dot(pattern, probe),
	);
	assert.ok(off(wide.apply(probe), expected) < 0.01);
	// its own estimate of coefficients goes in, and the variance of pixels stays
	const own = new Float64Array(AREA).fill(0.4);
	assert.equal(window.withOwn(own).near(turned).own, own);
});

test("even sizes and windows coarser than the prior are refused in words", () => {
	for (const bad of [
		{ size: 44, step: 0.5 },
		{ size: 45, step: 1.2 },
		{ size: 45, step: 0 },
	])
		assert.throws(
			() => WindowPrior.of(prior, bad),
			/odd size and a step of at most 1, got 4/,
		);
});

/** Components and numbers of them that leave remainders of four. */
const factored = (n: number, nodes = 30) =>
	new FactoredCovariance({
		own: normals(nodes).map((v) => 0.1 * v * v),
		components: Float32Array.from(normals(n * nodes)),
		variances: normals(n).map((v) => v * v),
		weights: Float64Array.of(1, 0.5),
		vectors: normals(2 * n),
	});

function symmetricPositive(c: Covariance, nodes: number) {
	for (let k = 0; k < 5; k++) {
		const [x, y] = [normals(nodes), normals(nodes)];
		const [left, right] = [dot(c.apply(x), y), dot(x, c.apply(y))];
		assert.ok(Math.abs(left - right) < 1e-9 * Math.abs(dot(c.apply(x), x)));
		assert.ok(dot(c.apply(x), x) > 0);
	}
}

function variancesOfDraws(c: Covariance, nodes: number) {
	const draws = 4000;
	const square = new Float64Array(nodes);
	for (let d = 0; d < draws; d++)
		c.sample(random).forEach((v, i) => {
			square[i] += (v * v) / draws;
		});
	square.forEach((v, i) => {
		const unit = new Float64Array(nodes);
		unit[i] = 1;
		const expected = c.apply(unit)[i];
		assert.ok(
			Math.abs(v / expected - 1) < 5 * Math.sqrt(2 / draws),
			`node ${i}: ${v} for ${expected}`,
		);
	});
}

test("factored covariances: the dense matrix, symmetric, positive, and that of their draws", () => {
	for (const n of [3, 4, 9]) {
		const c = factored(n);
		const { own, components, variances: v, weights, vectors } = c.factors;
		const alike = [...weights].map((weight, m) => ({
			weight,
			vector: vectors.slice(m * n, (m + 1) * n),
		}));
		const x = normals(30);
		const z = Float64Array.from({ length: n }, (_, k) =>
			dot(Float64Array.from(components.subarray(k * 30, k * 30 + 30)), x),
		);
		const spread = z.map(
			(value, k) =>
				value * v[k] +
				alike.reduce(
					(sum, { weight, vector }) =>
						sum + weight * vector[k] * dot(vector, z),
					0,
				),
		);
		const expected = x.map(
			(value, i) =>
				own[i] * value +
				spread.reduce((sum, s, k) => sum + s * components[k * 30 + i], 0),
		);
		assert.ok(off(c.apply(x), expected) < 1e-12);
		symmetricPositive(c, 30);
		variancesOfDraws(c, 30);
	}
});

test("covariances of several kinds: each on its own", () => {
	const parts = [factored(5), independent(new Float64Array(30).fill(0.3))];
	const c = new BlockCovariance(parts);
	symmetricPositive(c, 60);
	variancesOfDraws(c, 60);
	const x = normals(60);
	assert.equal(
		[...c.apply(x)],
		[...parts[0].apply(x.slice(0, 30)), ...parts[1].apply(x.slice(30))],
	);
});

test.run();
