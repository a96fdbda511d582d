import type { Random } from "../../random.ts";
import { named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";
import { dropout } from "../ops/random.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { generator, type Layer } from "./layer.ts";
import { Module } from "./module.ts";

/** dropout() in training; does nothing after eval(). Each call in training drops other elements; a generator of the same seed gives the same ones. */
export class Dropout extends Module implements Layer {
	readonly p: number;
	readonly seed: number;
	/** Calls in training so far; set it to go on where an earlier run stopped. */
	step = 0;

	/** @param p probability of each element to go. Throws where it is not from 0, below 1 */
	constructor(p: number, options: { readonly random: Random }) {
		super();
		if (!(p >= 0 && p < 1))
			throw new Error(
				`Dropout: p ${named(p)}; expected a number from 0, below 1`,
			);
		const { random } = options ?? {};
		this.p = p;
		this.seed = generator("Dropout", random).uint32();
		checkNames("Dropout", options, ["random"]);
	}

	forward(x: Tensor): Tensor {
		if (!this.training) return x;
		const { p, seed, step } = this;
		const y = dropout(x, { p, seed, step });
		if (!x.gpu.rehearsed) this.step++; // compile() is no step
		return y;
	}
}

type Step = Layer | ((x: Tensor) => Tensor);

/** Layers, and functions such as relu, one after the other: named by their places, "0.weight", or by the fields of the object that they are given in. */
export class Sequential extends Module implements Layer {
	readonly #steps: readonly Step[];

	constructor(...steps: Step[] | [Readonly<Record<string, Step>>]) {
		super();
		const [first] = steps;
		const fields =
			typeof first === "object" && !("forward" in first) ? first : steps;
		for (const [name, step] of Object.entries(fields)) {
			if (name in this)
				throw new Error(
					`Sequential: a layer named "${name}"; expected a name that modules do not have`,
				);
			if (
				typeof step !== "function" &&
				typeof (step as Partial<Layer> | undefined)?.forward !== "function"
			)
				throw new TypeError(
					`Sequential: found ${named(step)} at ${name}, expected a function or a module with forward(x)`,
				);
		}
		this.#steps = Object.values(fields);
		Object.assign(this, fields);
	}

	forward(x: Tensor): Tensor {
		return this.#steps.reduce(
			(y, step) => (typeof step === "function" ? step(y) : step.forward(y)),
			x,
		);
	}
}
