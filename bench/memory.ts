/**
 * `npm run bench:memory`: the memory of a process whose steps are all of other sizes. The command bounds V8's young generation to 4 MB, which else grows by about 100 MB
 * within the first 10,000 steps, as fast as steps leave objects behind, and hides what the engine and the driver do.
 */
import { Command } from "commander";
import { scope } from "../src/engine/basics/scope.ts";
import { sizeOf } from "../src/engine/basics/shape.ts";
import { add, mul, relu, scale } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";

const options = new Command("npm run bench:memory --")
	.description(
		"Runs steps on images of random sizes and tells on the way, in MB, what the process takes, how much of it is V8's heap, and what the engine holds.",
	)
	.option("-n, --steps <n>", "steps", Number, 12_000)
	.option("-e, --every <n>", "steps between two lines", Number, 2000)
	.option("-a, --adapter <name>", "a part of the adapter's name")
	.option("--json", "lines of JSON")
	.parse()
	.opts<{ steps: number; every: number; adapter?: string; json?: boolean }>();

const gpu = await openGpu(options);
if (!options.json) console.log(describeAdapter(gpu));
const random = new Random(1);
const data = new Float32Array(3 * 128 * 128);

function imageStep(): void {
	const total = scope(gpu, () => {
		const shape = [1, random.integer(8, 128), random.integer(8, 128), 3];
		const x = tensor(gpu, data.subarray(0, sizeOf(shape)), shape);
		return sum(mul(add(relu(x), scale(x, 2)), x));
	});
	total.dispose();
}

function tell(step: number): void {
	const { rss, heapTotal } = process.memoryUsage();
	const { bytesAllocated, bindGroups, pipelines } = gpu.statistics;
	const [resident, v8, buffers] = [rss, heapTotal, bytesAllocated].map(
		(bytes) => Number((bytes / 1e6).toFixed(1)),
	);
	const row = { step, resident, v8, buffers, bindGroups, pipelines };
	console.log(
		options.json
			? JSON.stringify(row)
			: Object.entries(row)
					.map(([name, value]) => `${name} ${value}`)
					.join(", "),
	);
}

for (let step = 1; step <= options.steps; step++) {
	imageStep();
	if (step % 50 === 0) await gpu.idle();
	if (step % options.every === 0) tell(step);
}
gpu.dispose();
