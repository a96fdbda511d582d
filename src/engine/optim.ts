import { lines } from "./dispatch.ts";
import { isExhausted, LossScale } from "./lossScale.ts";
import { Parameters, type Range } from "./nn.ts";
import { checkNames } from "./options.ts";
import { countNonFinite, Packed, sumPacked } from "./packs.ts";
import type { BufferView } from "./pool.ts";
import { detached } from "./scope.ts";
import { joined, type LazyState, part } from "./state.ts";
import { named, type Tensor, zeros } from "./tensor.ts";

export interface AdamOptions {
	/** Learning rate. */
	readonly lr: number;
	readonly betas?: readonly [number, number];
	readonly eps?: number;
	/** Adam adds so many times the weight to the gradient (L2 penalty); AdamW takes lr times so much of the weight away before each step. */
	readonly weightDecay?: number;
	/** Gradients are those of a scaled loss: backward() must start from `seed`, else step() throws. Default false. */
	readonly lossScaling?: boolean;
}

const OPTIONS = ["lr", "betas", "eps", "weightDecay", "lossScaling"];

/** What messages call the tensors of a saved state. */
const STATE = "Adam's moments";

/**
 * Adam (Kingma and Ba 2015) as torch has it, over all parameters of a network in one dispatch a buffer, or one for each run of neighbours where some are frozen
 * (`requiresGrad` is false) or got no gradient since zeroGrad(): these stay as they are, though the count of steps is common to all. Throws on a learning rate that is not a
 * finite number of 0 or more, whether given here or set later.
 */
export class Adam {
	readonly parameters: Parameters;
	readonly betas: readonly [number, number];
	readonly eps: number;
	readonly weightDecay: number;
	/** Whether the decay is that of AdamW. */
	readonly decoupled: boolean = false;
	/** Steps done; with loss scaling, skipped ones too. */
	steps = 0;
	#lr = 0;
	readonly #m: Packed;
	readonly #v: Packed;
	/** Sum of the squares of all gradients, for clipping. */
	readonly #square: Tensor;
	readonly #lossScale: LossScale | null;

	constructor(parameters: Parameters, options: AdamOptions) {
		checkNames("Adam", options, OPTIONS);
		if (!(parameters instanceof Parameters))
			throw new TypeError(
				`Adam: found ${named(parameters)}, expected a network's Parameters`,
			);
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
		this.#m = new Packed(gpu, values.layout);
		this.#v = new Packed(gpu, values.layout);
		this.#square = detached(gpu, () => zeros(gpu, [1]));
		this.#lossScale = options.lossScaling ? new LossScale(gpu) : null;
	}

	/** Of the moments. */
	get bytes(): number {
		return this.#m.bytes + this.#v.bytes;
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
		for (const packed of [values, this.#m, this.#v]) packed.touch();
		this.steps++;
		const [beta1, beta2] = this.betas;
		const lossScale = this.#lossScale;
		const square = this.#square;
		const params = {
			clip: clip ?? 0,
			size: lossScale ? this.#lr : this.#lr / (1 - beta1 ** this.steps),
			root: Math.sqrt(1 - beta2 ** this.steps),
			eps: this.eps,
			decay: this.decoupled ? 0 : this.weightDecay,
			shrink: this.decoupled ? this.#lr * this.weightDecay : 0,
			keep: this.betas,
			take: [1 - beta1, 1 - beta2],
		};
		const run = (
			entry: string,
			bindings: Record<string, BufferView>,
			n: number,
		) =>
			gpu.run({
				shader: "adam",
				entry,
				bindings,
				params: { ...params, n },
				workgroups: lines(gpu, n),
			});
		if (clip !== undefined || lossScale)
			sumPacked("squares", gradients, square);
		if (lossScale) {
			const { scale, scaling } = lossScale;
			run("settle", { square, scale, scaling }, 1);
		}
		for (const range of ranges)
			run(
				lossScale ? "stepScaled" : "step",
				{
					square,
					gradients: partOf(gradients, range),
					values: partOf(values, range),
					m: partOf(this.#m, range),
					v: partOf(this.#v, range),
					...(lossScale && { scaling: lossScale.scaling }),
				},
				(range.end - range.first) / 4,
			);
		gpu.growth.step(gpu.statistics.bytesLive);
	}

	#checkSeeds(): void {
		for (const [name, p] of this.parameters)
			if (p.requiresGrad && !p.gradIsFresh && !p.gradIsSeeded)
				throw new Error(
					`Adam: loss scaling, but the gradient of "${name}" is not of a scaled loss; expected backward(loss, adam.seed)`,
				);
	}

	/**
	 * All that Adam remembers besides `steps`, to be read before the next step: the moments as `m/NAME` and `v/NAME`, and with loss scaling LossScale's state
	 * as `scaling`.
	 */
	lazy(): LazyState {
		const scaling = this.#lossScale;
		return joined({
			"m/": this.#m.lazy(),
			"v/": this.#v.lazy(),
			...(scaling && {
				scaling: new Map([["", { shape: [4], read: () => scaling.state() }]]),
			}),
		});
	}

	/**
	 * Goes on from a state saved after `steps` steps, bitwise; a state without loss scaling begins it. Throws where it is not of these parameters.
	 */
	async load(state: LazyState, steps: number): Promise<void> {
		if (!(Number.isInteger(steps) && steps >= 0))
			throw new Error(`Adam: a state after ${steps} steps; expected a count`);
		const [m, v] = [part(state, "m/"), part(state, "v/")];
		for (const [packed, saved] of [
			[this.#m, m],
			[this.#v, v],
		] as const)
			packed.check(saved, STATE);
		const scaling = await state.get("scaling")?.read();
		if (scaling) this.#lossScale?.load(scaling);
		else this.#lossScale?.begin(steps, this.betas);
		await this.#m.load(m, STATE);
		await this.#v.load(v, STATE);
		this.steps = steps;
	}

	/** Whether all weights and moments are finite numbers; counted on the device. */
	async isFinite(): Promise<boolean> {
		const { values } = this.parameters;
		return (await countNonFinite(values, this.#m, this.#v)) === 0;
	}

	/** Whether loss scaling can go no lower: see isExhausted(). */
	async isExhausted(): Promise<boolean> {
		const state = await this.#lossScale?.state();
		return state !== undefined && isExhausted(state);
	}

	dispose(): void {
		for (const packed of [this.#m, this.#v, this.#square]) packed.dispose();
		this.#lossScale?.dispose();
	}
}

/** Floats first to end of a pack. */
const partOf = (
	{ packs }: Packed,
	{ pack, first, end }: Range,
): BufferView => ({
	buffer: packs[pack].buffer,
	offset: packs[pack].offset + 4 * first,
	bytes: 4 * (end - first),
});

/**
 * AdamW (Loshchilov and Hutter 2019) as torch has it: Adam whose weights shrink by lr times `weightDecay`, 0.01 by default, in each step, whatever the gradients' sizes. Throws as
 * Adam does.
 */
export class AdamW extends Adam {
	override readonly decoupled = true;

	constructor(parameters: Parameters, options: AdamOptions) {
		checkNames("AdamW", options, OPTIONS);
		super(parameters, { weightDecay: 0.01, ...options });
	}
}
