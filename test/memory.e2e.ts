// The memory of a process whose steps are all of other sizes.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { BufferPool } from "../src/engine/device/pool.ts";
import { relu } from "../src/engine/ops/elementwise.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { Random } from "../src/random.ts";
import { start } from "./command.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

const random = new Random(1);
const data = new Float32Array(3 * 128 * 128);

async function steps(count: number, step: () => void) {
	for (let k = 0; k < count; k++) {
		step();
		if (k % 50 === 0) await gpu.idle();
	}
	return { ...gpu.statistics };
}

// In a process of its own, as `npm run bench:memory` starts it. With V8's young generation left to grow to about 100 MB the process takes 1.2 to 1.5 times as much.
test("12,000 steps of changing sizes take at most 1.2 times the memory that the first 2,000 do", async () => {
	const env = { NODE_OPTIONS: "--max-semi-space-size=4" };
	const { ended } = start("bench/memory.ts", ["--json"], { env, seconds: 300 });
	const { code, stdout, stderr } = await ended;
	assert.is(code, 0, stderr);
	console.log(stdout);
	const rows = stdout
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	const [first, last] = [rows[0], rows[rows.length - 1]];
	assert.is(first.step, 2000);
	assert.is(last.step, 12_000);
	for (const what of ["resident", "buffers", "bindGroups"])
		assert.ok(
			last[what] <= 1.2 * first[what],
			`${what}: ${first[what]}, then ${last[what]}`,
		);
	assert.is(last.pipelines, first.pipelines);
});

test("bind groups are bounded where most steps bind what none did before", async () => {
	const alive: Tensor[] = [];
	const { bindGroups } = await steps(4000, () => {
		const x = tensor(gpu, data.subarray(0, random.integer(64, 40_000)));
		alive.push(x, relu(x));
		while (alive.length > 256)
			alive.splice(random.integer(0, alive.length), 1)[0].dispose();
	});
	for (const x of alive) x.dispose();
	assert.ok(bindGroups > 1024 && bindGroups <= 2048, `${bindGroups}`);
});

test("no buffer is larger than the device can bind, though sizes are rounded up", () => {
	const sizes: number[] = [];
	const device = {
		createBuffer: ({ size }: GPUBufferDescriptor) => sizes.push(size),
	} as unknown as GPUDevice;
	const most = 2 ** 31 - 256;
	const pool = new BufferPool("fake", device, most, { ...gpu.statistics });
	pool.allocate(most - 1024, "a network");
	pool.allocate(1_000_001, "a tensor");
	assert.equal(sizes, [most, 1_048_576]);
	assert.throws(
		() => pool.allocate(most + 4, "more"),
		/2147483396 bytes; .*2147483392/,
	);
});

test("buffers that were not used for long are given back, others stay", async () => {
	const large = tensor(gpu, new Float32Array(1_000_000));
	await gpu.idle();
	large.dispose();
	const { bytesAllocated } = gpu.statistics;
	const x = tensor(gpu, [1, -2]);
	for (let k = 0; k < 3000; k++) {
		scope(gpu, () => relu(x)).dispose();
		gpu.flush();
	}
	await gpu.idle();
	assert.ok(gpu.statistics.bytesAllocated <= bytesAllocated - 4_000_000);
	const { buffersCreated } = gpu.statistics;
	assert.equal([...(await scope(gpu, () => relu(x)).data())], [1, 0]);
	assert.is(gpu.statistics.buffersCreated, buffersCreated);
});

test.run();
