import { detached } from "../basics/scope.ts";
import type { Gpu } from "../device/gpu.ts";
import { type Tensor, zeros } from "../tensors/tensor.ts";

/** Scale to begin with, as torch's GradScaler has it. */
const FIRST = 65536;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018): f16 loses gradients below 6e-8, so the loss, and with it every gradient, is multiplied
 * by a power of two, which Adam divides out again. A step whose gradients overflow is skipped and halves the scale; 2000 good ones in a row double it
 * (adam.wgsl, settle). All of it stays on the device: nothing is read back.
 */
export class LossScale {
	/** [1]: the scale, from which backward() starts in place of 1. */
	readonly scale: Tensor;
	/** [4]: struct Scaling of adam.wgsl. */
	readonly scaling: Tensor;

	constructor(gpu: Gpu) {
		[this.scale, this.scaling] = detached(gpu, () => [
			zeros(gpu, [1]),
			zeros(gpu, [4]),
		]);
		this.load([FIRST, 0, 0, 0]);
	}

	/** Scale, good steps since it changed, and Adam's two bias corrections, which the host cannot know: skipped steps do not count. */
	async state(): Promise<Float32Array> {
		const [scale] = await this.scale.data();
		const [good, first, second] = await this.scaling.data();
		return Float32Array.of(scale, good, first, second);
	}

	/** Goes on from a state, bitwise. Throws where it is none. */
	load(state: ArrayLike<number>): void {
		const [scale, ...rest] = Array.from(state);
		if (rest.length !== 3 || !(scale >= 1) || !rest.every((v) => v >= 0))
			throw new Error(
				`loss scale: a state of [${Array.from(state).join(", ")}]; expected scale, count and two corrections`,
			);
		this.scale.write(Float32Array.of(scale));
		this.scaling.write(Float32Array.of(...rest, 0));
	}

	/** Begins after `steps` steps that were made without a scale. */
	begin(steps: number, [beta1, beta2]: readonly [number, number]): void {
		this.load([FIRST, 0, 1 - beta1 ** steps, 1 - beta2 ** steps]);
	}

	dispose(): void {
		this.scale.dispose();
		this.scaling.dispose();
	}
}

/** Whether the last step was skipped although the scale is 1, the smallest that adam.wgsl uses. Then the training stands still. */
export function isExhausted([scale, good]: ArrayLike<number> &
	Iterable<number>): boolean {
	return scale === 1 && good === 0;
}
