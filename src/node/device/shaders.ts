import { readdirSync, readFileSync } from "node:fs";
import { joinShader } from "../../engine/shaderParts.ts";

const folder = new URL("../../../shaders/", import.meta.url);

/** Every shader of shaders/ with the parts that it imports from shaders/parts/, by name without ending. */
export function loadShaders(): Record<string, string> {
	const parts = readFolder(new URL("parts/", folder));
	const shaders = readFolder(folder);
	for (const name in shaders)
		shaders[name] = joinShader(name, shaders[name], parts);
	return shaders;
}

function readFolder(folder: URL): Record<string, string> {
	const sources: Record<string, string> = {};
	for (const file of readdirSync(folder))
		if (file.endsWith(".wgsl"))
			sources[file.slice(0, -5)] = readFileSync(new URL(file, folder), "utf8");
	return sources;
}
