import { named } from "./named.ts";

/** Throws on a set option whose name `op` does not know: what is misspelt must not be passed over. */
export function checkNames(
	op: string,
	options: object,
	known: readonly string[],
): void {
	if (Object(options) !== options)
		throw new TypeError(
			`${op}: found ${named(options)} as options, expected an object with some of ${known.join(", ")}`,
		);
	for (const [name, value] of Object.entries(options))
		if (value !== undefined && !known.includes(name))
			throw new Error(
				`${op}: there is no option "${name}"; expected ${known.join(", ")}`,
			);
}
