/** At most `most` of a list, at even distances. */
export function evenly<T>(list: readonly T[], most: number): T[] {
	const every = list.length / Math.min(most, list.length);
	return list.filter(
		(_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every),
	);
}
