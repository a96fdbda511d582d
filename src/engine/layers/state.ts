import type { Shape } from "../basics/shape.ts";
import { floatsOf } from "../tensors/nested.ts";
import type { Values } from "../tensors/tensor.ts";

/** Values on the host, by name. */
export type State = Map<string, { shape: Shape; data: Float32Array }>;

/** What load() takes: numbers of any kind, by name. */
export type Loadable = ReadonlyMap<
	string,
	{ readonly shape: Shape; readonly data: Values }
>;

/** A tensor whose values are fetched, from the device or from a file, when they are asked for. */
export interface LazyTensor {
	readonly shape: Shape;
	/** Row-major. Throws where the values are no longer those that were meant. */
	read(): Promise<Float32Array>;
}

/** Tensors by name. Each is read when it is needed, so that only one at a time need be on the host. */
export type LazyState = ReadonlyMap<string, LazyTensor>;

/** Reads all of them. */
export async function collect(tensors: LazyState): Promise<State> {
	const state: State = new Map();
	for (const [name, tensor] of tensors)
		state.set(name, { shape: tensor.shape, data: await tensor.read() });
	return state;
}

/** Wraps tensors that are on the host already as a LazyState. */
export function lazy(state: Loadable): LazyState {
	return new Map(
		[...state].map(([name, { shape, data }]) => [
			name,
			{ shape, read: async () => floatsOf(`"${name}"`, data).values },
		]),
	);
}

/** The tensors whose names begin with `prefix`, without it. */
export function part(tensors: LazyState, prefix: string): LazyState {
	return new Map(
		[...tensors].flatMap(([name, tensor]) =>
			name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
		),
	);
}

/** All tensors of several states, each state's names behind its prefix. */
export function joined(states: Readonly<Record<string, LazyState>>): LazyState {
	return new Map(
		Object.entries(states).flatMap(([prefix, tensors]) =>
			[...tensors].map(
				([name, tensor]) => [`${prefix}${name}`, tensor] as const,
			),
		),
	);
}
