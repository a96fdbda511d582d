/** The HDF5 library in WebAssembly: fetched when the first such file is met, as it weighs 5 MB. */
import type * as H5 from "h5wasm";
import { oneLine } from "../text.ts";
import { FormatError } from "./reading.ts";

export type Hdf5 = typeof H5;

let loading: Promise<Hdf5> | undefined;
let number = 0;

/** @param why begins the error where the package is not installed: the file's name, and what is to be done with it */
export async function loadHdf5(why: string): Promise<Hdf5> {
	// A bundler takes an import that is caught for one that may be missing.
	loading ??= import("h5wasm").catch(missing).then(async (library) => {
		const module = await library.ready;
		// Else it prints pages about every file that it cannot read.
		module.activate_throwing_error_handler();
		return library;
	});
	return loading.catch((error: Error) => {
		loading = undefined;
		throw new FormatError(`${why}: ${error.message}`);
	});
}

function missing(error: Error): never {
	throw new Error(
		`found no package h5wasm (${oneLine(error.message)}), expected it; npm install h5wasm brings it`,
	);
}

/** A name in the library's memory, which is a file system of its own. @returns what `use` does with it; the file is gone then */
export function withFile<T>(
	{ FS }: Hdf5,
	bytes: Uint8Array | undefined,
	use: (name: string) => T,
): T {
	if (!FS) throw new Error("h5wasm has no file system");
	const name = `file${++number}.h5`;
	try {
		if (bytes) FS.writeFile(name, bytes);
		return use(name);
	} finally {
		if (FS.analyzePath(name).exists) FS.unlink(name);
	}
}

/** What the library says of an error: the line that names the innermost cause. */
export function causeOf(error: unknown): string {
	const text = error instanceof Error ? error.message : String(error);
	const causes = [...text.matchAll(/\(\): (.+)/g)];
	const cause = causes.at(-1)?.[1] ?? text.split("\n")[0];
	return oneLine(cause.replaceAll("undefined", "not set")).slice(0, 200);
}
