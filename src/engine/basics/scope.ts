import { named } from "./named.ts";

/** Anything that a scope frees on exit. */
export interface Disposable {
	dispose(): void;
	/** Lives where this does. */
	readonly grad?: Disposable | null;
}

/** What scopes are kept on: a Gpu. */
export interface Scoped {
	/** The open ones, the innermost last. */
	readonly scopes: Set<Disposable>[];
}

/**
 * Runs `fn` and then gives every tensor made inside it back to the pool, except those in its result (a tensor, an array or a plain object of them), which
 * now belong to the enclosing scope. Throws where `fn` is async. A scope ends when its function returns; if it stayed open during an await, it would also
 * own, and free, what other code makes in the meantime. So await before a scope, or await the `data()` of what it returned.
 */
export function scope<T>(gpu: Scoped, fn: () => T): T {
	checkCall("scope()", gpu, fn);
	const owned = new Set<Disposable>();
	gpu.scopes.push(owned);
	let result: T | undefined;
	try {
		result = fn();
		refusePromise("scope()", result);
		return result;
	} finally {
		gpu.scopes.pop();
		const kept = reachable(result);
		const parent = gpu.scopes.at(-1);
		for (const item of owned) {
			if (!kept.has(item)) item.dispose();
			else parent?.add(item);
		}
	}
}

/** Throws, saying which, unless there are an engine and a function to call. */
export function checkCall(what: string, gpu: unknown, fn: unknown): void {
	if (!Array.isArray(Object(gpu).scopes))
		throw new TypeError(
			`${what}: found ${named(gpu)} in the engine's place, expected what createEngine() gives, before the function`,
		);
	if (typeof fn !== "function")
		throw new TypeError(`${what}: found ${named(fn)}, expected a function`);
}

/** Throws where `result` is a promise: what an async function does after its first await is out of the hands of `what`. */
export function refusePromise(what: string, result: unknown): void {
	const promise = result as PromiseLike<unknown> | null | undefined;
	if (typeof promise?.then !== "function") return;
	promise.then(undefined, () => {}); // its own failure is no news beside this one
	throw new Error(
		`${what}: the function returned a promise; ${what} ends when its function returns, not after an await, during which other code runs: await outside of it`,
	);
}

/** The result, what arrays and plain objects in it hold, and gradients of tensors. */
function reachable(result: unknown): Set<unknown> {
	const found = new Set<unknown>([result]);
	for (const value of found) {
		if (value === null || typeof value !== "object") continue;
		const plain =
			Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
		if (plain) for (const item of Object.values(value)) found.add(item);
		else found.add((value as Disposable).grad);
	}
	return found;
}

/** Makes what belongs to `leaf`, to live in the scope that owns it; outside of all where none does. */
export function alongside<T extends Disposable>(
	gpu: Scoped,
	leaf: Disposable,
	make: () => T,
): T {
	const made = detached(gpu, make);
	for (const owned of gpu.scopes) if (owned.has(leaf)) owned.add(made);
	return made;
}

/** Runs `fn` outside of every open scope, for what must outlive them. */
export function detached<T>(gpu: Scoped, fn: () => T): T {
	checkCall("detached()", gpu, fn);
	const scopes = gpu.scopes.splice(0);
	try {
		const result = fn();
		refusePromise("detached()", result);
		return result;
	} finally {
		gpu.scopes.push(...scopes);
	}
}
