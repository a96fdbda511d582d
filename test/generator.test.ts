import { test } from "uvu";
import * as assert from "uvu/assert";
import { PIXEL } from "../src/qpi/dataset/format.ts";
import { BOX, hamiltonian, latticeCells } from "../src/qpi/generator/bands.ts";
import {
	type KernelModel,
	type KernelSpec,
	kernelModel,
	makeKernel,
	makeKernelSet,
	planKernels,
	randomKernel,
} from "../src/qpi/generator/generator.ts";
import {
	addLines,
	addNoise,
	addStreaks,
	addWhite,
	amplitudes,
	blur,
	deviation,
	dropLines,
	marks,
	measuredNoise,
	randomNoise,
} from "../src/qpi/generator/noise.ts";
import { NYQUIST } from "../src/qpi/generator/table.ts";
import { Fft2d } from "../src/qpi/maths/fft.ts";
import { Random } from "../src/random.ts";

const PLAN = planKernels(100, 1);
/** One kernel of each family: the last, whose ripples are the finest. */
const LAST = [...new Map(PLAN.map((spec) => [spec.family, spec])).values()];
const models = new Map<KernelSpec, KernelModel>();
function model(spec: KernelSpec): KernelModel {
	const made = models.get(spec) ?? kernelModel(spec);
	models.set(spec, made);
	return made;
}

function count<T>(items: readonly T[]): Map<T, number> {
	const result = new Map<T, number>();
	for (const item of items) result.set(item, (result.get(item) ?? 0) + 1);
	return result;
}

test("the plan of 100: classes, families of four and more energies, numbers", () => {
	assert.equal([...count(PLAN.map((spec) => spec.symmetry))].sort(), [
		[1, 12],
		[2, 20],
		[3, 12],
		[4, 22],
		[6, 34],
	]);
	for (const [family, energies] of count(PLAN.map((spec) => spec.family)))
		assert.ok(energies >= 4, `${family} has ${energies} energies`);
	assert.is(new Set(PLAN.map((s) => `${s.family} ${s.energy}`)).size, 100);
	assert.equal(
		PLAN.map((spec) => spec.number),
		Array.from({ length: 100 }, (_, i) => i + 1),
	);
	assert.equal(JSON.parse(JSON.stringify(PLAN)), PLAN);
	assert.equal(planKernels(100, 1), PLAN);
	assert.not.equal(planKernels(100, 2), PLAN);
});

test("plans of other sizes keep every class", () => {
	for (const size of [6, 7, 12, 24, 30, 48, 57, 99, 250]) {
		const plan = planKernels(size, 3);
		assert.is(plan.length, size);
		assert.is(count(plan.map((spec) => spec.symmetry)).size, 5);
		if (size >= 48)
			for (const [family, n] of count(plan.map((spec) => spec.family)))
				assert.ok(n >= 4, `${size}: ${family} has ${n} energies`);
	}
	assert.throws(() => planKernels(5, 1), /at least 6/);
	assert.throws(() => planKernels(10.5, 1), /whole number/);
});

