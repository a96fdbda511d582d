import type { Gpu } from "./gpu.ts";
import { detached } from "./scope.ts";
import { type Shape, show, sizeOf, type Tensor, zeros } from "./tensor.ts";

/** Offsets in a packed buffer are multiples of this many floats (256 bytes, the alignment of bindings). */
const ALIGN = 64;

/** Values on the host, by parameter name: what a checkpoint holds. */
export type State = Map<string, { shape: Shape; data: Float32Array }>;

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

/**
 * The parameters of a network, packed into one buffer with their gradients in a second: an optimiser updates all of them in one
 * dispatch. They live until dispose(), outside of any scope.
 */
export class Parameters {
	readonly gpu: Gpu;
	readonly values: Tensor;
	readonly gradients: Tensor;
	/** Number of weights, without the padding between parameters. */
	readonly count: number;
	readonly #byName = new Map<string, Tensor>();

	/** Throws a RangeError where they do not fit into one buffer of the device. */
	constructor(gpu: Gpu, list: ParameterList) {
		this.gpu = gpu;
		let length = 0;
		const offsets = list.entries.map(({ data }) => {
			const offset = length;
			length += Math.ceil(data.length / ALIGN) * ALIGN;
			return offset;
		});
		const packed = new Float32Array(Math.max(length, ALIGN));
		list.entries.forEach((e, i) => {
			packed.set(e.data, offsets[i]);
		});
		this.count = list.entries.reduce((n, e) => n + e.data.length, 0);
		const made = detached(gpu, () => {
			const values = zeros(gpu, [packed.length]);
			const gradients = zeros(gpu, [packed.length]);
			list.entries.forEach((e, i) => {
				const parameter = values.view(e.shape, offsets[i] * 4);
				parameter.requiresGrad = true;
				parameter.grad = gradients.view(e.shape, offsets[i] * 4);
				parameter.gradIsFresh = true;
				this.#byName.set(e.name, parameter);
			});
			return { values, gradients };
		});
		this.values = made.values;
		this.gradients = made.gradients;
		this.values.write(packed);
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

	/**
	 * What an optimiser may move, as ranges [first, end) of the packed floats: parameters that require a gradient and got one since zeroGrad(), neighbours
	 * in one range.
	 */
	trained(): [number, number][] {
		const ranges: [number, number][] = [];
		for (const p of this.#byName.values()) {
			if (!hasGradient(p)) continue;
			const first = (p.offset - this.values.offset) / 4;
			const end = first + Math.ceil(p.size / ALIGN) * ALIGN;
			const last = ranges.at(-1);
			if (last?.[1] === first) last[1] = end;
			else ranges.push([first, end]);
		}
		return ranges;
	}

	/** Copies every parameter to the host, in one readback. */
	async state(): Promise<State> {
		const packed = await this.values.data();
		const state: State = new Map();
		for (const [name, p] of this.#byName) {
			const start = (p.offset - this.values.offset) / 4;
			state.set(name, {
				shape: p.shape,
				data: packed.slice(start, start + p.size),
			});
		}
		return state;
	}

	/** Overwrites every parameter. Throws, before anything is changed, where names or shapes differ from this network's. */
	load(state: State): void {
		const packed = new Float32Array(this.values.size);
		for (const [name, p] of this.#byName) {
			const saved = state.get(name);
			if (!saved) throw new Error(`the weights lack parameter "${name}"`);
			if (show(saved.shape) !== show(p.shape))
				throw new Error(
					`parameter "${name}": the weights have shape ${show(saved.shape)}, this network ${show(p.shape)}`,
				);
			packed.set(saved.data, (p.offset - this.values.offset) / 4);
		}
		for (const name of state.keys())
			if (!this.#byName.has(name))
				throw new Error(
					`the weights hold "${name}", which this network has not`,
				);
		this.values.write(packed);
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
