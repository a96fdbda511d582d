import { test } from "uvu";
import * as assert from "uvu/assert";
import { Fft2d, FftLines } from "../src/qpi/maths/fft.ts";
import { column, RealFft2d } from "../src/qpi/maths/realFft.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { Random } from "../src/random.ts";

const random = new Random(1);
const noise = (n: number) =>
	Float64Array.from({ length: n }, () => random.normal());
const largest = (a: Float64Array, b: Float64Array) =>
	a.reduce((max, v, i) => Math.max(max, Math.abs(v - b[i])), 0);

/** The transform's definition: exp(-2 pi i jk / n) summed along both axes. */
function direct(re: Float64Array, im: Float64Array, nx: number, ny: number) {
	const outRe = new Float64Array(nx * ny);
	const outIm = new Float64Array(nx * ny);
	for (let o = 0; o < nx * ny; o++)
		for (let i = 0; i < nx * ny; i++) {
			const turns =
				(Math.floor(o / ny) * Math.floor(i / ny)) / nx +
				((o % ny) * (i % ny)) / ny;
			const c = Math.cos(2 * Math.PI * turns);
			const s = Math.sin(2 * Math.PI * turns);
			outRe[o] += re[i] * c + im[i] * s;
			outIm[o] += im[i] * c - re[i] * s;
		}
	return { re: outRe, im: outIm };
}

for (const [nx, ny] of [
	[1, 1],
	[6, 9],
	[9, 12],
	[12, 10],
	[1, 25],
	[192, 3],
	[8, 128],
])
	test(`Fft2d ${nx} x ${ny} is the direct transform, and its inverse undoes it`, () => {
		const re = noise(nx * ny);
		const im = noise(nx * ny);
		const expected = direct(re, im, nx, ny);
		const a = re.slice();
		const b = im.slice();
		const fft = new Fft2d(nx, ny);
		fft.transform(a, b);
		assert.ok(largest(a, expected.re) < 1e-10, "real part");
		assert.ok(largest(b, expected.im) < 1e-10, "imaginary part");
		fft.transform(a, b, true);
		assert.ok(largest(a, re) < 1e-13 && largest(b, im) < 1e-13, "inverse");
	});

for (const [nx, ny, rows, columns] of [
	[16, 16, 16, 16],
	[48, 48, 10, 7],
	[96, 96, 34, 96],
	[128, 128, 64, 64],
	[45, 80, 17, 33],
	[50, 16, 49, 16],
	[3, 16, 3, 5],
])
	test(`RealFft2d ${nx} x ${ny} of a ${rows} x ${columns} corner agrees with Fft2d, both ways`, () => {
		const image = noise(rows * columns);
		const re = new Float64Array(nx * ny);
		const im = new Float64Array(nx * ny);
		for (let x = 0; x < rows; x++)
			for (let y = 0; y < columns; y++) re[x * ny + y] = image[x * columns + y];
		new Fft2d(nx, ny).transform(re, im);
		const fft = new RealFft2d(nx, ny);
		const half = fft.spectrum();
		// Twice, so that leftovers of the first call would show.
		fft.forward(noise(nx * ny), nx, ny, half);
		fft.forward(image, rows, columns, half);
		let error = 0;
		for (let ky = 0; ky <= ny / 2; ky++) {
			const { base, step } = column(nx, ny, ky);
			for (let kx = 0; kx < nx; kx++) {
				const i = base + kx * step;
				error = Math.max(
					error,
					Math.abs(half.re[i] - re[kx * ny + ky]),
					Math.abs(half.im[i] - im[kx * ny + ky]),
				);
			}
		}
		assert.ok(error < 1e-10, `forward off by ${error}`);
		const back = new Float64Array(rows * columns);
		fft.inverse(half, back, rows, columns);
		assert.ok(largest(back, image) < 1e-13, "inverse");
	});

test("sizes that cannot be transformed are refused with their size", () => {
	assert.throws(() => new FftLines(14), /size 14 has a prime factor/);
	assert.throws(() => new FftLines(2.5), /2\.5/);
	assert.throws(() => new RealFft2d(24), /multiple of 16, got 24/);
	assert.throws(
		() => new Fft2d(4, 4).transform(noise(15), noise(16)),
		/4 x 4 = 16 values, got 15 real/,
	);
});