/** Correlation of a pattern with itself turned by an angle, within 190 A. */
function selfCorrelation({ evaluate }: KernelModel, degrees: number): number {
	const [c, s] = [Math.cos, Math.sin].map((f) => f((degrees * Math.PI) / 180));
	let [n, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
	for (let x = -187; x <= 190; x += 9.3)
		for (let y = -187; y <= 190; y += 9.3) {
			if (Math.hypot(x, y) > 190) continue;
			const u = evaluate(x, y);
			const v = evaluate(c * x - s * y, s * x + c * y);
			n++;
			a += u;
			b += v;
			aa += u * u;
			bb += v * v;
			ab += u * v;
		}
	return (ab - (a * b) / n) / Math.sqrt((aa - a ** 2 / n) * (bb - b ** 2 / n));
}

test("each family has its class' symmetry and no higher one", () => {
	for (const spec of LAST) {
		const own = selfCorrelation(model(spec), 360 / spec.symmetry);
		assert.ok(own > 0.98, `${spec.family}: C${spec.symmetry} is ${own}`);
		const higher: Record<number, number[]> = {
			1: [120, 180],
			2: [90],
			3: [60],
			4: [45],
			6: [],
		};
		for (const degrees of higher[spec.symmetry]) {
			const other = selfCorrelation(model(spec), degrees);
			assert.ok(
				other < (spec.symmetry === 4 ? 0.9 : 0.75),
				`${spec.family}: ${degrees} degrees give ${other}`,
			);
		}
	}
});

test("bands of six-fold symmetry are not all rings", () => {
	for (const spec of LAST) {
		if (spec.symmetry !== 6) continue;
		const quarter = selfCorrelation(model(spec), 90);
		if (spec.band.kind === "surface") assert.ok(quarter > 0.99);
		else assert.ok(quarter < 0.9, `${spec.family}: ${quarter}`);
	}
});

test("no power beyond the pixels' Nyquist, ripples between 0.3 and 2.8 radians a pixel", () => {
	const fft = new Fft2d(128, 128);
	for (const spec of LAST) {
		const re = new Float64Array(128 * 128);
		const im = new Float64Array(128 * 128);
		// half-pixel samples off the table's nodes, under a Hann window
		for (let i = 0; i < 128; i++)
			for (let j = 0; j < 128; j++)
				re[i * 128 + j] =
					model(spec).evaluate(
						((i - 63.3) * PIXEL) / 2,
						((j - 63.7) * PIXEL) / 2,
					) *
					(Math.sin((Math.PI * (i + 0.5)) / 128) *
						Math.sin((Math.PI * (j + 0.5)) / 128)) **
						2;
		fft.transform(re, im);
		const step = (4 * Math.PI) / (128 * PIXEL);
		let [total, beyond, moment] = [0, 0, 0];
		for (let i = 0; i < 128; i++)
			for (let j = 0; j < 128; j++) {
				const qx = Math.min(i, 128 - i) * step;
				const qy = Math.min(j, 128 - j) * step;
				const power = re[i * 128 + j] ** 2 + im[i * 128 + j] ** 2;
				total += power;
				moment += power * Math.hypot(qx, qy);
				// the window smears by two steps
				if (Math.max(qx, qy) > NYQUIST + 2 * step) beyond += power;
			}
		assert.ok(
			beyond / total < 1e-3,
			`${spec.family}: ${beyond / total} of the power lies beyond Nyquist`,
		);
		const radians = (moment / total) * PIXEL;
		assert.ok(
			radians > 0.3 && radians < 2.8,
			`${spec.family}: ${radians} radians a pixel`,
		);
	}
});

test("waves on a Fourier grid are damped before they come round the box", () => {
	const h = new Float64Array(4);
	for (const spec of LAST) {
		if (spec.band.kind === "surface") continue;
		const fill = hamiltonian(spec.band);
		const level = (kx: number, ky: number, sign: number) => {
			h.fill(0);
			fill(kx, ky, h);
			return h[0] + sign * Math.hypot(h[1], h[2], h[3]);
		};
		let fastest = 0;
		const edge = (Math.PI * (latticeCells(spec.band) || 128)) / BOX;
		for (let kx = -edge; kx <= edge; kx += edge / 70)
			for (let ky = -edge; ky <= edge; ky += edge / 70)
				for (const sign of [-1, 1]) {
					const e = level(kx, ky, sign);
					if (Math.abs(e - spec.energy) > spec.broadening) continue;
					fastest = Math.max(
						fastest,
						Math.hypot(
							level(kx + 1e-5, ky, sign) - e,
							level(kx, ky + 1e-5, sign) - e,
						) / 1e-5,
					);
				}
		const reach = fastest / (2 * spec.broadening);
		assert.ok(
			reach > 20 && reach < BOX / 4,
			`${spec.number} ${spec.family}: reach ${reach} A`,
		);
	}
});

test("random kernels come from the same families and can be built", () => {
	const random = new Random(5);
	const drawn = Array.from({ length: 60 }, () => randomKernel(random));
	assert.ok(count(drawn.map((spec) => spec.family)).size > 15);
	for (const spec of drawn.slice(0, 2)) {
		const { evaluate } = kernelModel(spec);
		assert.ok(Number.isFinite(evaluate(10, 20)) && evaluate(10, 20) !== 0);
	}
});

const SET = { observations: 3, seed: 9, placement: { min: 3 } };

test("a set is deterministic, each kernel on its own, fewer observations a prefix", () => {
	const kernels = [PLAN[22], PLAN[47]];
	const all = [...makeKernelSet({ ...SET, kernels })];
	assert.equal(makeKernel(PLAN[47], SET), all[1]);
	assert.equal(
		makeKernel(PLAN[47], { ...SET, observations: 1 }).observations,
		all[1].observations.slice(0, 1),
	);
	assert.not.equal(
		makeKernel(PLAN[47], { ...SET, seed: 10 }).observations,
		all[1].observations,
	);
	const full = makeKernel(PLAN[47], { ...SET, scattering: "full" });
	full.observations.forEach((observation, j) => {
		assert.equal(observation.scatterers, all[1].observations[j].scatterers);
		assert.is(observation.scattering, "full");
		assert.not.equal(observation.image, all[1].observations[j].image);
	});
	assert.throws(
		() => makeKernel(PLAN[47], { ...SET, noiseLevels: [] }),
		/noise level/,
	);
});

test("a set's noise is what it says", () => {
	const clean = makeKernel(PLAN[22], { ...SET, noiseLevels: [0] });
	for (const level of [0.1, 0.5]) {
		const noisy = makeKernel(PLAN[22], { ...SET, noiseLevels: [level] });
		noisy.observations.forEach(({ image, noise, scatterers }, j) => {
			const signal = clean.observations[j];
			assert.equal(scatterers, signal.scatterers);
			assert.is(noise, level);
			const difference = image.map((value, p) => value - signal.image[p]);
			const measured = deviation(difference) / deviation(signal.image);
			assert.ok(
				Math.abs(measured / level - 1) < 0.15,
				`${level} asked for, ${measured} measured`,
			);
		});
	}
	const augmented = makeKernel(PLAN[22], { ...SET, augment: true });
	for (const { image } of augmented.observations)
		assert.ok(image.every(Number.isFinite));
});

test("white noise is white, line noise is constant along x and 1/f along y", () => {
	const random = new Random(2);
	const white = new Float32Array(4096);
	addWhite(white, random, 2);
	assert.ok(Math.abs(deviation(white) - 2) < 0.08);
	let [low, high, variance] = [0, 0, 0];
	for (let k = 0; k < 200; k++) {
		const lines = new Float32Array(4096);
		addLines(lines, random, 3);
		const line = Array.from({ length: 64 }, (_, iy) => lines[iy]);
		for (let p = 0; p < 4096; p++) assert.is(lines[p], line[p % 64]);
		variance += deviation(lines) ** 2 / 200;
		const power = (f: number) => {
			let [c, s] = [0, 0];
			line.forEach((value, iy) => {
				c += value * Math.cos((2 * Math.PI * f * iy) / 64);
				s += value * Math.sin((2 * Math.PI * f * iy) / 64);
			});
			return c * c + s * s;
		};
		low += power(2);
		high += power(16);
	}
	assert.ok(Math.abs(Math.sqrt(variance) - 3) < 0.2, `${variance}`);
	assert.ok(low / high > 6 && low / high < 11, `1/f: ${low / high}, not 8`);
});

test("blur, missing lines and streaks", () => {
	const image = new Float32Array(4096);
	image[30 * 64 + 20] = 1;
	blur(image, 0.6);
	const sum = image.reduce((total, value) => total + value, 0);
	assert.ok(Math.abs(sum - 1) < 1e-5);
	let spread = 0;
	for (let p = 0; p < 4096; p++) spread += image[p] * ((p % 64) - 20) ** 2;
	assert.ok(Math.abs(spread - 0.36) < 0.01, `variance ${spread}`);

	const ramp = Float32Array.from({ length: 4096 }, (_, p) => p % 64);
	dropLines(ramp, 0.25);
	assert.is(ramp[47], 47);
	for (let iy = 48; iy < 64; iy++) assert.is(ramp[64 + iy], 23.5);

	const streaked = new Float32Array(4096);
	addStreaks(streaked, new Random(1), 1, 1);
	const touched = [...streaked.keys()].filter((p) => streaked[p] !== 0);
	assert.ok(touched.length > 0 && touched.length <= 64);
	assert.is(new Set(touched.map((p) => p % 64)).size, 1);
});

test("no options, no noise; measured noise adds up", () => {
	const image = Float32Array.from({ length: 4096 }, (_, p) => Math.sin(p));
	assert.equal(addNoise(image.slice(), new Random(1)), image);
	const { white = 0, line = 0 } = measuredNoise(0.3);
	assert.ok(Math.abs(Math.hypot(white, line) - 0.3) < 1e-12);
	assert.ok((randomNoise(new Random(1)).white ?? 0) > 0);
});

test("marks: exact without errors, else lost, invented and jittered as asked", () => {
	const random = new Random(4);
	const places = Array.from({ length: 12 }, (_, i) => ({ x: 10 * i, y: -i }));
	assert.equal(marks(places, random, {}), places);
	let [kept, total, squares] = [0, 0, 0];
	for (let k = 0; k < 300; k++) {
		const made = marks(places, random, { wrong: 0.3 });
		total += made.length;
		kept += places.filter((p) =>
			made.some((q) => p.x === q.x && p.y === q.y),
		).length;
		assert.ok(made.length <= 20);
		marks(places, random, { jitter: 0.5 }).forEach((q, i) => {
			squares += (q.x - places[i].x) ** 2 / 3600;
		});
	}
	// a third of the wrong ones each: lost, moved, invented beside
	assert.ok(Math.abs(kept / 3600 - 0.8) < 0.03, `${kept / 3600} kept`);
	assert.ok(Math.abs(total / 3600 - 1) < 0.03, `${total / 3600} marks`);
	assert.ok(Math.abs(Math.sqrt(squares) / PIXEL - 0.5) < 0.03);
	const spread = amplitudes(1000, random, 0.3);
	assert.ok(spread.every((a) => a >= 0.7 && a <= 1.3));
});

test.run();
