import { Random } from "../../random.ts";
import { named } from "../basics/named.ts";
import { checkNames } from "../basics/options.ts";

/** The streams that orders are drawn from: one an epoch. */
const ORDER = 0x80000000;

/** The order of samples in an epoch, counted from 0: it depends on seed and epoch alone, so any epoch can be repeated. */
export function sampleOrder(
	samples: number,
	seed: number,
	epoch: number,
): number[] {
	return new Random(seed, ORDER + epoch).shuffle(
		Array.from({ length: samples }, (_, i) => i),
	);
}

/** What samples may lie in, one behind the other. */
type Values =
	| Float32Array
	| Float64Array
	| Int32Array
	| Uint32Array
	| Int16Array
	| Uint16Array
	| Int8Array
	| Uint8Array;

export interface DataLoaderOptions<D extends Readonly<Record<string, Values>>> {
	/** By name: the same number of samples in each, `length / samples` values a sample. */
	readonly data: D;
	readonly samples: number;
	/** Default 1. */
	readonly batchSize?: number;
	/** Another order in each epoch; default false. */
	readonly shuffle?: boolean;
	/** Names the orders; a whole number of 32 bits, default 0. */
	readonly seed?: number;
	/** Leaves out the last batch where it is smaller; default false. */
	readonly dropLast?: boolean;
}

/** The samples of a batch: for each of the data their values, as tensor() takes them, and how many they are. */
export type Batch<D> = { readonly [K in keyof D]: D[K] } & {
	readonly size: number;
};

export interface DataLoader<D> extends Iterable<Batch<D>> {
	/** Batches in an epoch. */
	readonly length: number;
	/** Of the next iteration; each moves it on by one. Set it to go on where an earlier run stopped. */
	epoch: number;
}

/**
 * Batches of arrays, an epoch for each iteration (torch's DataLoader): `for (const { x, y, size } of loader)`. The same seed gives the same batches. Throws where arrays do not
 * hold whole samples.
 */
export function dataLoader<D extends Readonly<Record<string, Values>>>(
	options: DataLoaderOptions<D>,
): DataLoader<D> {
	const what = "dataLoader";
	const known = "data, samples, batchSize, shuffle, seed, dropLast".split(", ");
	checkNames(what, options, known);
	const { data, samples, batchSize = 1, shuffle = false, seed = 0 } = options;
	for (const [name, value] of Object.entries({ samples, batchSize }))
		if (!(Number.isInteger(value) && value > 0))
			throw new Error(
				`${what}: ${name} ${named(value)}; expected a whole number from 1`,
			);
	for (const [name, values] of Object.entries(data)) {
		if (name === "size")
			throw new TypeError(
				`${what}: data by the name of size, which is the batch's; expected another name`,
			);
		if (!ArrayBuffer.isView(values))
			throw new TypeError(
				`${what}: found ${named(values)} as ${name}, expected a typed array`,
			);
		if (values.length === 0 || values.length % samples !== 0)
			throw new RangeError(
				`${what}: ${name} of ${values.length} values; expected as many for each of ${samples} samples`,
			);
	}
	new Random(seed); // throws where it is none
	const batches = samples / batchSize;
	const length = options.dropLast ? Math.floor(batches) : Math.ceil(batches);
	return {
		length,
		epoch: 0,
		*[Symbol.iterator]() {
			const epoch = this.epoch++;
			const order = shuffle
				? sampleOrder(samples, seed, epoch)
				: Array.from({ length: samples }, (_, i) => i);
			for (let b = 0; b < length; b++) {
				const chosen = order.slice(b * batchSize, (b + 1) * batchSize);
				const parts = Object.entries(data).map(([name, values]) => [
					name,
					gather(values, values.length / samples, chosen),
				]);
				const batch = { ...Object.fromEntries(parts), size: chosen.length };
				yield batch as Batch<D>;
			}
		},
	};
}

/** The chosen samples' values. */
function gather(
	values: Values,
	each: number,
	chosen: readonly number[],
): Values {
	const made = values.slice(0, chosen.length * each);
	chosen.forEach((sample, i) => {
		made.set(values.subarray(sample * each, (sample + 1) * each), i * each);
	});
	return made;
}
