import { test } from "uvu";
import * as assert from "uvu/assert";
import { weightAt } from "../src/extraction/findings/harmonics.ts";
import {
	type Order,
	rotate,
	symmetrise,
	testSymmetry,
} from "../src/extraction/findings/symmetry.ts";
import { ripplesOf } from "../src/extraction/findings/systematics.ts";
import {
	kernelImage,
	kernelModel,
	planKernels,
} from "../src/qpi/generator/generator.ts";
import { correlation } from "../src/qpi/scores/metrics.ts";
import { Random } from "../src/random.ts";

const specs = planKernels(100, 1);
const spec = (family: string) => {
	const found = specs.filter((s) => s.family === family)[2];
	if (!found) throw new Error(`no family ${family}`);
	return found;
};
const kernels: [string, Order, Float32Array][] = (
	[
		["ag111 phase 0.6", "isotropic"],
		["warped 0.12", 6],
		["c4 pocket c4=120", 4],
		["trimer R=12", 3],
		["ellipse m=0.6,0.25 black dot", 2],
		["scalene trimer", 1],
	] as const
).map(([family, order]) => [
	family,
	order,
	kernelImage(kernelModel(spec(family))),
]);
const kernelOf = (order: Order) => {
	const found = kernels.find(([, o]) => o === order);
	if (!found) throw new Error(`no kernel of order ${order}`);
	return found[2];
};

/** Pixels within `radius` of the middle. */
const disc = (n: number, radius: number) =>
	Array.from({ length: n * n }, (_, p) => p).filter(
		(p) =>
			Math.hypot(Math.floor(p / n) - (n - 1) / 2, (p % n) - (n - 1) / 2) <=
			radius,
	);
const difference = (a: Float32Array, b: Float32Array, where: number[]) =>
	Math.sqrt(
		where.reduce((sum, p) => sum + (a[p] - b[p]) ** 2, 0) /
			where.reduce((sum, p) => sum + b[p] ** 2, 0),
	);

const near = (a: number, b: number, within: number, what: string) =>
	assert.ok(Math.abs(a - b) <= within, `${what}: ${a}, expected ${b}`);

test("quarter turns move pixels exactly: x to y", () => {
	const one = new Float32Array(4096);
	one[63 * 64 + 40] = 1; // right, a little above the middle
	const turned = rotate(one, Math.PI / 2);
	assert.is(turned[(63 - 40) * 64 + 63], 1); // top, a little left of it
	const random = new Random(1);
	const any = Float32Array.from({ length: 256 }, () => random.normal());
	assert.equal(rotate(rotate(any, Math.PI / 2), (3 * Math.PI) / 2), any);
	assert.equal(rotate(any, Math.PI), any.slice().reverse());
});

test("turning a kernel is turning its crystal, to 1 % within 150 A", () => {
	for (const family of ["dimer", "warped 0.12"]) {
		const before = spec(family);
		const after = { ...before, rotation: before.rotation + 0.5 };
		const turned = rotate(kernelImage(kernelModel(before)), 0.5);
		const truth = kernelImage(kernelModel(after));
		const error = difference(turned, truth, disc(64, 24));
		assert.ok(error < 0.01, `${family}: ${error}`);
		assert.ok(Number.isNaN(turned[0]) && !Number.isNaN(turned[32]));
	}
});

test("symmetrised kernels have the symmetry, and those that had it stay", () => {
	const random = new Random(2);
	const any = Float32Array.from({ length: 4096 }, () => random.normal());
	for (const order of [2, 4] as const) {
		const once = symmetrise(any, order);
		const turned = rotate(once, (2 * Math.PI) / order);
		assert.ok(difference(turned, once, disc(64, 99)) < 1e-6, `${order}-fold`);
	}
	assert.equal(symmetrise(any, 1), any);
	for (const [family, order, kernel] of kernels) {
		const error = difference(symmetrise(kernel, order), kernel, disc(64, 31));
		assert.ok(error < 0.02, `${family}: ${error}`);
	}
	const three = symmetrise(kernelOf(1), 3);
	const turned = rotate(three, (2 * Math.PI) / 3);
	assert.ok(difference(turned, three, disc(64, 24)) < 0.01, "3-fold");
	assert.ok(three.every(Number.isFinite));
	// the support of the forward operator
	const wide = symmetrise(
		Float32Array.from({ length: 128 * 128 }, () => random.normal()),
		4,
	);
	assert.ok(difference(rotate(wide, Math.PI / 2), wide, disc(128, 200)) < 1e-6);
});

