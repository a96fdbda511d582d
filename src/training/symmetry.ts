import { mseLoss } from "../engine/ops/loss.ts";
import { crop, rotate } from "../engine/ops/sample.ts";
import type { Tensor } from "../engine/tensors/tensor.ts";
import type { Symmetry } from "../qpi/dataset/split.ts";
import type { Random } from "../random.ts";

const DEGREES: Record<Symmetry, readonly number[]> = {
	1: [90, -90, 180],
	2: [180],
	3: [120, -120],
	4: [90, -90],
	6: [60, -60, 120, -120, 180],
};

/** Side of the central square that is compared: a rotation moves the corners out of the image. */
const CENTRE = 40;

/**
 * One rotation angle (radians) for each kernel, drawn from those that its class leaves it unchanged under. The paper takes the mean over all
 * angles of a class in every step; a drawn angle has the same expectation at a fifth of the price.
 *
 * The published code lists +-90 and 180 degrees for class 1 as well, which penalises true asymmetry. Unless `penaliseAsymmetry` asks for that, a kernel of
 * class 1 is compared unrotated, so that it has the same weight in the loss as the others.
 */
export function symmetryAngles(
	classes: readonly Symmetry[],
	random: Random,
	penaliseAsymmetry: boolean,
): number[] {
	return classes.map((n) => {
		const degrees = DEGREES[n];
		const drawn = degrees[random.integer(0, degrees.length)];
		return n === 1 && !penaliseAsymmetry ? 0 : (drawn * Math.PI) / 180;
	});
}

/** MSE between the rotated reconstruction and the unrotated target on the central 40x40 pixels; [B, 64, 64, 1] each, one angle a sample. */
export function symmetryLoss(
	reconstruction: Tensor,
	target: Tensor,
	angles: readonly number[],
): Tensor {
	const margin = (target.shape[1] - CENTRE) / 2;
	const window = { top: margin, left: margin, height: CENTRE, width: CENTRE };
	return mseLoss(
		crop(rotate(reconstruction, angles), window),
		crop(target, window),
	);
}
