import { readFileSync } from "node:fs";
import { lines } from "../../src/engine/device/dispatch.ts";
import type { Gpu } from "../../src/engine/device/gpu.ts";
import { randn } from "../../src/engine/ops/random.ts";
import { empty } from "../../src/engine/tensors/tensor.ts";
import { type Clock, time } from "./timing.ts";

export const peaksShader = readFileSync(
	new URL("peaks.wgsl", import.meta.url),
	"utf8",
);

export interface Peaks {
	/** A product and its sum count as two operations. */
	readonly gflops: number;
	/** Bytes read and bytes written. */
	readonly gbs: number;
}

/** 64 MiB: both sides of the copy are beyond the caches of most adapters. */
const COPIED = 2 ** 24;

/** The best that the adapter reaches, whichever way: which number of sums, or of copied vectors a thread, suits it is its own affair. */
export async function measurePeaks(gpu: Gpu, clock: Clock): Promise<Peaks> {
	const threads = gpu.software ? 2 ** 14 : 2 ** 20;
	const n = 256;
	const x = randn(gpu, [COPIED], { seed: 1, step: 0 });
	const y = empty(gpu, [COPIED]);
	const same = { shader: "peaks", bindings: { y } };
	const params = { n, factor: 0.999, term: 0.001 };
	let [gflops, gbs] = [0, 0];
	for (const sums of [2, 4, 8, 16]) {
		const entry = `multiplyAdd${sums}`;
		const workgroups = [threads / 64] as const;
		const { least } = await time(gpu, clock, () =>
			gpu.run({ ...same, entry, params, workgroups }),
		);
		gflops = Math.max(gflops, (2 * 4 * 32 * n * threads) / least / 1e6);
	}
	for (const each of [1, 4]) {
		const { least } = await time(gpu, clock, () =>
			gpu.run({
				...same,
				entry: `copy${each}`,
				bindings: { x, y },
				params: { ...params, n: COPIED / 4 },
				workgroups: lines(gpu, COPIED / 4 / each),
			}),
		);
		gbs = Math.max(gbs, (2 * x.bytes) / least / 1e6);
	}
	x.dispose();
	y.dispose();
	gpu.trim();
	return { gflops, gbs };
}
