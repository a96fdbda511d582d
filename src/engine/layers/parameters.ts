import { named } from "../basics/named.ts";
import { type Shape, show, sizeOf } from "../basics/shape.ts";
import type { Gpu } from "../device/gpu.ts";
import {
	checkedFloats,
	onNoDevice,
	Tensor,
	type Values,
} from "../tensors/tensor.ts";
import { checkState, Layout, Packed, type Range } from "./packs.ts";
import { collect, type LazyState, type Loadable, type State } from "./state.ts";

let made = 0;

/**
 * A tensor that is learnt (torch's nn.Parameter). It is made on the host; to(gpu) of the module that holds it gives it its memory on the device, together with all others
 * of the network.
 */
export class Parameter extends Tensor {
	/** Parameters have the order in which they were made. */
	readonly order = made++;
	/** Where it lies; null as long as it is on the host. */
	home: { readonly parameters: Parameters; readonly name: string } | null =
		null;
	#values: Float32Array | null;

	/** @param values row-major, what tensor() takes; zeros where none are given. Throws a RangeError where the shape does not hold them */
	constructor(shape: Shape, values: Values = new Float32Array(sizeOf(shape))) {
		super(shape, null);
		this.#values = checkedFloats("Parameter", values, shape);
		this.requiresGrad = true;
	}

