import { lines } from "../device/dispatch.ts";
import type { BufferView } from "../device/pool.ts";
import type { Range } from "../layers/packs.ts";
import type { ParameterSource } from "../layers/parameters.ts";
import { joined, type LazyState } from "../layers/state.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { isExhausted, LossScale } from "./lossScale.ts";
import {
	checkNumber,
	type Group,
	Optimiser,
	type ParameterGroup,
} from "./optimiser.ts";

interface GroupOptions {
	/** Learning rate. */
	readonly lr: number;
	readonly betas?: readonly [number, number];
	readonly eps?: number;
	/** In Adam weightDecay * weight is added to the gradient (L2 penalty). In AdamW the weight is multiplied by 1 - lr * weightDecay before each step. */
	readonly weightDecay?: number;
}

export interface AdamOptions extends GroupOptions {
	/** Gradients are those of a scaled loss: backward() must start from `seed`, else step() throws. Default false. */
	readonly lossScaling?: boolean;
}

/** What Adam optimises: a module's parameters(), or groups of them with options of their own. */
export type AdamParameters =
	| ParameterSource
	| readonly ParameterGroup<GroupOptions>[];

/**
 * Adam (Kingma and Ba 2015) as torch has it. All parameters that lie side by side and have the same options are updated in one dispatch. Parameters that are frozen (`requiresGrad` is
 * false) or have got no gradient since zeroGrad() stay as they are; the count of steps is common to all. Throws on a learning rate that is not a finite number of 0 or more, here or
 * when it is set later.
 */
export class Adam extends Optimiser<AdamOptions> {
	/** Whether the decay is that of AdamW. */
	readonly decoupled: boolean = false;
	readonly #lossScale: LossScale | null;

	constructor(
		params: AdamParameters,
		options: AdamOptions,
		name = "Adam",
		weightDecay = 0,
	) {
		super(params, options, {
			name,
			defaults: {
				betas: [0.9, 0.999],
				eps: 1e-8,
				weightDecay,
				lossScaling: false,
			},
			moments: ["m", "v"],
			check({ betas, eps, weightDecay }) {
				for (const beta of betas)
					if (!(beta >= 0 && beta < 1))
						throw new Error(`${name}: beta ${beta}; expected 0 <= beta < 1`);
				if (!(eps > 0 && Number.isFinite(eps)))
					throw new Error(`${name}: eps ${eps}; expected a positive number`);
				checkNumber(name, "weight decay", weightDecay);
			},
		});
		const betas = this.paramGroups.map(({ options }) => String(options.betas));
		if (options.lossScaling && new Set(betas).size > 1)
			throw new Error(
				`${name}: loss scaling and betas ${betas.join(" and ")}; expected the same in all groups`,
			);
		this.#lossScale = options.lossScaling
			? new LossScale(this.parameters.gpu)
			: null;
	}

	/** [1]: what backward() of the loss starts from; undefined without loss scaling, as backward() has it. */
	get seed(): Tensor | undefined {
		return this.#lossScale?.scale;
	}

	override step(options: { clip?: number } = {}): void {
		if (this.#lossScale) this.#checkSeeds();
		super.step(options);
	}

	protected override begin(clip: number): void {
		const lossScale = this.#lossScale;
		if (clip > 0 || lossScale) this.sumSquares();
		if (!lossScale) return;
		const { scale, scaling } = lossScale;
		const [group] = this.paramGroups;
		this.#run(
			"settle",
			{ square: this.square, scale, scaling },
			1,
			group,
			clip,
		);
	}

	protected override update(
		group: Group<AdamOptions>,
		range: Range,
		clip: number,
	): void {
		const lossScale = this.#lossScale;
		this.#run(
			lossScale ? "stepScaled" : "step",
			{
				...this.bindings(range),
				square: this.square,
				...(lossScale && { scaling: lossScale.scaling }),
			},
			(range.end - range.first) / 4,
			group,
			clip,
		);
	}

	#run(
		entry: string,
		bindings: Record<string, BufferView>,
		n: number,
		{ lr, options }: Group<AdamOptions>,
		clip: number,
	): void {
		const { gpu } = this.parameters;
		const [beta1, beta2] = options.betas;
		gpu.run({
			shader: "adam",
			entry,
			bindings,
			params: {
				n,
				clip,
				size: this.#lossScale ? lr : lr / (1 - beta1 ** this.steps),
				root: Math.sqrt(1 - beta2 ** this.steps),
				eps: options.eps,
				decay: this.decoupled ? 0 : options.weightDecay,
				shrink: this.decoupled ? lr * options.weightDecay : 0,
				keep: options.betas,
				take: [1 - beta1, 1 - beta2],
			},
			workgroups: lines(gpu, n),
		});
	}

	#checkSeeds(): void {
		for (const [name, p] of this.parameters)
			if (p.requiresGrad && !p.gradIsFresh && !p.gradIsSeeded)
				throw new Error(
					`Adam: loss scaling, but the gradient of "${name}" is not of a scaled loss; expected backward(loss, adam.seed)`,
				);
	}

	/** The moments as `m/NAME` and `v/NAME`, and with loss scaling LossScale's state as `scaling`. */
	override lazy(): LazyState {
		const scaling = this.#lossScale;
		if (!scaling) return super.lazy();
		const state = { shape: [4], read: () => scaling.state() };
		return joined({ "": super.lazy(), scaling: new Map([["", state]]) });
	}

	/** As that of all optimisers; a state without loss scaling begins it. */
	override async load(state: LazyState, steps: number): Promise<void> {
		await super.load(state, steps);
		const scaling = await state.get("scaling")?.read();
		if (scaling) this.#lossScale?.load(scaling);
		else this.#lossScale?.begin(steps, this.paramGroups[0].options.betas);
	}

	/** Whether loss scaling can go no lower: see isExhausted(). */
	async isExhausted(): Promise<boolean> {
		const state = await this.#lossScale?.state();
		return state !== undefined && isExhausted(state);
	}

	override dispose(): void {
		super.dispose();
		this.#lossScale?.dispose();
	}
}

/**
 * AdamW (Loshchilov and Hutter 2019) as torch has it. It is Adam, but in each step the weights also shrink by lr times `weightDecay` (0.01 by default) of their value, whatever the size of
 * the gradients. Throws as Adam does.
 */
export class AdamW extends Adam {
	override readonly decoupled = true;

	constructor(params: AdamParameters, options: AdamOptions) {
		super(params, options, "AdamW", 0.01);
	}
}
