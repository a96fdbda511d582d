import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	type Order,
	rotate,
	symmetrise,
	testSymmetry,
} from "../src/extraction/symmetry.ts";
import { kernelImage, kernelModel, planKernels } from "../src/qpi/generator.ts";
import { correlation } from "../src/qpi/metrics.ts";
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

test("the scores are the correlations of turned kernels", () => {
	const where = disc(64, 24);
	for (const order of [1, 3, 4] as const) {
		const kernel = kernelOf(order);
		const even = symmetrise(kernel, "isotropic");
		const rest = kernel.map((v, p) => v - even[p]);
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
			// pixels at half-integer places and rings see the centre a little differently
			assert.ok(Math.abs(score.whole - self(kernel)) < 0.06, label);
			assert.ok(Math.abs((score.anisotropic ?? 9) - self(rest)) < 0.03, label);
		}
	}
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
		/4 to 31 pixels, got 40/,
	);
	assert.throws(
		() => testSymmetry(kernel, { samples: [kernel] }),
		/at least 8 samples, got 1/,
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
