import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../../shaders/", import.meta.url);

/** Every file of shaders/, by name without ending. */
export function loadShaders(): Record<string, string> {
	const shaders: Record<string, string> = {};
	for (const file of readdirSync(folder))
		if (file.endsWith(".wgsl"))
			shaders[file.slice(0, -5)] = readFileSync(new URL(file, folder), "utf8");
	return shaders;
}
