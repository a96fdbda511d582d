/** Kernels that are there, with what was asked of them anew. */
import type { Analysed, Outcome } from "../worker/extractTypes.ts";

/** The items stay the same objects but for their findings: whoever shows one need not draw it again. */
export function withAnalysed(
	outcome: Outcome,
	{ findings, ...said }: Analysed,
): Outcome {
	const items = outcome.items.map((item, i) =>
		Object.assign(item, { findings: findings[i] }),
	);
	return { ...outcome, ...said, items };
}
