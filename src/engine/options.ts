/** Throws on a set option whose name `op` does not know: what is misspelt must not be passed over. */
export function checkNames(
	op: string,
	options: object,
	known: readonly string[],
): void {
	for (const [name, value] of Object.entries(options))
		if (value !== undefined && !known.includes(name))
			throw new Error(
				`${op}: there is no option "${name}"; expected ${known.join(", ")}`,
			);
}
