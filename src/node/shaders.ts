import { readdirSync, readFileSync } from "node:fs";
import { joinShader } from "../engine/shaderParts.ts";

const folder = new URL("../../shaders/", import.meta.url);

/** Every shader of shaders/ with the parts that it imports, by name without ending. */
export function loadShaders(): Record<string, string> {
	const parts = loadParts();
	const shaders = readFolder(folder);
	for (const name in shaders)
		shaders[name] = joinShader(name, shaders[name], parts);
	return shaders;
}

/** What shaders import: the parts of shaders/parts/, by name without ending. */
export const loadParts = (): Record<string, string> =>
	readFolder(new URL("parts/", folder));

function readFolder(folder: URL): Record<string, string> {
	const sources: Record<string, string> = {};
	for (const file of readdirSync(folder))
		if (file.endsWith(".wgsl"))
			sources[file.slice(0, -5)] = readFileSync(new URL(file, folder), "utf8");
	return sources;
}
