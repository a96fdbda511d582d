// Waiting for a device: the result, or the error, comes as it is; meanwhile the thread naps, shortly, and other work of it goes on.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { patiently } from "../src/node/device/patience.ts";

const TURNS = 50;

/** Asks in every turn of the event loop whether it is over, as Dawn's addon does. */
const polled = () =>
	new Promise<string>((resolve) => {
		let left = TURNS;
		const turn = () => (--left > 0 ? setImmediate(turn) : resolve("done"));
		setImmediate(turn);
	});

/** Milliseconds of the naps while `act` is awaited. */
async function napsOf(act: () => Promise<unknown>): Promise<number[]> {
	const { wait } = Atomics;
	const naps: number[] = [];
	Atomics.wait = ((...args: [Int32Array, number, number, number]) => {
		naps.push(args[3]);
		return wait(...args);
	}) as typeof wait;
	try {
		await act();
	} finally {
		Atomics.wait = wait;
	}
	return naps;
}

test("what is promised comes through, and what goes wrong", async () => {
	assert.is(await patiently(polled()), "done");
	const failing = patiently(Promise.reject(new Error("lost")));
	assert.is(await failing.catch(({ message }) => message), "lost");
});

test("each turn of the loop has one nap, for two that wait as well, of at most a millisecond, the first the shortest", async () => {
	for (const act of [
		() => patiently(polled()),
		() => Promise.all([patiently(polled()), patiently(polled())]),
	]) {
		const naps = await napsOf(act);
		assert.ok(Math.abs(naps.length - TURNS) <= 2, `${naps.length} naps`);
		assert.ok(naps.every((time) => time >= 0 && time <= 1));
		assert.is(Math.min(...naps), naps[0]);
	}
});

test("timers go off meanwhile, and when it is over nothing naps", async () => {
	let ticks = 0;
	await patiently(
		new Promise<void>((resolve) => {
			const timer = setInterval(() => {
				if (++ticks < 3) return;
				clearInterval(timer);
				resolve();
			}, 1);
		}),
	);
	assert.is(ticks, 3);
	assert.equal(await napsOf(polled), []);
});

test.run();
