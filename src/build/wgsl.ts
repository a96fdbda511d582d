/** Shaders as part of a bundle for browsers: their text without comments and spare blanks. */
import type { Plugin } from "esbuild";
import { loadParts, loadShaders } from "../node/device/shaders.ts";

/** Run on matrix units, which no browser offers. */
const NODE_ONLY = /Matrix$/;

/** Gives the module "qpi-lens:shaders" (src/web/shaders.d.ts) its contents. */
export const shadersPlugin: Plugin = {
	name: "shaders",
	setup(build) {
		const filter = /^qpi-lens:shaders$/;
		build.onResolve({ filter }, ({ path }) => ({ path, namespace: "shaders" }));
		build.onLoad({ filter, namespace: "shaders" }, () => ({
			contents: shadersModule(loadShaders(), loadParts()),
			loader: "js",
		}));
	},
};

/** The module, in which what shaders import is written once. */
function shadersModule(
	shaders: Readonly<Record<string, string>>,
	parts: Readonly<Record<string, string>>,
): string {
	const lines: string[] = [];
	const names = new Map<string, string>(); // of parts, by their text
	for (const [name, source] of Object.entries(parts)) {
		const imports = source.match(IMPORT)?.map((line) => `${line}\n`) ?? [];
		const text = minifyWgsl(name, source);
		names.set(text, name);
		lines.push(`${name}:${JSON.stringify(imports.join("") + text)}`);
	}
	const word = (piece: string) =>
		names.has(piece) ? `parts.${names.get(piece)}` : JSON.stringify(piece);
	const made = Object.entries(shaders)
		.filter(([name]) => !NODE_ONLY.test(name))
		.map(
			([name, source]) =>
				`${name}:${minifiedPieces(name, source).map(word).join("+")}`,
		);
	return `export const parts = {${lines}};
export const shaders = {${made}};`;
}

const IMPORT = /^\/\/ import .*$/gm;

/** What a shader and its parts are, minified, in their order: they are whole declarations, so that nothing is needed between them. */
export function minifiedPieces(name: string, source: string): string[] {
	return source
		.split(/^\/\/ (?:from|import) .*$/m)
		.map((piece) => minifyWgsl(name, piece))
		.filter((piece) => piece !== "");
}

/**
 * The same program without comments, and without blanks but where two tokens would become one. Throws where the source has what the house's shaders do without, and this does
 * not read: block comments, and characters beyond ASCII outside of comments.
 */
export function minifyWgsl(name: string, source: string): string {
	const code = source.replaceAll(/\/\/.*$/gm, "");
	const found = /\/\*|[^ -~\s]/.exec(code)?.[0];
	if (found)
		throw new Error(
			`${name}.wgsl: found "${found}", expected line comments and ASCII only`,
		);
	const tokens = code.match(/[\w.]+|[^\w.\s]/g) ?? [];
	let text = "";
	let end = 0; // of the token before, in `code`
	let before = "";
	for (const token of tokens) {
		const start = code.indexOf(token, end);
		// "x y" must not become one name, "a - -b" no decrement, "a / *p" no comment.
		const word = /[\w.]$/.test(before) && /^[\w.]/.test(token);
		const operators = OPERATOR.test(before) && OPERATOR.test(token);
		if (start > end && (word || operators)) text += " ";
		text += token;
		before = token;
		end = start + token.length;
	}
	return text;
}

const OPERATOR = /^[-+*/%&|^!~<>=]$/;
