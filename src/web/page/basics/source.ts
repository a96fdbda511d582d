/** What is open: a file, or the files of a series. */

export interface Source {
	/** Of several the first one's, and how many more. */
	readonly name: string;
	/** Bytes, of all together. */
	readonly size: number;
	readonly files: readonly File[];
	/** Those that came with them, in a session. */
	readonly weights?: PackedWeights;
}

/** A folder of weights that a session holds. */
export interface PackedWeights {
	/** Which they are: others have another. */
	readonly stamp: string;
	/** The folder's name, and its files. */
	readonly folder: string;
	readonly files: readonly File[];
	/** Where they are from, for people. */
	readonly summary: string;
}

/** @param files at least one; several are one series */
export const sourceOf = (
	files: readonly File[],
	weights?: PackedWeights,
): Source => ({
	name:
		files.length > 1
			? `${files[0].name} and ${files.length - 1} more`
			: files[0].name,
	size: files.reduce((sum, { size }) => sum + size, 0),
	files,
	weights,
});

/** The name that files made from it begin with. */
export const stemOf = ({ files }: Source): string =>
	files[0].name.replace(/\.[^.]*$/, "");
