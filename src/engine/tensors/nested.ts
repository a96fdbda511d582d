import { isList, named } from "../basics/named.ts";

/** Numbers in lists of lists, all of one length at each depth: [[1, 2], [3, 4]] has the shape [2, 2]. */
export type Nested = number | readonly Nested[];

/**
 * Values as the device takes them, a Float32Array as it is, and the lengths of the lists that they came in, the outermost first. Throws a TypeError, which begins with
 * `what`, on what is no number or no grid.
 */
export function floatsOf(
	what: string,
	data: unknown,
): { values: Float32Array; own: number[] } {
	if (!isTyped(data)) {
		const { values, own } = flat(what, data);
		return { values: Float32Array.from(values), own };
	}
	const values = data instanceof Float32Array ? data : Float32Array.from(data);
	return { values, own: [data.length] };
}

/** A typed array of numbers: not one of BigInts. */
const isTyped = (data: unknown): data is ArrayLike<number> =>
	ArrayBuffer.isView(data) && isList(data) && typeof data[0] === "number";

function flat(
	what: string,
	data: unknown,
): { values: number[]; own: number[] } {
	const own: number[] = [];
	for (let part = data; isList(part); part = part[0]) own.push(part.length);
	const values: number[] = [];
	const collect = (part: unknown, place: readonly number[]): void => {
		const where = `${what}: found ${named(part)}${place.length > 0 ? ` at [${place.join("][")}]` : ""}`;
		if (!isList(part)) {
			if (typeof part !== "number" || place.length < own.length)
				throw new TypeError(
					`${where}, expected numbers in lists of one length at each depth`,
				);
			values.push(part);
		} else if (part.length !== own[place.length])
			throw new TypeError(
				`${where} of ${part.length}, expected ${own[place.length] === undefined ? "a number" : `one of ${own[place.length]}`} as in the first`,
			);
		else if (place.length === own.length - 1 && isPlain(part))
			for (let i = 0; i < part.length; i++) values.push(part[i]);
		else for (let i = 0; i < part.length; i++) collect(part[i], [...place, i]);
	};
	collect(data, []);
	return { values, own };
}

/** Whether a list holds numbers alone: most are long. */
function isPlain(list: ArrayLike<unknown>): list is ArrayLike<number> {
	for (let i = 0; i < list.length; i++)
		if (typeof list[i] !== "number") return false;
	return true;
}
