import { scope } from "../../src/engine/basics/scope.ts";
import type { Gpu } from "../../src/engine/device/gpu.ts";
import { nameOfVariant } from "../../src/engine/device/tuner.ts";
import type { Tensor } from "../../src/engine/tensors/tensor.ts";
import { type Nd, nd } from "../../test/opTesting.ts";
import type { Peaks } from "./peaks.ts";
import { bytesOf, longScope, make, type Op, type Pass } from "./row.ts";
import { type Clock, type Timing, time } from "./timing.ts";
import type { Chooser } from "./variants.ts";

/** A pass by one variant of its kernel. */
export interface Row extends Timing {
	readonly name: string;
	readonly variant: string;
	/** null where memory is all that matters. */
	readonly gflops: number | null;
	/** Of the peak. */
	readonly flopPercent: number | null;
	readonly gbs: number;
	/** Of the copy, which is too large for caches: small tensors may move faster. */
	readonly copyPercent: number;
}

/** Relative to the largest value. Sums of thousands of f32 stay well below it; what is wrong is so by far more. */
const TOLERANCE = 5e-5;

/** Checks and times a pass in all of its variants. Throws on a wrong result. */
export function measure(
	gpu: Gpu,
	tuner: Chooser,
	clock: Clock,
	peaks: Peaks,
	{ op, pass, name }: { op: Op; pass: Pass; name: string },
): Promise<Row[]> {
	return longScope(gpu, async () => {
		tuner.take(0);
		const { inputs, dy, run, reads } = make(gpu, op, pass);
		const given = {
			inputs: await Promise.all(inputs.map(read)),
			dy: dy && (await read(dy)),
		};
		const rows: Row[] = [];
		for (let i = 0; i < tuner.offered.length; i++) {
			tuner.take(i);
			const results = scope(gpu, run);
			const bytes = op.bytes ?? reads + bytesOf(results);
			const variant = nameOfVariant(tuner.offered[i]);
			const error = op.check(
				given,
				await Promise.all(
					results.map(async (result, k) => ({
						of: pass.gradient?.to[k] ?? k,
						data: await result.data(),
					})),
				),
			);
			for (const result of results) result.dispose();
			if (!(error <= TOLERANCE))
				throw new Error(
					`${name} ${variant}: wrong by ${error.toExponential(1)} of the largest value; allowed is ${TOLERANCE}`,
				);
			const timing = await time(gpu, clock, run);
			const gflops = op.flop ? op.flop / timing.ms / 1e6 : null;
			const gbs = bytes / timing.ms / 1e6;
			rows.push({
				name,
				variant,
				...timing,
				gflops,
				flopPercent: gflops && (100 * gflops) / peaks.gflops,
				gbs,
				copyPercent: (100 * gbs) / peaks.gbs,
			});
		}
		return rows;
	});
}

async function read(t: Tensor): Promise<Nd> {
	const data = await t.data();
	return nd(t.shape, (i) => data[i]);
}
