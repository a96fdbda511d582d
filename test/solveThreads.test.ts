import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { SolveThreads } from "../src/node/threads/solveThreads.ts";
import { onThisThread } from "../src/qpi/posterior/solveMany.ts";
import { problem } from "./solving.ts";

const ACCURACY = { tolerance: 0.01, steps: 60 };
const sizes = {
	...{ nx: 45, ny: 38, size: 13, kinds: 2, marks: 9 },
	...{ components: 30, rights: 3, systems: 2, moved: true },
};

test("threads give the bits of one thread, in two calls with other covariances, numbers and accuracies", async () => {
	const threads = new SolveThreads(2);
	try {
		assert.is(threads.name, "2 threads");
		assert.is(threads.together, 2);
		for (const [kinds, seed, steps] of [
			[2, 1, 60],
			[1, 2, 9],
		]) {
			const { rights, covariance } = problem({ ...sizes, kinds }, seed);
			const some = seed === 1 ? rights : rights.slice(2, 3);
			const accuracy = { ...ACCURACY, steps };
			const found = await threads.solve(some, covariance, 3, accuracy);
			assert.equal(
				found,
				await onThisThread.solve(some, covariance, 3, accuracy),
			);
		}
		assert.equal(
			await threads.solve([], problem(sizes).covariance, 1, ACCURACY),
			[],
		);
	} finally {
		await threads.close();
	}
});

test("what a worker throws comes out, and the next call is answered", async () => {
	const threads = new SolveThreads(2);
	const { rights, covariance } = problem(sizes);
	const short = { ...rights[0], right: new Float64Array(3) };
	let message = "";
	try {
		await threads.solve([rights[0], short, rights[1]], covariance, 1, {
			tolerance: 0.01,
			steps: 8,
		});
	} catch (error) {
		message = String(error);
	}
	assert.match(message, /a right-hand side of 338 values, .* got 3/);
	const [found] = await threads.solve([rights[0]], covariance, 1, ACCURACY);
	await threads.close();
	const [here] = await onThisThread.solve([rights[0]], covariance, 1, ACCURACY);
	assert.equal(found, here);
});

test("closing ends what is under way", async () => {
	const threads = new SolveThreads(1);
	const { rights, covariance } = problem(sizes);
	const endless = Array.from({ length: 2000 }, () => rights[0]);
	const failed = threads
		.solve(endless, covariance, 1e-9, { tolerance: 0, steps: 300 })
		.then(
			() => "done",
			(error) => error.message,
		);
	await new Promise((resolve) => setTimeout(resolve, 300));
	await threads.close();
	assert.match(await failed, /a worker thread ended early/);
});

test("a process ends with its threads idle", () => {
	const url = (file: string) => new URL(file, import.meta.url).href;
	const { status, stdout, stderr } = spawnSync(
		process.execPath,
		[
			"-e",
			`import { SolveThreads } from "${url("../src/node/threads/solveThreads.ts")}";
			import { problem } from "${url("solving.ts")}";
			const { rights, covariance } = problem(${JSON.stringify(sizes)});
			const found = await new SolveThreads(2).solve(rights, covariance, 1, ${JSON.stringify(ACCURACY)});
			console.log(found.length);`,
		],
		{ encoding: "utf8", timeout: 120_000 },
	);
	assert.is(stdout, "6\n", stderr);
	assert.is(status, 0);
});

test("threads there must be", () => {
	assert.throws(() => new SolveThreads(0), /at least 1 thread, got 0/);
});

test.run();
