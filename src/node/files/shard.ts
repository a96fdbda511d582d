/** A list of work cut into parts for several machines, and the parts put together again. */

/** Part `index`, from 1, of `of`. The k-th thing of a list belongs to part k modulo `of`, so that the parts take about the same time even where later things are larger. */
export interface Shard {
	readonly index: number;
	readonly of: number;
}

/** What a part says of itself in its file: which it is, and of how many things. */
export interface ShardMark extends Shard {
	readonly total: number;
}

/** "2/8". @throws RangeError where it is no part of a whole */
export function readShard(text: string): Shard {
	const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim());
	const [index, of] = [Number(match?.[1]), Number(match?.[2])];
	if (!(index >= 1 && index <= of))
		throw new RangeError(
			"Expected a part and how many there are, from 1/n to n/n.",
		);
	return { index, of };
}

/** Whether the thing at a place, from 0, belongs to the part; everything does where there are no parts. */
export const isIn = (shard: Shard | undefined, place: number): boolean =>
	!shard || place % shard.of === shard.index - 1;

/** The mark for a file; nothing where there are no parts. */
export const markOf = (
	shard: Shard | undefined,
	total: number,
): { readonly shard?: ShardMark } =>
	shard ? { shard: { ...shard, total } } : {};

/** A part with its things, and the file or folder that it was read from. */
export interface Part<T> {
	readonly name: string;
	readonly shard: ShardMark | undefined;
	readonly things: readonly T[];
}

/** All things in the order that they have without parts. @throws Error where the parts are not one whole */
export function together<T>(parts: readonly Part<T>[]): T[] {
	const marks = parts.map(({ name, shard }) => {
		if (!shard) throw new Error(`${name}: found no part made with --shard`);
		return { name, ...shard };
	});
	const [{ of, total }] = marks;
	const byIndex = new Map<number, readonly T[]>();
	for (const [p, { name, ...mark }] of marks.entries()) {
		const found = `${name}: found part ${mark.index}/${mark.of} of ${mark.total}`;
		if (mark.of !== of || mark.total !== total)
			throw new Error(`${found}, expected one of ${of} parts of ${total}`);
		if (byIndex.has(mark.index))
			throw new Error(`${found} once more, expected each part once`);
		const count = Math.ceil((total - mark.index + 1) / of);
		const { things } = parts[p];
		if (things.length !== Math.max(0, count))
			throw new Error(
				`${found} with ${things.length} done, expected ${Math.max(0, count)}: it is not finished`,
			);
		byIndex.set(mark.index, things);
	}
	const missing = Array.from({ length: of }, (_, i) => i + 1).filter(
		(index) => !byIndex.has(index),
	);
	if (missing.length > 0)
		throw new Error(
			`found ${parts.length} of ${of} parts; missing: ${missing.slice(0, 20).join(", ")}`,
		);
	return Array.from(
		{ length: total },
		(_, k) => (byIndex.get((k % of) + 1) as readonly T[])[Math.floor(k / of)],
	);
}
