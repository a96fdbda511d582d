import { checkNames } from "../basics/options.ts";
import { detached } from "../basics/scope.ts";
import type { BufferView } from "../device/pool.ts";
import {
	countNonFinite,
	Packed,
	type Range,
	sumPacked,
} from "../layers/packs.ts";
import {
	ofOneNetwork,
	type Parameter,
	type ParameterSource,
	type Parameters,
} from "../layers/parameters.ts";
import { joined, type LazyState, part } from "../layers/state.ts";
import { Tensor, zeros } from "../tensors/tensor.ts";
import { checkClip } from "./clip.ts";

/** Parameters with options of their own, in torch's form; what a group does not say is as for all. */
export type ParameterGroup<O> = { readonly params: ParameterSource } & {
	readonly [K in keyof O]?: O[K];
};

interface Rate {
	readonly lr: number;
}

/** A group of parameters as an optimiser has it. */
export class Group<O extends Rate> {
	readonly params: readonly Parameter[];
	readonly options: Required<Omit<O, "lr">>;
	readonly #optimiser: string;
	#lr = 0;

	constructor(optimiser: string, params: readonly Parameter[], options: O) {
		const { lr, ...others } = options;
		this.#optimiser = optimiser;
		this.params = params;
		this.options = others as Required<Omit<O, "lr">>;
		this.lr = lr;
	}

	get lr(): number {
		return this.#lr;
	}

	/** Throws on one that is not a finite number of 0 or more. */
	set lr(value: number) {
		checkNumber(this.#optimiser, "learning rate", value);
		this.#lr = value;
	}
}

/** Throws unless a constant is a finite number of 0 or more. */
export function checkNumber(what: string, name: string, value: number): void {
	if (!(value >= 0 && Number.isFinite(value)))
		throw new Error(
			`${what}: ${name} ${value}; expected a finite number of 0 or more`,
		);
}

/** What makes one optimiser differ from another. */
interface Kind<O> {
	readonly name: string;
	/** Of what need not be given. */
	readonly defaults: Required<Omit<O, "lr">>;
	/** Names of the values that are kept for each parameter, as Adam's m and v. */
	readonly moments: readonly string[];
	/** Throws on options that make no sense. */
	check(options: Required<O>): void;
}

const isGroup = (item: unknown): item is { params: ParameterSource } =>
	!(item instanceof Tensor) && "params" in Object(item);

const given = <O extends object>(options: O) =>
	Object.fromEntries(
		Object.entries(options).filter(([, value]) => value !== undefined),
	) as Partial<O>;

/** What the optimisers share: groups, clipping, leaving alone what is frozen, and a state to go on from. */
export abstract class Optimiser<O extends Rate> {
	readonly parameters: Parameters;
	/** Each has an `lr` of its own, to be set in the course of a training (torch's param_groups). */
	readonly paramGroups: readonly Group<O>[];
	/** Steps done; with loss scaling, skipped ones too. */
	steps = 0;
	/** [1]: of the squares of all gradients. */
	protected readonly square: Tensor;
	readonly #name: string;
	readonly #moments: ReadonlyMap<string, Packed>;
	#warned = false;

	constructor(
		params: ParameterSource | readonly ParameterGroup<O>[],
		options: O,
		{ name, defaults, moments, check }: Kind<O>,
	) {
		const known = ["lr", ...Object.keys(defaults)];
		checkNames(name, options, known);
		const items = Array.isArray(params) ? (params as unknown[]) : [];
		const groups = items.some(isGroup)
			? (params as readonly ParameterGroup<O>[])
			: [{ params: params as ParameterSource }];
		this.#name = name;
		this.paramGroups = groups.map(({ params, ...own }) => {
			checkNames(name, own, known);
			const all = { ...defaults, ...given(options), ...given(own) };
			check(all as Required<O>);
			return new Group(
				name,
				ofOneNetwork(name, params).params,
				all as unknown as O,
			);
		});
		const all = this.paramGroups.flatMap((group) => group.params);
		if (new Set(all).size !== all.length)
			throw new Error(`${name}: a parameter is in two groups; expected one`);
		this.parameters = ofOneNetwork(name, all).home;
		const { gpu, values } = this.parameters;
		this.#moments = new Map(
			moments.map((prefix) => [prefix, new Packed(gpu, values.layout)]),
		);
		this.square = detached(gpu, () => zeros(gpu, [1]));
	}

