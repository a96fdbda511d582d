import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { ConjugateGradients } from "../src/engine/ops/conjugateGradients.ts";
import { type Tensor, zeros } from "../src/engine/tensors/tensor.ts";
import { GpuSolver } from "../src/extraction/kernels/gpuSolver.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { FactoredCovariance } from "../src/qpi/posterior/factoredCovariance.ts";
import { onThisThread } from "../src/qpi/posterior/solveMany.ts";
import { compare } from "./opTesting.ts";
import { problem, type Sizes } from "./solving.ts";

const gpu = await openGpu();
test.after(() => gpu.dispose());
const solver = new GpuSolver(gpu);

const common = { marks: 9, components: 30, rights: 1 };
const cases: Record<string, Sizes> = {
	"one system, three right-hand sides": {
		...{ ...common, nx: 45, ny: 38, size: 13, rights: 3 },
	},
	"two kinds, other pixels left out in each of three systems": {
		...{ ...common, nx: 31, ny: 57, size: 11, kinds: 2, systems: 3, order: 3 },
	},
	"scatterers of their own, a kernel of even size larger than the map": {
		...{ ...common, nx: 12, ny: 17, size: 22, systems: 2, moved: true },
	},
	"a constant alone for background": {
		...{ ...common, nx: 40, ny: 40, size: 9, kinds: 3, order: 0 },
	},
};

for (const [name, sizes] of Object.entries(cases))
	test(`${name}: the CPU's solution to a thousandth`, async () => {
		const { rights, covariance } = problem(sizes);
		const lambda = 2;
		const found = await solver.solve(rights, covariance, lambda, {
			tolerance: 3e-5,
			steps: 200,
		});
		const expected = await onThisThread.solve(rights, covariance, lambda, {
			tolerance: 1e-9,
			steps: 200,
		});
		assert.is(found.length, rights.length);
		found.forEach((kernels, i) => {
			compare(`right ${i}`, kernels, expected[i], 1e-3);
		});
	});

test("nodes on their own, as small as currents in ampere", async () => {
	const { rights } = problem({ ...common, nx: 45, ny: 38, size: 13 });
	const [{ system, right }] = rights;
	const none = new Float64Array(0);
	const covariance = new FactoredCovariance({
		own: new Float64Array(13 * 13).map((_, i) => 1 + (i % 3)),
		components: new Float32Array(0),
		...{ variances: none, weights: none, vectors: none },
	});
	const small = [{ system, right: right.map((v) => 1e-21 * v) }];
	const accuracy = { tolerance: 1e-4, steps: 200 };
	const [found] = await solver.solve(small, covariance, 3, accuracy);
	const [expected] = await onThisThread.solve(small, covariance, 3, accuracy);
	compare(
		"kernels",
		found.map((v) => 1e21 * v),
		expected.map((v) => 1e21 * v),
		1e-3,
	);
});

test("more right-hand sides than travel together, the same bits every time, and nothing is left in the pool", async () => {
	const sizes = { ...common, nx: 20, ny: 23, size: 7, rights: 35 };
	const { rights, covariance } = problem(sizes);
	const accuracy = { tolerance: 0.01, steps: 40 };
	const first = await solver.solve(rights, covariance, 2, accuracy);
	const { bytesAllocated } = gpu.statistics;
	const second = await solver.solve(rights, covariance, 2, accuracy);
	assert.equal(first, second);
	assert.is(gpu.statistics.bytesAllocated, bytesAllocated);
	const [alone] = await onThisThread.solve(rights.slice(34), covariance, 2, {
		...accuracy,
		tolerance: 1e-6,
	});
	// not closer than the tolerance asks
	compare("the last", first[34], alone, 0.05);
});

test("a right-hand side without signal gives nothing", async () => {
	const { rights, covariance } = problem({
		...common,
		nx: 20,
		ny: 23,
		size: 7,
	});
	const [{ system, right }] = rights;
	const nothing = [{ system, right: right.map(() => 0) }];
	const [found] = await solver.solve(nothing, covariance, 2, {
		tolerance: 0.01,
		steps: 40,
	});
	assert.ok(found.every((v) => v === 0));
});

test("what does not fit is refused", async () => {
	const { rights, covariance } = problem({
		...common,
		nx: 20,
		ny: 23,
		size: 7,
	});
	const short = [{ ...rights[0], right: new Float64Array(3) }];
	const message = await solver
		.solve(short, covariance, 2, { tolerance: 0.01, steps: 8 })
		.then(String, String);
	assert.match(message, /a right-hand side of 49 values/);
});

test("equations that do not fit are refused", () => {
	scope(gpu, () => {
		const same = (x: Tensor) => x;
		const refused = (right: number[], seen: number[], lambda = 1) =>
			assert.throws(
				() =>
					new ConjugateGradients(zeros(gpu, right), {
						...{ normal: same, covariance: same, lambda },
						seen: zeros(gpu, seen),
					}),
				/ConjugateGradients: right \[.*expected \[B, length\]/,
			);
		refused([2, 6], [1, 1, 6, 4]);
		refused([2, 8], [1, 1, 12, 4]);
		refused([2, 8], [3, 1, 8, 4]);
		refused([2, 8], [1, 1, 8, 4], 0);
	});
});

test.run();
