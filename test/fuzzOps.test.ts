import { test } from "uvu";
import * as assert from "uvu/assert";
import { Gpu } from "../src/engine/device/gpu.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { fuzzOps, randomCase } from "./fuzzOps.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
const tiles = new Gpu(gpu.device, {
	shaders: loadShaders(),
	adapterName: "kernels for GPUs",
	keepDevice: true,
});
test.after(() => gpu.dispose());

const COUNT = 300;

test(`${COUNT} random cases of all ops agree with their references`, async () => {
	const failures: string[] = [];
	const onFailure = (message: string) => failures.push(message);
	await fuzzOps([gpu, tiles], { seed: 1, count: COUNT, onFailure });
	assert.is(failures.join("\n"), "");
});

test("results of few values that nearly cancel are held to what they sum", async () => {
	for (const first of [758, 10_140, 36_248, 41_086, 43_093, 53_786, 59_643])
		assert.is(
			await fuzzOps([gpu, tiles], {
				seed: 101,
				first,
				count: 1,
				onFailure: console.log,
			}),
			0,
		);
});

test("a case is told by its seed and number, and a wrong result by both", async () => {
	assert.is(randomCase(5, 9).name, randomCase(5, 9).name);
	const names = new Set(
		Array.from({ length: 40 }, (_, k) => randomCase(1, k).name.split(" ")[0]),
	);
	assert.ok(names.size > 8, [...names].join(", "));
});

test.run();
