// Networks on maps of any size: what they see there, and what is made of what they say.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { extractMaps } from "../src/extraction/methods/extractMap.ts";
import { mapInputs } from "../src/extraction/methods/networkInputs.ts";
import type { Networks } from "../src/models/trained/trainedNetworks.ts";
import { makeKernel, planKernels } from "../src/qpi/generator/generator.ts";
import { makeMap } from "../src/qpi/generator/maps.ts";
import { centredInputs } from "../src/qpi/operator/inputs.ts";
import { centredCorrelation, correlation } from "../src/qpi/scores/metrics.ts";

const SIDE = 64;
/** Angstrom a pixel of the published images. */
const PIXEL = 400 / 63;
const channel = (inputs: Float32Array, c: number) =>
	Float32Array.from({ length: SIDE ** 2 }, (_, i) => inputs[3 * i + c]);
/** Of zero mean: a network's first layer has a constant of its own. */
const away = (a: Float32Array, b: Float32Array) => {
	let [sum, square, power] = [0, 0, 0];
	for (let i = 0; i < a.length; i++) {
		sum += a[i] - b[i];
		square += (a[i] - b[i]) ** 2;
		power += b[i] ** 2;
	}
	return Math.sqrt((square - sum ** 2 / a.length) / power);
};

test("on a map of 64 x 64 pixels they see what they were trained on", () => {
	const specs = planKernels(6, 1);
	for (const spec of specs.slice(0, 3)) {
		const { observations } = makeKernel(spec, {
			...{ observations: 1, seed: 3, noiseLevels: [0.2] },
			placement: { min: 4, max: 12 },
		});
		const [{ image, scatterers }] = observations;
		const expected = centredInputs(image, scatterers);
		const [found] = mapInputs({
			...{ image, nx: SIDE, ny: SIDE, pixel: PIXEL, order: 0, kinds: 1 },
			weights: new Float64Array(SIDE ** 2).fill(1),
			sites: scatterers.map(({ x, y }) => ({
				...{ x: (x + 200) / PIXEL, y: (y + 200) / PIXEL },
				...{ weight: 1, kind: 0 },
			})),
		});
		// Where coverage is counted, a lag at the very edge of the image may be in or out.
		for (const [c, most] of [0.03, 0.03, 0.05].entries()) {
			const error = away(channel(found, c), channel(expected, c));
			assert.ok(error < most, `${spec.family}, channel ${c}: ${error}`);
		}
		assert.ok(correlation(channel(found, 2), channel(expected, 2)) > 0.998);
	}
});

/** Says that the kernel is the ridge estimate which it is shown. */
const believesRidge = {
	inputs: "centred",
	infer: async (_: string, inputs: readonly Float32Array[]) =>
		inputs.map((one) => channel(one, 2)),
} as unknown as Networks;

/** A map with its marks, and what is not written into the rows of a published file. */
function made(kinds: 1 | 2, seed: number) {
	const map = makeMap(
		{
			...{ pixels: [150, 130], field: 420, marks: 30, spread: 0, kinds },
			...{ noise: 0.1, background: 0, clusters: 0, steps: 0, missingRows: 0 },
		},
		seed,
		0,
	);
	return {
		map,
		stack: {
			...{ nx: map.nx, ny: map.ny, pixel: map.pixel, images: [map.image] },
			marks: map.scatterers,
		},
	};
}

test("a kernel at the map's own pixel, its amplitude the map's, its uncertainty from parts of the map", async () => {
	const { map, stack } = made(1, 5);
	const learned = { networks: believesRidge };
	const [found] = await extractMaps(stack, learned, { method: "twoStep" });
	const [{ kernel, uncertainty, groups, samples }] = found.kinds;
	const ncc = centredCorrelation(
		{ values: Float64Array.from(kernel), size: found.size },
		map.kernels[0],
		40,
	);
	assert.ok(ncc > 0.9, `NCC ${ncc}`);
	assert.is(groups.length, 4);
	assert.is(samples.length, 0);
	assert.ok(uncertainty.every((v) => v >= 0) && uncertainty.some((v) => v > 0));
	const { heldOut, inSample } = found.explained.twoStep ?? {};
	assert.ok((inSample ?? 0) > 0.6, `explained ${inSample}`);
	assert.ok((heldOut ?? 0) > 0.3 && (heldOut ?? 1) < (inSample ?? 0));
	assert.is(found.scatterers.length, map.scatterers.length);
	assert.ok(found.scatterers.every((s) => (s.errors?.x ?? 0) > 0));
	assert.is(found.model.length, map.nx * map.ny);
	const again = await found.by("twoStep");
	assert.equal(again.kinds, found.kinds);
	try {
		await found.by("refined");
		assert.unreachable();
	} catch (error) {
		assert.match((error as Error).message, /refined was not compared/);
	}
});

test("two kinds: each has its own kernel", async () => {
	const { map, stack } = made(2, 8);
	const [found] = await extractMaps(
		stack,
		{ networks: believesRidge },
		{ method: "oneStep", holdOut: false },
	);
	assert.is(found.kinds.length, 2);
	for (const [s, { kernel }] of found.kinds.entries()) {
		const [own, other] = [map.kernels[s], map.kernels[1 - s]].map((truth) =>
			centredCorrelation(
				{ values: Float64Array.from(kernel), size: found.size },
				truth,
				40,
			),
		);
		assert.ok(own > 0.8 && own > other, `kind ${s + 1}: ${own}, ${other}`);
	}
	assert.is(found.explained.oneStep?.heldOut, null);
});

test("networks of whole images are refused, and so are none", async () => {
	const { stack } = made(1, 5);
	const whole = { ...believesRidge, inputs: "physics" } as unknown as Networks;
	for (const [networks, message] of [
		[whole, /see the physics inputs.*expected networks of the centred inputs/],
		[undefined, /needs the networks' weights/],
	] as const)
		try {
			await extractMaps(stack, { networks }, { method: "oneStep" });
			assert.unreachable();
		} catch (error) {
			assert.match((error as Error).message, message);
		}
});

test.run();
