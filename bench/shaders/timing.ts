import { scope } from "../../src/engine/basics/scope.ts";
import type { Gpu } from "../../src/engine/device/gpu.ts";

/**
 * What times a row. The device's timestamps leave out the submission; on lavapipe and SwiftShader they agree with the wall clock to the 0.3 to 0.6 ms that
 * submission and wait take, and are not rounded. They are the sum over the row's dispatches, each in a pass of its own.
 */
export type Clock = "timestamps" | "wall clock";

export interface Timing {
	/** Milliseconds: median and extremes of the measurements. */
	readonly ms: number;
	readonly least: number;
	readonly most: number;
	/** Milliseconds by pipeline, of the median; empty by the wall clock. */
	readonly parts: Readonly<Record<string, number>>;
}

const MEASUREMENTS = 7;
/** Milliseconds that a measurement fills with runs, and the most runs. */
const FILL = 20;
const MOST_RUNS = 500;

/** Times `run`, which dispatches the kernels once, after two runs that do not count. */
export async function time(
	gpu: Gpu,
	clock: Clock,
	run: () => unknown,
): Promise<Timing> {
	const once = async (runs: number) => {
		const start = performance.now();
		// What is returned must not outlive the run: the next one would write memory never touched before, three times as slow for its page faults.
		for (let i = 0; i < runs; i++)
			scope(gpu, () => {
				run();
			});
		await gpu.idle();
		const ms = (performance.now() - start) / runs;
		if (clock === "wall clock") return { ms, parts: {} };
		const rows = await gpu.profile();
		const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
		const parts = rows.map((r) => [r.pipeline, r.milliseconds / runs]);
		return { ms: total / runs, parts: Object.fromEntries(parts) };
	};
	await once(1);
	const { ms } = await once(1);
	const runs = Math.min(MOST_RUNS, Math.max(1, Math.ceil(FILL / ms)));
	const made = [];
	for (let i = 0; i < MEASUREMENTS; i++) made.push(await once(runs));
	made.sort((a, b) => a.ms - b.ms);
	return {
		...made[(MEASUREMENTS - 1) / 2],
		least: made[0].ms,
		most: made[MEASUREMENTS - 1].ms,
	};
}