for (const [family, order, kernel] of kernels)
	test(`${family}: the verdict is ${order}, without noise and with`, () => {
		assert.is(testSymmetry(kernel).order, order);
		const random = new Random(5);
		const range = Math.max(...kernel) - Math.min(...kernel);
		const uncertainty = 0.05 * range;
		const noisy = kernel.map((v) => v + uncertainty * random.normal());
		const verdict = testSymmetry(noisy, { uncertainty, correlation: 1 });
		assert.is(verdict.order, order, verdict.why);
		for (const { order: n, against, rejected, anisotropic } of verdict.scores) {
			const holds =
				order === "isotropic" || (n !== "isotropic" && order % n === 0);
			assert.is(rejected, !holds, `${n}: harmonics ${against}`);
			// the noise's share is taken off: it would pull this far below 1
			if (holds && anisotropic !== null)
				assert.ok(anisotropic > 0.8, `${n}: ${anisotropic}`);
		}
	});

test("the scores are the correlations of turned ripples", () => {
	for (const order of [2, 3, 4] as const) {
		const kernel = kernelOf(order);
		const { zone } = ripplesOf(kernel, 64, 31.5);
		// the ripples' own weights, twice: the verdict is of their product
		const masked = kernel.map(
			(v, p) =>
				v *
				weightAt(
					zone,
					Math.hypot(
						Math.floor(p / 64) - 31.5 - zone.centre[0],
						(p % 64) - 31.5 - zone.centre[1],
					),
				),
		);
		const last = zone.radii[zone.radii.length - 1];
		const where = disc(64, last).filter((p) => masked[p] !== 0);
		const even = symmetrise(masked, "isotropic");
		const rest = masked.map((v, p) => v - even[p]);
		for (const score of testSymmetry(kernel).scores) {
			if (score.order === "isotropic") continue;
			const self = (image: Float32Array) => {
				const turned = rotate(image, (2 * Math.PI) / Number(score.order));
				return correlation(
					where.map((p) => turned[p]),
					where.map((p) => image[p]),
				);
			};
			const label = `${order}-fold kernel, ${score.order}`;
			// pixels at half-integer places and rings see the rims a little differently
			near(score.whole, self(masked), 0.06, label);
			near(score.anisotropic ?? 9, self(rest), 0.05, label);
		}
	}
});

test("shares of the power lie between 0 and 1 and add up to no more, errors known or not, too large or too small", () => {
	const random = new Random(11);
	const white = Float32Array.from({ length: 45 * 45 }, () => random.normal());
	for (const [kernel, sigma] of [
		...kernels.map(([, , k]) => [k, 0.01] as const),
		[white, 1],
		[white, 0.2],
		[white, 30],
	] as const)
		for (const uncertainty of [undefined, sigma]) {
			const shares = testSymmetry(kernel, { uncertainty }).harmonics.map(
				(h) => h.share,
			);
			assert.ok(shares.every((s) => s >= 0 && s <= 1));
			assert.ok(shares.reduce((a, b) => a + b) <= 1 + 1e-12);
		}
});

/** Rings of 12 pixels' period on 61 x 61 pixels, zero beyond 30, with a core of 1.6 times 3.2 pixels. */
const native = (f: (x: number, y: number) => number, core = 4) =>
	Float64Array.from({ length: 61 * 61 }, (_, p) => {
		const [x, y] = [Math.floor(p / 61) - 30, (p % 61) - 30];
		if (Math.hypot(x, y) > 30) return 0;
		return (
			core * Math.exp(-((x / 1.6) ** 2 + (y / 3.2) ** 2) / 2) + 12 * f(x, y)
		);
	});
const rings = (r: number) => Math.cos(0.52 * r + 1) / Math.hypot(r, 3);

test("an elongated core, a centre between pixels and a background do not make round rings anisotropic; the same core does not hide two-fold ones", () => {
	const sigma = 0.03;
	const random = new Random(12);
	const samples = (kernel: Float64Array) =>
		Array.from({ length: 12 }, () =>
			kernel.map((v) => (v ? v + sigma * random.normal() : 0)),
		);
	const round = native(
		(x, y) =>
			rings(Math.hypot(x - 0.3, y + 0.2)) +
			0.03 * ((x / 30) ** 2 + (x * y) / 900),
	);
	const verdict = testSymmetry(round, { samples: samples(round) });
	assert.is(verdict.order, "isotropic", verdict.why);
	const oval = native((x, y) =>
		rings(Math.hypot(x, y) * (1 + 0.06 * Math.cos(2 * Math.atan2(y, x)))),
	);
	assert.is(testSymmetry(oval, { samples: samples(oval) }).order, 2);
});

