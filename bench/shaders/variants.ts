import { Tuner, type Variant } from "../../src/engine/device/tuner.ts";

/** Takes the variant it is told to, and tells what there was to choose from. */
export class Chooser extends Tuner {
	/** What the last kernel was offered. */
	offered: readonly Variant[] = [{}];
	#taken = 0;

	/** From now on the variant of that number. */
	take(index: number): void {
		this.#taken = index;
		if (index === 0) this.offered = [{}];
	}

	override pick(_: string, candidates: readonly Variant[]): Variant {
		this.offered = candidates;
		return candidates[this.#taken];
	}
}
