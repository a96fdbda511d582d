import { test } from "uvu";
import * as assert from "uvu/assert";
import { dataLoader } from "../src/engine/optim/dataLoader.ts";

/** Seven samples: two values and a label each, which say whose they are. */
const data = {
	x: Float32Array.from({ length: 14 }, (_, i) => i / 2),
	label: Uint8Array.from({ length: 7 }, (_, i) => 10 + i),
};
const options = { data, samples: 7, batchSize: 3, seed: 4 };

test("batches come in order, the last one smaller, with what belongs together", () => {
	const loader = dataLoader({ data, samples: 7, batchSize: 3 });
	assert.is(loader.length, 3);
	const batches = [...loader];
	assert.equal(
		batches.map(({ size }) => size),
		[3, 3, 1],
	);
	assert.equal(batches[1], {
		x: Float32Array.of(3, 3.5, 4, 4.5, 5, 5.5),
		label: Uint8Array.of(13, 14, 15),
		size: 3,
	});
	batches[0].x[0] = 99;
	assert.is(data.x[0], 0, "a batch is a copy");
});

test("shuffled epochs hold every sample once, each in another order, the same for the same seed", () => {
	const course = (seed: number, epochs = 3) => {
		const loader = dataLoader({ ...options, seed, shuffle: true });
		return Array.from({ length: epochs }, () =>
			[...loader].flatMap(({ x, label, size }) => {
				for (let i = 0; i < size; i++) {
					assert.is(x[2 * i], label[i] - 10);
					assert.is(x[2 * i + 1], label[i] - 9.5);
				}
				return [...label];
			}),
		);
	};
	const [first, second, third] = course(4);
	for (const epoch of [first, second, third])
		assert.equal(epoch.toSorted(), [...data.label]);
	assert.not.equal(first, second);
	assert.not.equal(first, [...data.label]);
	assert.equal(course(4), [first, second, third]);
	assert.not.equal(course(5), [first, second, third]);
	const resumed = dataLoader({ ...options, shuffle: true });
	resumed.epoch = 2;
	assert.equal(
		[...resumed].flatMap(({ label }) => [...label]),
		third,
	);
});

test("dropLast leaves out what is no whole batch", () => {
	const loader = dataLoader({ ...options, dropLast: true });
	assert.is(loader.length, 2);
	assert.equal(
		[...loader].map(({ size }) => size),
		[3, 3],
	);
	assert.is(dataLoader({ ...options, dropLast: true, batchSize: 8 }).length, 0);
});

test("what is no data is refused in one line", () => {
	const refused = (change: object, message: RegExp) =>
		assert.throws(
			() => dataLoader({ ...options, ...change } as never),
			message,
		);
	refused({ samples: 4 }, /x of 14 values; expected as many for each of 4/);
	refused({ samples: 0 }, /samples 0; expected a whole number from 1/);
	refused({ batchSize: 1.5 }, /batchSize 1\.5; expected a whole number/);
	refused({ data: { x: [1] } }, /found a list as x, expected a typed array/);
	refused(
		{ data: { size: data.x } },
		/data by the name of size, which is the batch's; expected another/,
	);
	refused({ shuffled: true }, /dataLoader: there is no option "shuffled"/);
	refused({ seed: -1 }, /Random: seed -1/);
});

test.run();
