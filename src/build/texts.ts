/** dist/node/files/package.js: src/node/files/package.ts with the texts that it reads. */
import { writeFileSync } from "node:fs";
import { VERSION, wgslOf } from "../node/files/package.ts";

export function writeTexts(file: string): void {
	const folders = {
		shaders: wgslOf("shaders"),
		"shaders/parts": wgslOf("shaders/parts"),
	};
	writeFileSync(
		file,
		`export const VERSION = ${JSON.stringify(VERSION)};
const folders = ${JSON.stringify(folders)};
export const wgslOf = (folder) => ({ ...folders[folder] });
`,
	);
}
