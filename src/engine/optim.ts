import { lines } from "./dispatch.ts";
import { LossScale } from "./lossScale.ts";
import type { Parameters } from "./nn.ts";
import { sumColumns } from "./ops/reduce.ts";
import { checkNames } from "./options.ts";
import type { BufferView } from "./pool.ts";
import { detached } from "./scope.ts";
import { empty, type Tensor, zeros } from "./tensor.ts";

export interface AdamOptions {
	/** Learning rate. */
	readonly lr: number;
	readonly betas?: readonly [number, number];
	readonly eps?: number;
	/** Added to the gradient times the weight (L2 penalty). */
	readonly weightDecay?: number;
	/** Gradients are those of a scaled loss: backward() must start from `seed`, else step() throws. Default false. */
	readonly lossScaling?: boolean;
}

/** All that Adam remembers from step to step: the moments, packed as the parameters are, and the count of steps. */
export interface AdamState {
	readonly m: Float32Array;
	readonly v: Float32Array;
	readonly step: number;
	/** With loss scaling, LossScale's state. */
	readonly scaling?: Float32Array;
}

const OPTIONS = ["lr", "betas", "eps", "weightDecay", "lossScaling"];

/** vec4s that one thread of the norm adds up. */
const EACH = 64;

/**
 * Adam (Kingma and Ba 2015) as torch has it, over all parameters of a network in one dispatch, or one for each run of neighbours where some are frozen
 * (`requiresGrad` is false) or got no gradient since zeroGrad(): these stay as they are, though the count of steps is common to all. Throws on a learning rate that is not a
 * finite number of 0 or more, whether given here or set later.
 */
export class Adam {
	readonly parameters: Parameters;
	readonly betas: readonly [number, number];
	readonly eps: number;
	readonly weightDecay: number;
	/** Steps done; with loss scaling, skipped ones too. */
	steps = 0;
	#lr = 0;
	readonly #m: Tensor;
	readonly #v: Tensor;
	/** Sum of the squares of all gradients, for clipping. */
	readonly #square: Tensor;
	readonly #lossScale: LossScale | null;

