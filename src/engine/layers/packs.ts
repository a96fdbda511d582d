import { named } from "../basics/named.ts";
import { detached } from "../basics/scope.ts";
import { type Shape, show, sizeOf } from "../basics/shape.ts";
import { lines } from "../device/dispatch.ts";
import type { Gpu } from "../device/gpu.ts";
import type { BufferView } from "../device/pool.ts";
import { sumColumns } from "../ops/reduce.ts";
import { empty, type Tensor, zeros } from "../tensors/tensor.ts";
import type { LazyState, State } from "./state.ts";

/** Offsets in a pack are multiples of this many floats (256 bytes, the alignment of bindings). */
export const UNIT = 64;

const units = (floats: number) => Math.ceil(floats / UNIT);

/** Where a parameter lies: floats [first, end) of a pack, the padding to whole units included. */
export interface Place {
	readonly shape: Shape;
	readonly pack: number;
	readonly first: number;
	readonly end: number;
}

/** A run of neighbours: floats [first, end) of a pack. */
export type Range = Omit<Place, "shape">;

/** How parameters lie side by side in as few buffers as the device's limits allow, in their order. */
export class Layout {
	readonly places: ReadonlyMap<string, Place>;
	/** Floats of each pack. */
	readonly sizes: readonly number[];
	/** Of all values, without the padding. */
	readonly count: number;

	/** Throws a RangeError where one parameter alone takes more than `mostBytes`. */
	constructor(
		parameters: readonly { name: string; shape: Shape }[],
		mostBytes: number,
	) {
		const places = new Map<string, Place>();
		const sizes = [0];
		for (const { name, shape } of parameters) {
			const length = units(sizeOf(shape)) * UNIT;
			if (4 * length > mostBytes)
				throw new RangeError(
					`parameter "${name}" ${show(shape)} needs ${4 * length} bytes; ${mostBytes} are allowed in one buffer`,
				);
			if (4 * (sizes[sizes.length - 1] + length) > mostBytes) sizes.push(0);
			const pack = sizes.length - 1;
			const first = sizes[pack];
			places.set(name, { shape, pack, first, end: first + length });
			sizes[pack] += length;
		}
		this.places = places;
		this.count = parameters.reduce((n, { shape }) => n + sizeOf(shape), 0);
		this.sizes = sizes.map((size) => Math.max(size, UNIT));
	}
}

/** One value for each parameter's: the parameters themselves, their gradients, an optimiser's moments. They live until dispose(), outside of any scope. */
export class Packed {
	readonly gpu: Gpu;
	readonly layout: Layout;
	readonly packs: readonly Tensor[];

	/** Zeros. */
	constructor(gpu: Gpu, layout: Layout) {
		this.gpu = gpu;
		this.layout = layout;
		this.packs = detached(gpu, () => layout.sizes.map((n) => zeros(gpu, [n])));
	}

	get bytes(): number {
		return this.packs.reduce((sum, pack) => sum + pack.bytes, 0);
	}

	/** What belongs to a parameter, over the same memory. */
	view({ shape, pack, first }: Place): Tensor {
		return detached(this.gpu, () => this.packs[pack].view(shape, 4 * first));
	}

	/** All values, to be read one parameter at a time before they change again. */
	lazy(): LazyState {
		const versions = this.packs.map(({ version }) => version);
		return new Map(
			[...this.layout.places].map(([name, place]) => [
				name,
				{
					shape: place.shape,
					read: async () => {
						const pack = this.packs[place.pack];
						if (pack.version !== versions[place.pack])
							throw new Error(
								`"${name}" has changed since it was to be read; expected all to be read before the next step`,
							);
						const view = this.view(place);
						try {
							return await view.data();
						} finally {
							view.dispose();
						}
					},
				},
			]),
		);
	}

	/** Overwrites the values of one parameter. */
	write(place: Place, data: Float32Array): void {
		const view = this.view(place);
		view.write(data);
		view.dispose();
	}

	/** Overwrites all values, one parameter at a time. Throws, before anything is changed, where names or shapes differ. */
	async load(tensors: LazyState, what = "the weights"): Promise<void> {
		this.check(tensors, what);
		for (const [name, place] of this.layout.places)
			this.write(place, (await tensors.get(name)?.read()) as Float32Array);
	}

	/** Throws where names or shapes differ from these. */
	check(tensors: State | LazyState, what: string): void {
		checkState(this.layout.places, tensors, what);
	}

	/** What lies in a range. */
	part({ pack, first, end }: Range): BufferView {
		const { buffer, offset } = this.packs[pack];
		return { buffer, offset: offset + 4 * first, bytes: 4 * (end - first) };
	}

	/** Tells those who still want to read that the values have changed. */
	touch(): void {
		for (const pack of this.packs) pack.touch();
	}

	dispose(): void {
		for (const pack of this.packs) pack.dispose();
	}
}

/** Throws where names or shapes of tensors differ from the expected ones. */
export function checkState(
	expected: ReadonlyMap<string, { readonly shape: Shape }>,
	tensors: ReadonlyMap<string, { readonly shape: Shape }>,
	what: string,
): void {
	if (typeof (tensors as Partial<State> | undefined)?.get !== "function")
		throw new TypeError(
			`${what}: found ${named(tensors)}, expected a Map of tensors by name, as state() gives it and decodeSafetensors() under "tensors"`,
		);
	for (const [name, { shape }] of expected) {
		const saved = tensors.get(name);
		if (!saved) throw new Error(`${what} lack parameter "${name}"`);
		if (show(saved.shape) !== show(shape))
			throw new Error(
				`parameter "${name}": ${what} have shape ${show(saved.shape)}, this network ${show(shape)}`,
			);
	}
	for (const name of tensors.keys())
		if (!expected.has(name))
			throw new Error(`${what} hold "${name}", which this network has not`);
}

/**
 * y [1]: the sum of all squares, or the number of values that are no finite numbers, of some ranges or of everything. Units are summed in the parameters' order, wherever
 * the packs begin: the result is bitwise the same for any number of packs.
 */
export function sumPacked(
	entry: "squares" | "nonFinite",
	packed: Packed,
	y: Tensor,
	ranges: readonly Range[] = packed.layout.sizes.map((end, pack) => ({
		pack,
		first: 0,
		end,
	})),
): void {
	const { gpu } = packed;
	const units = ranges.map(({ first, end }) => (end - first) / UNIT);
	const partial = empty(gpu, [units.reduce((sum, n) => sum + n, 0)]);
	let first = 0;
	for (const [i, n] of units.entries()) {
		gpu.run({
			shader: "packs",
			entry,
			bindings: { x: packed.part(ranges[i]), partial },
			params: { n, first, take: 0 },
			workgroups: lines(gpu, n),
		});
		first += n;
	}
	sumColumns(partial, y);
	partial.dispose();
}

/** How many values are no finite numbers. */
export async function countNonFinite(...all: Packed[]): Promise<number> {
	let total = 0;
	for (const packed of all) {
		const y = detached(packed.gpu, () => {
			const y = empty(packed.gpu, [1]);
			sumPacked("nonFinite", packed, y);
			return y;
		});
		total += await y.item();
		y.dispose();
	}
	return total;
}
