import { test } from "uvu";
import * as assert from "uvu/assert";
import { INPUTS_WORKER } from "../src/node/threads/inputsWorker.ts";
import { mapInWorkers } from "../src/node/threads/pool.ts";
import { ForwardOperator } from "../src/qpi/operator/forward.ts";
import { paperInputs, physicsInputs } from "../src/qpi/operator/inputs.ts";
import { centre, ridgeGcv } from "../src/qpi/operator/ridge.ts";
import { Random } from "../src/random.ts";
import type { ObservationTask } from "../src/training/prepare.ts";

const random = new Random(4);
const observation = () => ({
	image: Float32Array.from({ length: 4096 }, () => random.normal()),
	scatterers: [{ x: random.uniform(-100, 100), y: random.uniform(-100, 100) }],
});
const observations = Array.from({ length: 11 }, observation);

test("results come in the items' order and equal those of this thread", async () => {
	const tasks = observations.map(
		(o, i): ObservationTask => ({
			...o,
			task: i % 2 ? "paper" : "physics",
		}),
	);
	const progress: number[] = [];
	let i = 0;
	for await (const result of mapInWorkers<ObservationTask, Float32Array>(
		INPUTS_WORKER,
		tasks,
		{ threads: 2, batch: 2, onProgress: (done) => progress.push(done) },
	)) {
		const { image, scatterers } = observations[i];
		const expected =
			tasks[i].task === "paper"
				? paperInputs(image, scatterers)
				: physicsInputs(image, scatterers).inputs;
		assert.equal(result, expected);
		i++;
	}
	assert.is(i, 11);
	assert.equal(progress, [2, 4, 6, 8, 10, 11]);
});

test("ridge in a worker equals ridge here", async () => {
	const [{ image, scatterers }] = observations;
	const tasks: ObservationTask[] = [{ task: "ridge", image, scatterers }];
	for await (const answer of mapInWorkers<ObservationTask, Float32Array>(
		INPUTS_WORKER,
		tasks,
	)) {
		const here = ridgeGcv(new ForwardOperator(scatterers), image);
		assert.equal(answer, centre(here.kernel));
	}
});

test("items are pulled as needed, and leaving early stops", async () => {
	let pulled = 0;
	const endless = function* () {
		for (;;) {
			pulled++;
			yield { ...observations[0], task: "paper" } as ObservationTask;
		}
	};
	// Several times: a last answer that arrives while its worker is being stopped once let the process end there.
	for (let round = 0; round < 5; round++) {
		pulled = 0;
		for await (const _ of mapInWorkers(INPUTS_WORKER, endless(), {
			threads: 1,
			batch: 2,
		}))
			break;
	}
	assert.ok(pulled <= 6, `${pulled} items pulled`);
});

test("an error in a worker reaches the caller with its message", async () => {
	const broken = observation();
	broken.image[7] = Number.NaN;
	const tasks = [...observations, broken].map(
		(o): ObservationTask => ({
			...o,
			task: "paper",
		}),
	);
	let done = 0;
	try {
		for await (const _ of mapInWorkers(INPUTS_WORKER, tasks, {
			threads: 2,
			batch: 4,
		}))
			done++;
		assert.unreachable("no error");
	} catch (error) {
		assert.match((error as Error).message, /not finite/);
	}
	assert.is(done, 8);
});

test.run();
