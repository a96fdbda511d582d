import type { EntryLayout, ParamValue } from "../wgsl/kernel.ts";
import { keyOf } from "./bindGroups.ts";
import type { Pipeline } from "./pipelines.ts";
import type { BufferPool, BufferView } from "./pool.ts";

/** One dispatch: which entry point of which shader, and everything it names. */
export interface Dispatch {
	readonly shader: string;
	readonly entry: string;
	readonly bindings: Readonly<Record<string, BufferView>>;
	readonly params?: Readonly<Record<string, ParamValue>>;
	readonly constants?: Readonly<Record<string, number>>;
	readonly workgroups: readonly [number, number?, number?];
}

type Bindings = Dispatch["bindings"];

/**
 * Throws, with the shader's name, unless every storage binding is named, and nothing else, all lie in buffers of `pool`, and the counts of workgroups are within the device's limits.
 *
 * @param limit of workgroups in one dimension
 * @returns the key of the bind group
 */
export function checkDispatch(
	{ shader, entry, bindings, workgroups }: Dispatch,
	{ layout, key }: Pipeline,
	pool: BufferPool,
	limit: number,
): string {
	const where = `${shader}.wgsl ${entry}`;
	if (!Array.isArray(workgroups))
		throw new TypeError(
			`${where}: workgroups is ${String(workgroups)}, expected [x], [x, y] or [x, y, z]`,
		);
	const [x, y = 1, z = 1] = workgroups;
	if (![x, y, z].every((n) => Number.isInteger(n) && n > 0 && n <= limit))
		throw new RangeError(
			`${where}, ${describe(bindings)}: ${x} x ${y} x ${z} workgroups; this device allows whole numbers from 1 to ${limit}`,
		);
	let groupKey = key;
	for (const { name } of layout.bindings) {
		const view = bindings[name];
		if (!view)
			throw new Error(
				`${where}: binding "${name}" is missing${unknown(layout, bindings)
					.map((given) => `; there is none "${given}"`)
					.join("")}`,
			);
		if (!view.buffer?.gpuBuffer)
			throw new TypeError(
				`${where}: binding "${name}" is no tensor; tensor() makes one of numbers`,
			);
		groupKey += keyOf(view);
	}
	if (layout.bindings.length !== Object.keys(bindings).length)
		throw new Error(
			`${where}: unknown binding "${unknown(layout, bindings).join('", "')}"`,
		);
	checkOwner(where, bindings, pool);
	return groupKey;
}

/** What is bound by names that the entry point has not. */
function unknown(layout: EntryLayout, bindings: Bindings): string[] {
	return Object.keys(bindings).filter(
		(given) => !layout.bindings.some(({ name }) => name === given),
	);
}

/** Throws unless all buffers are of one engine's pool. */
export function checkOwner(
	where: string,
	views: Bindings,
	pool: BufferPool,
): void {
	for (const name in views) {
		const { owner } = views[name].buffer;
		if (owner !== pool)
			throw new Error(
				`${where}: ${describe({ [`"${name}"`]: views[name] })} belongs to ${owner.engine}, not to ${pool.engine}, which runs this; engines do not share tensors`,
			);
	}
}

/** The bindings that are only read and lie in a buffer that another binding writes, which WebGPU refuses. */
export function readWhereWritten(
	{ bindings: declared }: EntryLayout,
	bindings: Bindings,
): string[] {
	const found: string[] = [];
	for (const write of declared)
		if (write.writable)
			for (const { name, writable } of declared)
				if (
					!writable &&
					bindings[name].buffer === bindings[write.name].buffer &&
					!found.includes(name)
				)
					found.push(name);
	return found;
}

/** Names and shapes of what a dispatch binds: "x [2, 3], y [2]". */
function describe(bindings: Readonly<Record<string, BufferView>>): string {
	return Object.entries(bindings)
		.map(([name, view]) => {
			const { shape } = view as { shape?: readonly number[] };
			return shape ? `${name} [${shape.join(", ")}]` : name;
		})
		.join(", ");
}
