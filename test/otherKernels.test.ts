// Ops that have other kernels on GPUs than on software adapters, by those that the adapter does not take: the table runs the others.

import { test } from "uvu";
import { Gpu } from "../src/engine/device/gpu.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import * as bmm from "./cases/bmm.ts";
import * as layerNorm from "./cases/layerNorm.ts";
import * as linear from "./cases/linear.ts";
import * as softmax from "./cases/softmax.ts";
import { checkCase } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const other = new Gpu(gpu.device, {
	shaders: loadShaders(),
	software: !gpu.software,
});
for (const { cases } of [bmm, linear, layerNorm, softmax])
	for (const c of cases) test(c.name, () => checkCase(other, c));

test.run();
