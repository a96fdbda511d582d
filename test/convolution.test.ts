import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	largestPower,
	MapConvolution,
} from "../src/qpi/operator/convolution.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { Random } from "../src/random.ts";

const random = new Random(3);
const normal = (length: number) =>
	Float64Array.from({ length }, () => random.normal());

/** The sum itself. */
function direct(
	map: Float64Array,
	kernel: Float64Array,
	[nx, ny, size]: readonly [number, number, number],
): Float64Array {
	const out = new Float64Array(nx * ny);
	const middle = (size - 1) / 2;
	for (let x = 0; x < nx; x++)
		for (let y = 0; y < ny; y++)
			for (let i = 0; i < size; i++)
				for (let j = 0; j < size; j++) {
					const [u, v] = [x - i + middle, y - j + middle];
					if (u < 0 || v < 0 || u >= nx || v >= ny) continue;
					out[x * ny + y] += kernel[i * size + j] * map[u * ny + v];
				}
	return out;
}

for (const shape of [
	[24, 17, 7],
	[15, 32, 1],
	[12, 10, 21],
] as const)
	test(`a map of ${shape[0]} x ${shape[1]} and a kernel of ${shape[2]}: the direct sum, nothing wraps, and both adjoints`, () => {
		const [nx, ny, size] = shape;
		const convolution = new MapConvolution(nx, ny, size);
		const [map, seen] = [normal(nx * ny), normal(nx * ny)];
		const kernel = normal(size ** 2);
		const ofMap = convolution.mapSpectrum(map);
		const ofKernel = convolution.kernelSpectrum(kernel);
		const found = convolution.convolve(ofMap, ofKernel);
		direct(map, kernel, shape).forEach((v, p) => {
			assert.ok(Math.abs(v - found[p]) < 1e-10, `pixel ${p}`);
		});
		const both = dot(found, seen);
		assert.ok(
			Math.abs(dot(map, convolution.mapOf(ofKernel, seen)) - both) < 1e-9,
		);
		assert.ok(
			Math.abs(dot(kernel, convolution.kernelOf(ofMap, seen)) - both) < 1e-9,
		);
		assert.ok(
			dot(found, found) <= largestPower(ofKernel) * dot(map, map) * 1.0001,
		);
	});

test("sizes that are none are refused", () => {
	assert.throws(() => new MapConvolution(8, 8, 4), /odd size, got 4/);
	assert.throws(() => new MapConvolution(8, 0, 3), /8 x 0 and 3/);
});

test.run();
