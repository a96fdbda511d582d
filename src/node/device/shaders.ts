import { joinShader } from "../../engine/shaderParts.ts";
import { wgslOf } from "../files/package.ts";

/** Every shader of shaders/ with the parts that it imports, by name. */
export function loadShaders(): Record<string, string> {
	const parts = loadParts();
	const shaders = wgslOf("shaders");
	for (const name in shaders)
		shaders[name] = joinShader(name, shaders[name], parts);
	return shaders;
}

/** What shaders import: the parts of shaders/parts/, by name. */
export const loadParts = (): Record<string, string> => wgslOf("shaders/parts");
