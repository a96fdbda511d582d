import type { Gpu } from "./gpu.ts";
import { Layout, Packed } from "./packs.ts";
import { collect, type State } from "./state.ts";
import { type Shape, show, sizeOf, type Tensor } from "./tensor.ts";

const hasGradient = ({ requiresGrad, gradIsFresh }: Tensor) =>
	requiresGrad && !gradIsFresh;

/** Declares the parameters of a network before any memory is taken. */
export class ParameterList {
	readonly entries: { name: string; shape: Shape; data: Float32Array }[] = [];

	/**
	 * Adds a parameter with its initial values (row-major; zeros where none are given) and returns the name by which Parameters.get() finds it. Throws on a name
	 * that there is already, and a RangeError where the shape does not hold the values.
	 */
	add(
		name: string,
		shape: Shape,
		data: Float32Array = new Float32Array(sizeOf(shape)),
	): string {
		if (this.entries.some((e) => e.name === name))
			throw new Error(`parameter "${name}" is declared twice`);
		if (data.length !== sizeOf(shape))
			throw new RangeError(
				`parameter "${name}" ${show(shape)}: ${data.length} initial values`,
			);
		this.entries.push({ name, shape, data });
		return name;
	}
}

/** A run of neighbours: floats [first, end) of a pack. */
export interface Range {
	readonly pack: number;
	readonly first: number;
	readonly end: number;
}

/**
 * The parameters of a network, packed into as few buffers as the device's limits allow, with their gradients in as many others: an optimiser updates all of a
 * buffer in one dispatch. They live until dispose(), outside of any scope.
 */
export class Parameters {
	readonly gpu: Gpu;
	readonly values: Packed;
	readonly gradients: Packed;
	/** Number of weights, without the padding between parameters. */
	readonly count: number;
	readonly #byName = new Map<string, Tensor>();

	/**
	 * @param options.bufferBytes of the largest buffer; by default what the device can bind. Throws a RangeError where one parameter is larger
	 */
	constructor(
		gpu: Gpu,
		{ entries }: ParameterList,
		{ bufferBytes = gpu.limits.bufferBytes } = {},
	) {
		this.gpu = gpu;
		const layout = new Layout(entries, bufferBytes);
		this.count = entries.reduce((n, e) => n + e.data.length, 0);
		this.values = new Packed(gpu, layout);
		this.gradients = new Packed(gpu, layout);
		const data = new Map(entries.map((e) => [e.name, e.data]));
		for (const [name, place] of layout.places) {
			const parameter = this.values.view(place);
			parameter.write(data.get(name) as Float32Array);
			parameter.requiresGrad = true;
			parameter.grad = this.gradients.view(place);
			parameter.gradIsFresh = true;
			this.#byName.set(name, parameter);
		}
	}

	/** The parameter of that name; throws if there is none. */
	get(name: string): Tensor {
		const parameter = this.#byName.get(name);
		if (!parameter) throw new Error(`there is no parameter "${name}"`);
		return parameter;
	}

	[Symbol.iterator](): IterableIterator<[string, Tensor]> {
		return this.#byName.entries();
	}

	/** Forgets the gradients: the next backward() overwrites them. */
	zeroGrad(): void {
		for (const parameter of this.#byName.values()) parameter.gradIsFresh = true;
	}

	/** Zeroes what does not count: gradients that no backward() has written since zeroGrad(), and those of frozen parameters. */
	settleGradients(): void {
		for (const p of this.#byName.values())
			if (!hasGradient(p) && p.grad) this.gpu.clear(p.grad);
	}

	/** What an optimiser may move: parameters that require a gradient and got one since zeroGrad(), neighbours in one range. */
	trained(): Range[] {
		const ranges: Range[] = [];
		for (const [name, { pack, first, end }] of this.values.layout.places) {
			if (!hasGradient(this.get(name))) continue;
			const last = ranges.at(-1);
			if (last?.pack === pack && last.end === first)
				ranges[ranges.length - 1] = { ...last, end };
			else ranges.push({ pack, first, end });
		}
		return ranges;
	}

	/** Copies every parameter to the host. */
	state(): Promise<State> {
		return collect(this.values.lazy());
	}

	/** Overwrites every parameter. Throws, before anything is changed, where names or shapes differ from this network's. */
	load(state: State): void {
		this.values.check(state, "the weights");
		for (const [name, place] of this.values.layout.places)
			this.values.write(place, state.get(name)?.data as Float32Array);
	}

	dispose(): void {
		for (const p of this.#byName.values()) {
			p.grad?.dispose();
			p.dispose();
		}
		this.values.dispose();
		this.gradients.dispose();
	}
}