test("what only the groups of scatterers know of is no symmetry", () => {
	const random = new Random(13);
	const plain = native((x, y) => rings(Math.hypot(x, y)), 0);
	const square = native(
		(x, y) => 0.5 * rings(Math.hypot(x, y)) * Math.cos(4 * Math.atan2(y, x)),
		0,
	);
	const kernel = plain.map((v, p) => v + square[p]);
	const samples = Array.from({ length: 12 }, () =>
		kernel.map((v) => (v ? v + 0.02 * random.normal() : 0)),
	);
	assert.is(testSymmetry(kernel, { samples }).order, 4);
	// one of five groups made it
	const groups = [1.25, 1.25, 1.25, 1.25, 0].map((share) =>
		plain.map((v, p) => v + share * square[p]),
	);
	assert.is(testSymmetry(kernel, { samples, groups }).order, "isotropic");
	const alike = [1, 0.99, 1.01, 1, 1].map((share) =>
		kernel.map((v) => share * v),
	);
	assert.is(testSymmetry(kernel, { samples, groups: alike }).order, 4);
});

test("white noise alone counts as isotropic, at the errors' true size", () => {
	const random = new Random(7);
	for (let i = 0; i < 20; i++) {
		const noise = Float32Array.from({ length: 4096 }, () => random.normal());
		const options = { correlation: 1, tolerance: 0 };
		const verdict = testSymmetry(noise, { ...options, uncertainty: 1 });
		assert.is(verdict.order, "isotropic", verdict.why);
		assert.is(verdict.mirror, null);
		assert.ok(verdict.scores.every((s) => s.anisotropic === null));
		if (i > 2) continue;
		const draws = Array.from({ length: 12 }, () =>
			noise.map((v) => v + random.normal()),
		);
		assert.is(testSymmetry(noise, { samples: draws }).order, "isotropic");
		const low = testSymmetry(noise, { ...options, uncertainty: 0.5 });
		assert.is(low.order, 1, "errors half as large as they are");
	}
});

test("the spread of samples replaces the map", () => {
	const random = new Random(9);
	const kernel = kernelOf(4);
	const sigma = 0.02 * (Math.max(...kernel) - Math.min(...kernel));
	const draw = (s: number) => kernel.map((v) => v + s * random.normal());
	const samples = Array.from({ length: 12 }, () => draw(sigma));
	assert.is(testSymmetry(draw(sigma), { samples }).order, 4);
	const vague = Array.from({ length: 12 }, () => draw(40 * sigma));
	assert.is(testSymmetry(kernel, { samples: vague }).order, "isotropic");
});

test("the mirror axis of an ellipse is one of its axes; three unequal sites have none", () => {
	const { mirror } = testSymmetry(kernelOf(2));
	const { rotation } = spec("ellipse m=0.6,0.25 black dot");
	assert.ok(mirror && mirror.score > 0.99);
	const turns = (mirror.axis - rotation) / (Math.PI / 2);
	assert.ok(
		Math.abs(turns - Math.round(turns)) < 0.02,
		`${turns} quarter turns`,
	);
	assert.ok((testSymmetry(kernelOf(1)).mirror?.score ?? 1) < 0.9);
});

test("what was imposed is not tested: no sigma on what only rounding leaves", () => {
	const random = new Random(21);
	const noisy = () => kernelOf(2).map((v) => v + 0.02 * random.normal());
	const fourfold = symmetrise(noisy(), 4);
	const samples = Array.from({ length: 12 }, () => symmetrise(noisy(), 4));
	const { harmonics, order } = testSymmetry(fourfold, { samples, imposed: 4 });
	for (const { m, share, significance } of harmonics)
		assert.is(significance !== null, m % 4 === 0, `m = ${m}, ${share}`);
	assert.is(order, 4);
});

test("the sentence names the harmonics that decide", () => {
	const sigma = 1e-3;
	const why = (order: Order) =>
		testSymmetry(kernelOf(order), { uncertainty: sigma }).why;
	assert.match(why(4), /^4-fold: not isotropic because of m = 4 \(\d.*sigma/);
	assert.match(
		why(1),
		/^No rotational symmetry: the strongest harmonic is m = /,
	);
	assert.match(why("isotropic"), /^Isotropic/);
	assert.match(testSymmetry(kernelOf(4)).why, /errors are unknown/);
});

test("wrong input is named", () => {
	const kernel = kernelOf(4);
	assert.throws(() => testSymmetry(kernel.slice(1)), /square image/);
	assert.throws(
		() => testSymmetry(kernel, { radius: 40 }),
		/4 to 31.5 pixels, got 40/,
	);
	assert.throws(
		() => testSymmetry(kernel, { samples: [kernel] }),
		/at least 8 samples, got 1/,
	);
	assert.throws(
		() => testSymmetry(kernel, { groups: [kernel, kernel] }),
		/at least 3 groups, got 2/,
	);
	assert.throws(
		() => testSymmetry(kernel, { uncertainty: new Float32Array(256) }),
		/4096 pixels, its uncertainty 256/,
	);
	assert.throws(
		() =>
			rotate(
				kernel.map(() => Number.NaN),
				1,
			),
		/finite/,
	);
});

test.run();
