import { readdirSync, readFileSync } from "node:fs";

/*
 * Texts of the package's own files, three folders up from here. In the published package the texts are part of this module (src/build/texts.ts), so that a program that is
 * bundled for Node into one file, wherever that lies, has them too.
 */

const root = new URL("../../../", import.meta.url);

/** This package's version. */
export const VERSION: string = JSON.parse(
	readFileSync(new URL("package.json", root), "utf8"),
).version;

/** The WGSL files of a folder, by name without ending. */
export function wgslOf(
	folder: "shaders" | "shaders/parts",
): Record<string, string> {
	const place = new URL(`${folder}/`, root);
	return Object.fromEntries(
		readdirSync(place)
			.filter((file) => file.endsWith(".wgsl"))
			.map((file) => [
				file.slice(0, -5),
				readFileSync(new URL(file, place), "utf8"),
			]),
	);
}
