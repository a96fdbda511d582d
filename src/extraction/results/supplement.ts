/** What an analysis that was asked for adds to the results. */
import type { Picture } from "../../drawing/picture.ts";

export interface Supplement {
	readonly pictures: readonly (readonly [
		name: string,
		title: string,
		caption: string,
		picture: Picture,
	])[];
	readonly files: readonly (readonly [
		name: string,
		data: string | Uint8Array,
	])[];
	/** Entries of result.json. */
	readonly result: Readonly<Record<string, unknown>>;
	/** A line each, for people. */
	readonly findings: readonly string[];
}

/** Several as one. */
export const together = (parts: readonly Supplement[]): Supplement => ({
	pictures: parts.flatMap(({ pictures }) => pictures),
	files: parts.flatMap(({ files }) => files),
	result: Object.assign({}, ...parts.map(({ result }) => result)),
	findings: parts.flatMap(({ findings }) => findings),
});
