/**
 * The least and the greatest of any number of values. `Math.max(...values)` overflows the stack from about 120,000 on.
 * NaN where one is; Infinity and -Infinity of no values.
 */
export function minOf(values: ArrayLike<number>): number {
	let least = Number.POSITIVE_INFINITY;
	for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]);
	return least;
}

/** As minOf(). */
export function maxOf(values: ArrayLike<number>): number {
	let most = Number.NEGATIVE_INFINITY;
	for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
	return most;
}
