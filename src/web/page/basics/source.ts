/** What is open: a file, or the files of a series. */

export interface Source {
	/** Of several the first one's, and how many more. */
	readonly name: string;
	/** Bytes, of all together. */
	readonly size: number;
	readonly files: readonly File[];
}

/** @param files at least one; several are one series */
export const sourceOf = (files: readonly File[]): Source => ({
	name:
		files.length > 1
			? `${files[0].name} and ${files.length - 1} more`
			: files[0].name,
	size: files.reduce((sum, { size }) => sum + size, 0),
	files,
});

/** The name that files made from it begin with. */
export const stemOf = ({ files }: Source): string =>
	files[0].name.replace(/\.[^.]*$/, "");
