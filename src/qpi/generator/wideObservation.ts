import type { Random } from "../../random.ts";
import { ForwardOperator, type Position } from "../operator/forward.ts";
import {
	addNoise,
	amplitudes,
	marks,
	measuredNoise,
	randomNoise,
} from "./noise.ts";
import { placeScatterers } from "./scattering.ts";

/** An image of a wide kernel (128 x 128 nodes), 64 x 64, with noise of up to half the signal, and in half of the cases everything else that goes wrong on real ones (randomNoise). */
export function observeWide(
	kernel: Float64Array,
	random: Random,
): { image: Float32Array; scatterers: Position[]; noise: number } {
	const places = placeScatterers(random);
	const noise = random.uniform(0, 0.5);
	const flaws = {
		...(random.uniform() < 0.5 ? randomNoise(random) : {}),
		...measuredNoise(noise),
	};
	const operator = new ForwardOperator(
		places,
		amplitudes(places.length, random, flaws.amplitude ?? 0),
	);
	return {
		image: addNoise(Float32Array.from(operator.apply(kernel)), random, flaws),
		scatterers: marks(places, random, flaws),
		noise,
	};
}
