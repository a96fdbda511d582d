/** Shaders as part of a bundle for browsers: deflated, to a quarter of what even their tokens alone would take. */
import { deflateSync } from "node:zlib";
import type { Plugin } from "esbuild";
import { wgslOf } from "../node/files/package.ts";

/** Run on matrix units, which no browser offers. */
const NODE_ONLY = /Matrix$/;

/** Gives the module "qpi-lens:shaders" (src/web/shaders.d.ts) its contents. */
export const shadersPlugin: Plugin = {
	name: "shaders",
	setup(build) {
		const filter = /^qpi-lens:shaders$/;
		build.onResolve({ filter }, ({ path }) => ({ path, namespace: "shaders" }));
		build.onLoad({ filter, namespace: "shaders" }, () => ({
			contents: packed({
				shaders: wgslOf("shaders"),
				parts: wgslOf("shaders/parts"),
			}),
			loader: "binary",
		}));
	},
};

function packed(
	sources: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Uint8Array {
	const kept = Object.entries(sources).map(([kind, files]) => [
		kind,
		Object.fromEntries(
			Object.entries(files)
				.filter(([name]) => !NODE_ONLY.test(name))
				.map(([name, source]) => [name, withoutComments(name, source)]),
		),
	]);
	const text = JSON.stringify(Object.fromEntries(kept));
	return deflateSync(text, { level: 9 });
}

/**
 * The same program, each line where it was, so that errors name the lines of the files: without comments but those that import parts, and without indentation. Throws where it has
 * block comments, which this does not read.
 */
export function withoutComments(name: string, source: string): string {
	const lines = source.split("\n").map((line) => {
		if (line.startsWith("// import ")) return line;
		return line.replace(/\/\/.*$/, "").trim();
	});
	const text = lines.join("\n");
	if (text.includes("/*"))
		throw new Error(`${name}.wgsl: found "/*", expected line comments only`);
	return text;
}
