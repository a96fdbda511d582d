import { joinShaders } from "../../engine/wgsl/shaderParts.ts";
import { wgslOf } from "../files/package.ts";

/** Every shader of shaders/ with the parts that it imports, by name. */
export const loadShaders = (): Record<string, string> =>
	joinShaders(wgslOf("shaders"), loadParts());

/** What shaders import: the parts of shaders/parts/, by name. */
export const loadParts = (): Record<string, string> => wgslOf("shaders/parts");
