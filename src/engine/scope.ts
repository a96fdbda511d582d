import type { Gpu } from "./gpu.ts";

/** Anything that a scope frees on exit. */
export interface Disposable {
	dispose(): void;
}

/**
 * Runs `fn` and gives back to the pool every tensor made inside it, but for those in its result (a tensor, an array or a plain
 * object of them), which pass to the enclosing scope. `fn` must not be async: a scope is over when it returns.
 */
export function scope<T>(gpu: Gpu, fn: () => T): T {
	const owned = new Set<Disposable>();
	gpu.scopes.push(owned);
	let result: T | undefined;
	try {
		result = fn();
		if (result instanceof Promise)
			throw new Error(
				"scope(): the function returned a promise; await outside of it",
			);
		return result;
	} finally {
		gpu.scopes.pop();
		const kept = new Set<unknown>();
		collect(result, kept);
		const parent = gpu.scopes.at(-1);
		for (const item of owned) {
			if (!kept.has(item)) item.dispose();
			else parent?.add(item);
		}
	}
}

function collect(value: unknown, into: Set<unknown>): void {
	if (value === null || typeof value !== "object") return;
	into.add(value);
	if (Array.isArray(value)) for (const item of value) collect(item, into);
	else if (Object.getPrototypeOf(value) === Object.prototype)
		for (const item of Object.values(value)) collect(item, into);
}

/** Runs `fn` outside of every open scope, for what must outlive them. */
export function detached<T>(gpu: Gpu, fn: () => T): T {
	const scopes = gpu.scopes.splice(0);
	try {
		return fn();
	} finally {
		gpu.scopes.push(...scopes);
	}
}
