/** The engine's shaders, as a bundle has them. */
import deflated from "qpi-lens:shaders";
import type { Shaders } from "../engine/device/ownShaders.ts";
import { joinShaders } from "../engine/wgsl/shaderParts.ts";

/** Shaders with all that they import, and the parts. */
export async function unpackShaders(): Promise<{
	shaders: Shaders;
	parts: Shaders;
}> {
	const inflated = new Blob([deflated])
		.stream()
		.pipeThrough(new DecompressionStream("deflate"));
	const { shaders, parts } = await new Response(inflated).json();
	return { shaders: joinShaders(shaders, parts), parts };
}
