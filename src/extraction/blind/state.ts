/** Marks, and how they are judged. */
import { type Judgement, judgeSites } from "../kernels/judge.ts";
import type { Completed } from "./look.ts";

export interface State extends Completed {
	readonly judgement: Judgement;
}

/** @param size pixels along the side of kernels */
export async function judged(found: Completed, size: number): Promise<State> {
	const reach = ((size - 1) / 2) * found.map.pixel;
	return {
		...found,
		judgement: await judgeSites(
			found.map,
			size,
			reach,
			undefined,
			found.fit.lambda,
		),
	};
}
