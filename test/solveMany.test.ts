import { test } from "uvu";
import * as assert from "uvu/assert";
import { NormalMatrix } from "../src/qpi/operator/normalMatrix.ts";
import { dot } from "../src/qpi/operator/ridge.ts";
import { factorsOf } from "../src/qpi/posterior/blockCovariance.ts";
import {
	FactoredCovariance,
	independent,
} from "../src/qpi/posterior/factoredCovariance.ts";
import { onThisThread } from "../src/qpi/posterior/solveMany.ts";
import { problem } from "./solving.ts";

const LAMBDA = 2;
const sizes = {
	...{ nx: 37, ny: 29, size: 11, marks: 9 },
	...{ components: 21, rights: 2, systems: 2 },
};

for (const kinds of [1, 2])
	test(`${kinds === 1 ? "one kernel" : "two kernels"}: the solutions solve (N C + lambda) u = b`, async () => {
		const { rights, covariance } = problem({ ...sizes, kinds });
		const found = await onThisThread.solve(rights, covariance, LAMBDA, {
			tolerance: 1e-9,
			steps: 300,
		});
		found.forEach((kernels, i) => {
			const { system, right } = rights[i];
			// K = C u: C (b - N K) = lambda K
			const seen = system.matrix.apply(kernels);
			const rest = covariance.apply(right.map((b, j) => b - seen[j]));
			const error = kernels.map((k, j) => rest[j] - LAMBDA * k);
			assert.ok(
				dot(error, error) < 1e-14 * LAMBDA ** 2 * dot(kernels, kernels),
			);
		});
	});

test("systems and covariances made anew from their description are the same", () => {
	const { rights, covariance } = problem({ ...sizes, kinds: 2 });
	const [{ system, right }] = rights;
	const copy = NormalMatrix.of(structuredClone(system.matrix.describe()));
	assert.equal(copy.apply(right), system.matrix.apply(right));
	const half = right.length / 2;
	const parts = structuredClone(factorsOf(covariance)).map((factors, s) =>
		new FactoredCovariance(factors).apply(
			right.slice(s * half, (s + 1) * half),
		),
	);
	assert.equal(
		parts.flatMap((part) => [...part]),
		[...covariance.apply(right)],
	);
});

test("nodes on their own, and a covariance that has no factors", () => {
	const values = Float64Array.of(1, -2, 3);
	assert.equal(independent(new Float64Array(3).fill(1)).apply(values), values);
	assert.is(factorsOf(independent(new Float64Array(3).fill(1))).length, 1);
	const other = { apply: () => values, sample: () => values };
	assert.throws(() => factorsOf(other), /components and of nodes/);
});

test.run();
