/** How everything for browsers is bundled. */
import type { BuildOptions } from "esbuild";
import { shadersPlugin } from "./wgsl.ts";

/** Code from text, which a strict Content-Security-Policy forbids. A call of eval() without text is that of a network's method. */
export const CODE_FROM_TEXT = /\beval\((?!\))|\bFunction\(/;

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