	constructor(parameters: Parameters, options: AdamOptions) {
		checkNames("Adam", options, OPTIONS);
		const { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
		for (const beta of betas)
			if (!(beta >= 0 && beta < 1))
				throw new Error(`Adam: beta ${beta}; expected 0 <= beta < 1`);
		if (!(eps > 0 && Number.isFinite(eps)))
			throw new Error(`Adam: eps ${eps}; expected a positive number`);
		if (!(weightDecay >= 0 && Number.isFinite(weightDecay)))
			throw new Error(
				`Adam: weight decay ${weightDecay}; expected a finite number of 0 or more`,
			);
		this.lr = lr;
		this.parameters = parameters;
		this.betas = betas;
		this.eps = eps;
		this.weightDecay = weightDecay;
		const { gpu, values } = parameters;
		const made = detached(gpu, () => [
			zeros(gpu, values.shape),
			zeros(gpu, values.shape),
			zeros(gpu, [1]),
		]);
		[this.#m, this.#v, this.#square] = made;
		this.#lossScale = options.lossScaling ? new LossScale(gpu) : null;
	}

	/** [1]: what backward() of the loss starts from; undefined without loss scaling, as backward() has it. */
	get seed(): Tensor | undefined {
		return this.#lossScale?.scale;
	}

	get lr(): number {
		return this.#lr;
	}

	set lr(value: number) {
		if (!(value >= 0 && Number.isFinite(value)))
			throw new Error(
				`Adam: learning rate ${value}; expected a finite number of 0 or more`,
			);
		this.#lr = value;
	}

	/**
	 * Moves the parameters against their gradients. `clip` first scales these down to that global norm where theirs is larger, as torch's
	 * clip_grad_norm_ does; nothing is read back for it. A gradient that is not a number spoils all parameters then. Throws on a clip that is not positive.
	 */
	step(options: { clip?: number } = {}): void {
		checkNames("Adam: step()", options, ["clip"]);
		const { clip } = options;
		if (clip !== undefined && !(clip > 0 && Number.isFinite(clip)))
			throw new Error(`Adam: clip ${clip}; expected a positive norm`);
		const { parameters } = this;
		const { gpu, values, gradients } = parameters;
		const ranges = parameters.trained();
		if (ranges.length === 0) return;
		if (this.#lossScale) this.#checkSeeds();
		parameters.settleGradients();
		values.touch();
		this.steps++;
		const [beta1, beta2] = this.betas;
		const lossScale = this.#lossScale;
		const n = values.size / 4;
		const threads = Math.ceil(n / EACH);
		const params = {
			n,
			threads,
			clip: clip ?? 0,
			size: lossScale ? this.#lr : this.#lr / (1 - beta1 ** this.steps),
			root: Math.sqrt(1 - beta2 ** this.steps),
			eps: this.eps,
			decay: this.weightDecay,
			keep: this.betas,
			take: [1 - beta1, 1 - beta2],
		};
		const run = (
			entry: string,
			bindings: Record<string, BufferView>,
			count: number,
			values = params,
		) =>
			gpu.run({
				shader: "adam",
				entry,
				bindings,
				params: values,
				workgroups: lines(gpu, count),
			});
		if (clip !== undefined || lossScale) {
			const partial = empty(gpu, [threads]);
			run("squares", { gradients, partial }, threads);
			sumColumns(partial, this.#square);
			partial.dispose();
		}
		const square = this.#square;
		if (lossScale) {
			const { scale, scaling } = lossScale;
			run("settle", { square, scale, scaling }, 1);
		}
		const entry = lossScale ? "stepScaled" : "step";
		for (const [first, end] of ranges) {
			const n = (end - first) / 4;
			const part = (t: Tensor) => partOf(t, first, end);
			const bindings: Record<string, BufferView> = {
				square,
				gradients: part(gradients),
				values: part(values),
				m: part(this.#m),
				v: part(this.#v),
				...(lossScale && { scaling: lossScale.scaling }),
			};
			run(entry, bindings, n, { ...params, n });
		}
	}

	#checkSeeds(): void {
		for (const [name, p] of this.parameters)
			if (p.requiresGrad && !p.gradIsFresh && !p.gradIsSeeded)
				throw new Error(
					`Adam: loss scaling, but the gradient of "${name}" is not of a scaled loss; expected backward(loss, adam.seed)`,
				);
	}

	/** Copies the state to the host. */
	async state(): Promise<AdamState> {
		return {
			m: await this.#m.data(),
			v: await this.#v.data(),
			step: this.steps,
			...(this.#lossScale && { scaling: await this.#lossScale.state() }),
		};
	}

	/**
	 * Goes on from a saved state, bitwise; a state without loss scaling begins it. Throws where it is not of these parameters.
	 */
	load({ m, v, step, scaling }: AdamState): void {
		const { size } = this.parameters.values;
		if (m.length !== size || v.length !== size)
			throw new Error(
				`Adam: a state of ${m.length} and ${v.length} values; these parameters need ${size}`,
			);
		if (!(Number.isInteger(step) && step >= 0))
			throw new Error(`Adam: a state after ${step} steps; expected a count`);
		if (scaling) this.#lossScale?.load(scaling);
		else this.#lossScale?.begin(step, this.betas);
		this.#m.write(m);
		this.#v.write(v);
		this.steps = step;
	}

	dispose(): void {
		for (const tensor of [this.#m, this.#v, this.#square]) tensor.dispose();
		this.#lossScale?.dispose();
	}
}

/** Floats first to end of a packed tensor. */
const partOf = (t: Tensor, first: number, end: number): BufferView => ({
	buffer: t.buffer,
	offset: t.offset + 4 * first,
	bytes: 4 * (end - first),
});

/** Multiplies the optimiser's learning rate by `factor` every `every` epochs. Throws unless both are positive. */
export class StepLR {
	readonly #adam: Adam;
	readonly #first: number;
	readonly #every: number;
	readonly #factor: number;

	constructor(
		adam: Adam,
		{ every, factor }: { every: number; factor: number },
	) {
		if (
			!(
				Number.isInteger(every) &&
				every > 0 &&
				factor > 0 &&
				Number.isFinite(factor)
			)
		)
			throw new Error(
				`StepLR: every ${every} epochs x ${factor}; expected a whole number of epochs and a positive factor`,
			);
		this.#adam = adam;
		this.#first = adam.lr;
		this.#every = every;
		this.#factor = factor;
	}

	/** Sets the learning rate of an epoch, counted from 0; it depends on the count alone, so a resumed run needs no more state. */
	epoch(epoch: number): void {
		this.#adam.lr =
			this.#first * this.#factor ** Math.floor(epoch / this.#every);
	}
}
