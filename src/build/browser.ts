/** How everything for browsers is bundled. */
import type { BuildOptions } from "esbuild";
import { shadersPlugin } from "./wgsl.ts";

export const FOR_BROWSERS = {
	bundle: true,
	minify: true,
	format: "esm",
	platform: "browser",
	target: "es2023",
	metafile: true,
	plugins: [shadersPlugin],
	logLevel: "warning",
} as const satisfies BuildOptions;
