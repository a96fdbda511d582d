// The memory of a process whose steps are all of other sizes.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { add, mul, relu, scale } from "../src/engine/ops/elementwise.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { BufferPool } from "../src/engine/pool.ts";
import { scope } from "../src/engine/scope.ts";
import { sizeOf, type Tensor, tensor } from "../src/engine/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/adapter.ts";
import { Random } from "../src/random.ts";

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
	console.log(`${(process.memoryUsage.rss() / 1e6).toFixed()} MB`);
	return { ...gpu.statistics };
}

/** Of an image of random size. */
function imageStep(): void {
	const total = scope(gpu, () => {
		const shape = [1, random.integer(8, 128), random.integer(8, 128), 3];
		const x = tensor(gpu, data.subarray(0, sizeOf(shape)), shape);
		return sum(mul(add(relu(x), scale(x, 2)), x));
	});
	total.dispose();
}

// Counted in what the engine holds: what the process takes beside it is up to V8 and the driver.
test("12,000 steps of changing sizes hold at most 1.2 times what the first 2,000 do", async () => {
	const first = await steps(2000, imageStep);
	const last = await steps(10_000, imageStep);
	assert.ok(last.bytesAllocated <= 1.2 * first.bytesAllocated);
	assert.ok(
		last.bindGroups <= 1.2 * first.bindGroups,
		`${first.bindGroups} bind groups, then ${last.bindGroups}`,
	);
	assert.is(last.pipelines, first.pipelines);
});

test("bind groups are bounded where no two steps bind the same", async () => {
	const alive: Tensor[] = [];
	const { bindGroups } = await steps(4000, () => {
		const x = tensor(gpu, data.subarray(0, random.integer(64, 40_000)));
		alive.push(x, relu(x));
		while (alive.length > 16)
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
