import { checkNames } from "../basics/options.ts";

/**
 * How the learning rate changes in a training, as a factor of the first one. Either it is multiplied by `factor` after each `every` epochs (torch's StepLR). Or it
 * rises from 1 / warmUp to 1 in `warmUp` steps and then falls along half a cosine to `floor`, by default 0 (Loshchilov and Hutter 2017, without restarts).
 */
export type RateSchedule =
	| { readonly every: number; readonly factor: number }
	| { readonly warmUp: number; readonly floor?: number };

/** Throws on numbers that make no sense. */
export function checkSchedule(schedule: RateSchedule): void {
	const isStepped = "every" in Object(schedule);
	const known = isStepped ? ["every", "factor"] : ["warmUp", "floor"];
	checkNames("learning rate", schedule, known);
	if ("every" in schedule) {
		const { every, factor } = schedule;
		if (
			!(
				Number.isInteger(every) &&
				every > 0 &&
				factor > 0 &&
				Number.isFinite(factor)
			)
		)
			throw new Error(
				`learning rate: every ${every} epochs x ${factor}; expected a whole number of epochs and a positive factor`,
			);
		return;
	}
	const { warmUp, floor = 0 } = schedule;
	if (!(Number.isInteger(warmUp) && warmUp >= 0 && floor >= 0 && floor <= 1))
		throw new Error(
			`learning rate: ${warmUp} steps of warm-up, down to ${floor}; expected a whole number of steps and a part of 0 to 1`,
		);
}

/**
 * The factor of a step, counted from 0. It depends on the counts alone, so a resumed run needs no more state.
 *
 * @param counts of steps in an epoch, which `every` needs, and in the whole training, which `warmUp` needs. Throws where what is needed is no whole number from 1
 */
export function rateFactor(
	schedule: RateSchedule,
	step: number,
	counts: { readonly stepsAnEpoch?: number; readonly steps?: number },
): number {
	checkSchedule(schedule);
	checkNames("rateFactor", counts, ["stepsAnEpoch", "steps"]);
	const { stepsAnEpoch = Number.NaN, steps = Number.NaN } = counts;
	const needed = "every" in schedule ? { stepsAnEpoch } : { steps };
	for (const [name, count] of Object.entries({ step: step + 1, ...needed }))
		if (!(Number.isInteger(count) && count > 0))
			throw new Error(
				`rateFactor: step ${step}, ${name} ${count}; expected whole numbers`,
			);
	if ("every" in schedule) {
		const epoch = Math.floor(step / stepsAnEpoch);
		return schedule.factor ** Math.floor(epoch / schedule.every);
	}
	const { warmUp, floor = 0 } = schedule;
	if (step < warmUp) return (step + 1) / warmUp;
	const done = Math.min(1, (step - warmUp) / Math.max(1, steps - warmUp));
	return floor + ((1 - floor) * (1 + Math.cos(Math.PI * done))) / 2;
}