// --- the forward operator, which stands on the transforms

const DX = 400 / 63;
/** A decaying ring pattern without symmetry, all of it well below Nyquist. */
function pattern(x: number, y: number): number {
	const r = Math.sqrt(x * x + y * y + 400);
	return (Math.cos(0.2 * r + 0.01 * x) * Math.exp(-r / 90)) / Math.sqrt(r);
}
const nodes = Float64Array.from({ length: 128 * 128 }, (_, i) =>
	pattern((Math.floor(i / 128) - 63.5) * DX, ((i % 128) - 63.5) * DX),
);
/** Y(r) = sum_j w_j K(r - r_j), pixel by pixel. */
const superposed = (
	scatterers: { x: number; y: number }[],
	weights: number[],
	kernel: (x: number, y: number) => number,
) =>
	Float64Array.from({ length: 4096 }, (_, i) =>
		scatterers.reduce((sum, { x, y }, j) => {
			const rx = -200 + Math.floor(i / 64) * DX - x;
			const ry = -200 + (i % 64) * DX - y;
			return sum + weights[j] * kernel(rx, ry);
		}, 0),
	);
const anywhere = () => ({
	x: random.uniform(-200, 200),
	y: random.uniform(-200, 200),
});

test("A K is the sum over the scatterers, at subpixel positions up to the edges, with weights", () => {
	const scatterers = [
		...Array.from({ length: 8 }, anywhere),
		{ x: 200, y: -200 },
	];
	const weights = scatterers.map(() => random.uniform(-1, 2));
	const expected = superposed(scatterers, weights, pattern);
	const got = new ForwardOperator(scatterers, weights).apply(nodes);
	const size = expected.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
	const error = largest(got, expected) / size;
	assert.ok(error < 2e-3, `relative error ${error}`);
});

test("a scatterer between the pixels shifts any kernel by whole nodes, exactly", () => {
	// Noise is not band-limited: only the right treatment of the Nyquist frequency keeps it.
	const kernel = noise(128 * 128);
	const at = (i: number, j: number) => ({
		x: -200 + (i + 0.5) * DX,
		y: -200 + (j + 0.5) * DX,
	});
	const places = [
		[0, 0],
		[62, 5],
		[31, 31],
	];
	const got = new ForwardOperator(places.map(([i, j]) => at(i, j))).apply(
		kernel,
	);
	const expected = Float64Array.from({ length: 4096 }, (_, p) =>
		places.reduce(
			(sum, [i, j]) =>
				sum + kernel[(Math.floor(p / 64) - i + 63) * 128 + (p % 64) - j + 63],
			0,
		),
	);
	assert.ok(largest(got, expected) < 1e-12);
});

test("<A k, y> = <k, A^T y> and gram = A A^T, also with power at Nyquist", () => {
	const operator = new ForwardOperator(Array.from({ length: 7 }, anywhere));
	const k = noise(128 * 128);
	const y = noise(4096);
	const dot = (a: Float64Array, b: Float64Array) =>
		a.reduce((sum, v, i) => sum + v * b[i], 0);
	const left = dot(operator.apply(k), y);
	const back = operator.adjoint(y);
	const scale = Math.sqrt(dot(k, k) * dot(y, y));
	assert.ok(Math.abs(left - dot(k, back)) < 1e-13 * scale);
	assert.ok(largest(operator.gram(y), operator.apply(back)) < 1e-11);
	assert.ok(
		largest(operator.applySpectrum(operator.spectrum(k)), operator.apply(k)) <
			1e-15,
	);
});

test("absent scatterers are left out, broken ones and wrong sizes refused", () => {
	const here = { x: 10, y: 20 };
	const operator = new ForwardOperator([here, { x: 1000, y: 1000 }], [2, 5]);
	assert.equal(operator.scatterers, [here]);
	assert.equal(operator.weights, [2]);
	assert.throws(
		() => new ForwardOperator([here, { x: Number.NaN, y: 0 }]),
		/scatterer 1 .* not a finite/,
	);
	assert.throws(() => new ForwardOperator([here], []), /1 scatterers but 0/);
	assert.throws(() => operator.apply(new Float64Array(4096)), /128 x 128/);
});

test.run();
