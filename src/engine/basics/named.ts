/** A list of any kind, as JavaScript has it. */
export const isList = (part: unknown): part is ArrayLike<unknown> =>
	Array.isArray(part) ||
	(ArrayBuffer.isView(part) && !(part instanceof DataView));

/** A value as an error calls it. */
export function named(value: unknown): string {
	if (value === null || value === undefined) return String(value);
	if (Array.isArray(value)) return "a list";
	if (isList(value)) {
		const { name } = value.constructor;
		return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
	}
	if (typeof value === "string")
		return `the text ${JSON.stringify(value.slice(0, 40))}`;
	if (typeof value === "number" || typeof value === "boolean")
		return String(value);
	if (typeof value === "bigint") return `${value}n`;
	return typeof value === "function"
		? "a function"
		: `an object of ${value.constructor?.name ?? "no class"}`;
}
