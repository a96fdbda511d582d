import type { Random } from "../../random.ts";
import { named } from "../basics/named.ts";
import type { Tensor } from "../tensors/tensor.ts";

/**
 * torch's layers, with its names, defaults and initial values: modules that hold `weight` and `bias`. Shapes are the engine's, images B H W C. Each throws on options that it does not
 * know, and its forward() as the op of that name does.
 */

/** What a network is made of where nothing else is asked of it than forward(). */
export interface Layer {
	forward(x: Tensor): Tensor;
}

/** Throws unless there is something to draw from. */
export function generator(what: string, random: Random | undefined): Random {
	if (typeof random?.uniform === "function") return random;
	throw new TypeError(
		`${what}: found ${named(random)} as random, expected a Random to draw initial values from`,
	);
}

/** Throws on sizes that are no positive whole numbers. */
export function checkSizes(
	what: string,
	sizes: Readonly<Record<string, number>>,
) {
	for (const [name, size] of Object.entries(sizes))
		if (!(Number.isInteger(size) && size > 0))
			throw new Error(
				`${what}: ${name} ${named(size)}; expected a whole number from 1`,
			);
}