	/** Lays it over the memory of `view`; Parameters calls this. */
	place(parameters: Parameters, name: string, view: Tensor): void {
		this.settle(view);
		view.dispose();
		this.home = { parameters, name };
		super.write(this.#values as Float32Array);
		this.#values = null;
	}

	override write(data: Values): void {
		if (this.#values)
			this.#values = checkedFloats("write()", data, this.shape).slice();
		else super.write(data);
	}

	override async data(): Promise<Float32Array> {
		return this.#values?.slice() ?? super.data();
	}
}

/** A tensor that belongs to a network's state and is not learnt, as running statistics are (torch's nn.Buffer). */
export class Buffer extends Parameter {
	constructor(shape: Shape, values?: Values) {
		super(shape, values);
		this.requiresGrad = false;
	}
}

/** Parameters as a module gives them: parameters(), or namedParameters(). */
export type ParameterSource = Iterable<
	Parameter | readonly [string, Parameter]
>;

const hasGradient = ({ requiresGrad, gradIsFresh }: Tensor) =>
	requiresGrad && !gradIsFresh;

const packed = (gpu: Gpu, some: Map<string, Parameter>, bytes: number) =>
	new Packed(
		gpu,
		new Layout(
			Array.from(some, ([name, { shape }]) => ({ name, shape })),
			bytes,
		),
	);

/**
 * The parameters of a network, packed into as few buffers as the device's limits allow; their gradients are packed in the same way. So an optimiser updates a whole
 * buffer in one dispatch. They live until dispose(), outside of any scope.
 */
export class Parameters {
	readonly gpu: Gpu;
	readonly values: Packed;
	readonly gradients: Packed;
	/** Number of weights, without the padding between parameters. */
	readonly count: number;
	readonly #learnt = new Map<string, Parameter>();
	/** With buffers: what the state consists of. */
	readonly #byName: ReadonlyMap<string, Parameter>;
	readonly #buffers: Packed | null;

	/**
	 * Places parameters, and buffers in memory of their own.
	 *
	 * @param options.bufferBytes of the largest buffer; by default what the device can bind. Throws a RangeError where one parameter is larger
	 */
	constructor(
		gpu: Gpu,
		parameters: Iterable<readonly [string, Parameter]>,
		{ bufferBytes = gpu.limits.bufferBytes } = {},
	) {
		this.gpu = gpu;
		this.#byName = new Map(parameters);
		const buffers = new Map<string, Parameter>();
		for (const [name, p] of this.#byName) {
			if (p.home)
				throw new Error(
					`parameter "${name}" ${show(p.shape)} is on a device already, as "${p.home.name}"`,
				);
			(p instanceof Buffer ? buffers : this.#learnt).set(name, p);
		}
		this.values = packed(gpu, this.#learnt, bufferBytes);
		this.gradients = new Packed(gpu, this.values.layout);
		this.count = this.values.layout.count;
		for (const [name, place] of this.values.layout.places) {
			const parameter = this.get(name);
			parameter.place(this, name, this.values.view(place));
			parameter.grad = this.gradients.view(place);
			parameter.gradIsFresh = true;
		}
		this.#buffers = buffers.size > 0 ? packed(gpu, buffers, bufferBytes) : null;
		for (const [name, place] of this.#buffers?.layout.places ?? [])
			this.get(name).place(this, name, (this.#buffers as Packed).view(place));
	}

	/** The parameter of that name; throws if there is none. */
	get(name: string): Parameter {
		const parameter = this.#byName.get(name);
		if (!parameter) throw new Error(`there is no parameter "${name}"`);
		return parameter;
	}

	/** Names and parameters, without buffers. */
	[Symbol.iterator](): IterableIterator<[string, Parameter]> {
		return this.#learnt.entries();
	}

	/** Forgets the gradients: the next backward() overwrites them. */
	zeroGrad(): void {
		for (const parameter of this.#learnt.values()) parameter.gradIsFresh = true;
	}

	/** Sets to zero what does not count: the gradients that no backward() has written since zeroGrad(), and those of frozen parameters. */
	settleGradients(): void {
		for (const p of this.#learnt.values())
			if (!hasGradient(p) && p.grad) this.gpu.clear(p.grad);
	}

	/** Where the chosen parameters lie, neighbours in one range. */
	ranges(chosen: ReadonlySet<Tensor>): Range[] {
		const ranges: Range[] = [];
		for (const [name, { pack, first, end }] of this.values.layout.places) {
			if (!chosen.has(this.get(name))) continue;
			const last = ranges.at(-1);
			if (last?.pack === pack && last.end === first)
				ranges[ranges.length - 1] = { ...last, end };
			else ranges.push({ pack, first, end });
		}
		return ranges;
	}

	/** What an optimiser may move of the chosen ones: parameters that require a gradient and got one since zeroGrad(). */
	trained(chosen: Iterable<Tensor>): Range[] {
		return this.ranges(new Set([...chosen].filter(hasGradient)));
	}

	/** All values, to be read one parameter at a time before they change again. */
	lazy(): LazyState {
		const values = this.values.lazy();
		return this.#buffers
			? new Map([...values, ...this.#buffers.lazy()])
			: values;
	}

	/** Copies every parameter to the host. */
	state(): Promise<State> {
		return collect(this.lazy());
	}

	/** Overwrites every parameter. Throws, before anything is changed, where names or shapes differ from this network's. */
	load(state: Loadable): void {
		loadState(this.#byName, state);
	}

	/** As load(), but the values are read one parameter at a time. */
	async loadLazy(state: LazyState): Promise<void> {
		checkState(this.#byName, state, "the weights");
		for (const [name, parameter] of this.#byName)
			parameter.write((await state.get(name)?.read()) as Float32Array);
	}

	dispose(): void {
		for (const p of this.#byName.values()) {
			p.grad?.dispose();
			p.dispose();
		}
		this.values.dispose();
		this.gradients.dispose();
		this.#buffers?.dispose();
	}
}

/** Overwrites parameters by name. Throws, before anything is changed, where names or shapes differ. */
export function loadState(
	parameters: ReadonlyMap<string, Parameter>,
	state: Loadable,
): void {
	checkState(parameters, state, "the weights");
	const loaded = [...parameters].map(([name, parameter]) => {
		const data = state.get(name)?.data as Values;
		const what = `parameter "${name}"`;
		return [parameter, checkedFloats(what, data, parameter.shape)] as const;
	});
	for (const [parameter, values] of loaded) parameter.write(values);
}

/** Parameters, and where those of their network lie. Throws where they are none, of several networks, or on no device yet. */
export function ofOneNetwork(
	what: string,
	source: ParameterSource,
): { params: Parameter[]; home: Parameters } {
	if (typeof Object(source)[Symbol.iterator] !== "function")
		throw new TypeError(
			`${what}: found ${named(source)}, expected a module's parameters()`,
		);
	const params = [...source].map((item) => {
		const p: unknown = Array.isArray(item) ? item[1] : item;
		if (p instanceof Parameter) return p;
		throw new TypeError(
			`${what}: found ${p instanceof Tensor ? `a tensor ${show(p.shape)}` : named(p)} among the parameters, expected a module's parameters()`,
		);
	});
	const homes = new Set(
		params.map(({ home, shape }) => {
			if (home) return home.parameters;
			throw onNoDevice(shape, `${what}: `);
		}),
	);
	if (homes.size !== 1)
		throw new Error(
			`${what}: parameters of ${homes.size} networks; expected those of one, a module that holds both of two`,
		);
	return { params, home: [...homes][0] };
}