	/** Of what is remembered. */
	get bytes(): number {
		return [...this.#moments.values()].reduce((n, { bytes }) => n + bytes, 0);
	}

	/** That of the first group; setting it sets all groups'. */
	get lr(): number {
		return this.paramGroups[0].lr;
	}

	set lr(value: number) {
		for (const group of this.paramGroups) group.lr = value;
	}

	/**
	 * Moves the parameters against their gradients. With `clip` the gradients are first scaled down to that global norm, if theirs is larger; this is what clipGradNorm() does, but without a
	 * pass of its own, and nothing is read back. If a gradient is not a number, all parameters are spoilt then. Where no parameter has a gradient nothing is done,
	 * which is said once. Throws on a clip that is not positive.
	 */
	step(options: { clip?: number } = {}): void {
		checkNames(`${this.#name}: step()`, options, ["clip"]);
		const { clip } = options;
		if (clip !== undefined) checkClip(this.#name, clip);
		const { parameters } = this;
		const { gpu, values } = parameters;
		const work = this.paramGroups.flatMap((group) =>
			parameters.trained(group.params).map((range) => ({ group, range })),
		);
		if (work.length === 0) {
			this.#warnOfNothing();
			return;
		}
		parameters.settleGradients();
		for (const packed of [values, ...this.#moments.values()]) packed.touch();
		this.steps++;
		this.begin(clip ?? 0);
		for (const { group, range } of work) this.update(group, range, clip ?? 0);
		gpu.growth.after("step", gpu.statistics.bytesLive);
	}

	/** Says once that a step did nothing, unless nothing is to be learnt, or compile() rehearses. */
	#warnOfNothing(): void {
		const learnt = this.paramGroups
			.flatMap(({ params }) => params)
			.filter(({ requiresGrad }) => requiresGrad);
		if (this.#warned || learnt.length === 0 || this.parameters.gpu.rehearsed)
			return;
		this.#warned = true;
		const names = learnt.slice(0, 3).map(({ home }) => `"${home?.name}"`);
		const more = learnt.length - names.length;
		console.warn(
			`qpi-lens: ${this.#name}: step() does nothing, for no parameter (${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}) has got a gradient since the last zeroGrad(). Call backward(loss) between zeroGrad() and step().`,
		);
	}

	/** Is called before a step's first range. @param clip 0: none */
	protected begin(clip: number): void {
		if (clip > 0) this.sumSquares();
	}

	/** Moves the parameters of a range. */
	protected abstract update(group: Group<O>, range: Range, clip: number): void;

	protected sumSquares(): void {
		const { parameters, paramGroups } = this;
		const all = new Set(paramGroups.flatMap((group) => group.params));
		const ranges = parameters.ranges(all);
		sumPacked("squares", parameters.gradients, this.square, ranges);
	}

	/** A range of the gradients, of the parameters, and of all that is remembered, by the shaders' names. */
	protected bindings(range: Range): Record<string, BufferView> {
		const { gradients, values } = this.parameters;
		const all = { gradients, values, ...Object.fromEntries(this.#moments) };
		return Object.fromEntries(
			Object.entries(all).map(([name, packed]) => [name, packed.part(range)]),
		);
	}

	/** All that is remembered besides `steps`, to be read before the next step: what Adam calls m of a parameter as `m/NAME`. */
	lazy(): LazyState {
		return joined(
			Object.fromEntries(
				[...this.#moments].map(([name, packed]) => [`${name}/`, packed.lazy()]),
			),
		);
	}

	/** Goes on from a state saved after `steps` steps, bitwise. Throws where it is not of these parameters. */
	async load(state: LazyState, steps: number): Promise<void> {
		if (!(Number.isInteger(steps) && steps >= 0))
			throw new Error(
				`${this.#name}: a state after ${steps} steps; expected a count`,
			);
		const what = `${this.#name}'s moments`;
		const parts = [...this.#moments].map(
			([name, packed]) => [packed, part(state, `${name}/`)] as const,
		);
		for (const [packed, saved] of parts) packed.check(saved, what);
		for (const [packed, saved] of parts) await packed.load(saved, what);
		this.steps = steps;
	}

	/** Whether all weights and all that is remembered are finite numbers; counted on the device. */
	async isFinite(): Promise<boolean> {
		const all = [this.parameters.values, ...this.#moments.values()];
		return (await countNonFinite(...all)) === 0;
	}

	dispose(): void {
		for (const packed of this.#moments.values()) packed.dispose();
		this.square.dispose();
	}
}
