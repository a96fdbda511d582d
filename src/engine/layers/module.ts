import { named } from "../basics/named.ts";
import type { Gpu } from "../device/gpu.ts";
import { Buffer, loadState, Parameter, Parameters } from "./parameters.ts";
import type { Loadable, State } from "./state.ts";

/**
 * A network, or a part of one, that holds its parameters (torch's nn.Module). It finds them by itself in its public fields: parameters, modules, and lists of these. They are named by the
 * fields, as in "encoder.blocks.0.weight". What the module computes is a method of yours; a Sequential calls forward(x). Parameters begin on the host, and
 * to(gpu) gives those of the whole network their memory on the device.
 */
export class Module {
	/** What dropout and batch normalisation go by; train() and eval() set it. */
	training = true;
	#packed: Parameters | null = null;

	/** Parameters by name, in the order in which they were made; one that is held twice has its first name. */
	namedParameters(): Map<string, Parameter> {
		return new Map(
			[...this.#named()].filter(([, p]) => !(p instanceof Buffer)),
		);
	}

	/** Parameters in the order in which they were made: what an optimiser takes. */
	parameters(): Parameter[] {
		return [...this.namedParameters().values()];
	}

	/**
	 * Gives the parameters their memory on the device, until dispose(). Call it on the module that holds all others. Throws where parameters are on a device already, and a RangeError
	 * where one of them is larger than the device, or `bufferBytes`, allows.
	 */
	to(gpu: Gpu, options: { readonly bufferBytes?: number } = {}): this {
		if (typeof Object(gpu).allocate !== "function")
			throw new TypeError(
				`${this.constructor.name}: to(): found ${named(gpu)}, expected what createEngine() gives`,
			);
		this.#packed = new Parameters(gpu, this.#named(), options);
		return this;
	}

	/** All parameters as they lie on the device. Throws before to(gpu), and for a part of a network. */
	get packed(): Parameters {
		if (!this.#packed)
			throw new Error(
				`${this.constructor.name}: it is on no device by itself; expected to(gpu) of it before`,
			);
		return this.#packed;
	}

	/** Copies parameters and buffers to the host, by name. */
	async state(): Promise<State> {
		if (this.#packed) return this.#packed.state();
		const state: State = new Map();
		for (const [name, p] of this.#named())
			state.set(name, { shape: p.shape, data: await p.data() });
		return state;
	}

	/** Overwrites parameters and buffers. Throws, before anything is changed, where names or shapes differ from this module's. */
	load(state: Loadable): void {
		loadState(this.#named(), state);
	}

	/** Forgets the gradients: the next backward() overwrites them. */
	zeroGrad(): void {
		if (this.#packed) this.#packed.zeroGrad();
		else for (const p of this.parameters()) p.gradIsFresh = true;
	}

	/** Puts this module and all modules within it into training mode, or with false into the mode for use after training. Dropout and batch normalisation do different things in the two. */
	train(mode = true): this {
		for (const [, part] of partsOf(this, "", Module)) part.training = mode;
		this.training = mode;
		return this;
	}

	eval(): this {
		return this.train(false);
	}

	/** Gives the memory on the device back. */
	dispose(): void {
		this.packed.dispose();
	}

	#named(): Map<string, Parameter> {
		const found = [...partsOf(this, "", Parameter)];
		const first = new Map(found.reverse().map(([name, p]) => [p, name]));
		return new Map(
			[...first]
				.sort(([a], [b]) => a.order - b.order)
				.map(([p, name]) => [name, p]),
		);
	}
}

/** The parameters, or the modules, that a module holds at any depth, by name. */
function* partsOf<T>(
	holder: object,
	prefix: string,
	kind: new (...args: never[]) => T,
): Generator<[string, T]> {
	for (const [key, part] of Object.entries(holder)) {
		const name = `${prefix}${key}`;
		if (part instanceof kind) yield [name, part];
		if (part instanceof Module || Array.isArray(part))
			yield* partsOf(part, `${name}.`, kind);
	}
}
