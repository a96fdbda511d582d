/** Shaders as part of a bundle for browsers: their text without comments and spare blanks, and what the parser reads in them. */
import type { Plugin } from "esbuild";
import type { Layouts } from "../engine/kernel.ts";
import { reflect } from "../engine/reflect.ts";
import { loadShaders } from "../node/device/shaders.ts";

/** Run on matrix units, which no browser offers. */
const NODE_ONLY = /Matrix$/;

/** Gives the module "qpi-lens:shaders" (src/web/shaders.d.ts) its contents. */
export const shadersPlugin: Plugin = {
	name: "shaders",
	setup(build) {
		const filter = /^qpi-lens:shaders$/;
		build.onResolve({ filter }, ({ path }) => ({ path, namespace: "shaders" }));
		build.onLoad({ filter, namespace: "shaders" }, () => {
			const all = Object.entries(loadShaders()).filter(
				([name]) => !NODE_ONLY.test(name),
			);
			const sources = all.map(
				([name, code]) => [name, minifiedPieces(name, code)] as const,
			);
			return {
				contents: `${sourcesModule(sources)}
${layoutsModule(all.map(([name, code]) => [name, reflect(name, code)]))}`,
				loader: "js",
			};
		});
	},
};

/** The module's export `shaders`, in which what several import is written once. */
function sourcesModule(
	all: readonly (readonly [string, readonly string[]])[],
): string {
	const pieces = all.flatMap(([, own]) => own);
	const parts = [
		...new Set(pieces.filter((piece, i) => pieces.indexOf(piece) < i)),
	];
	const word = (piece: string) =>
		parts.includes(piece)
			? `parts[${parts.indexOf(piece)}]`
			: JSON.stringify(piece);
	return `const parts = ${JSON.stringify(parts)};
export const shaders = {${all.map(([name, own]) => `${name}:${own.map(word).join("+")}`)}};`;
}

/** What a shader and its parts are, minified, in their order: they are whole declarations, so that nothing is needed between them. */
export function minifiedPieces(name: string, source: string): string[] {
	return source
		.split(/^\/\/ (?:from|import) .*$/m)
		.map((piece) => minifyWgsl(name, piece))
		.filter((piece) => piece !== "");
}

/** The module's export `layouts`, as calls that make them of short words: written out it is as long as a third of the shaders. */
function layoutsModule(all: readonly (readonly [string, Layouts])[]): string {
	const shared: string[] = []; // parameters and overrides, which entry points have in common
	const refer = (value: unknown) => {
		const text = JSON.stringify(value) ?? "undefined";
		if (!shared.includes(text)) shared.push(text);
		return `shared[${shared.indexOf(text)}]`;
	};
	const made = all.map(([name, layouts]) => {
		const entries = Object.values(layouts).map((layout) => {
			const words = layout.bindings
				.map((b) => `${b.name} ${b.binding}${b.writable ? " w" : ""}`)
				.join();
			return `${JSON.stringify([name, layout.entry, words]).slice(1, -1)},${refer(layout.params)},${refer(layout.overrides)}`;
		});
		return `${name}:Object.fromEntries([${entries.map((e) => `entry(${e})`)}])`;
	});
	return `const entry = (shader, entry, words, params, overrides) => [entry, {
	shader, entry, params, overrides,
	bindings: words.split(",").map((word) => {
		const [name, binding, writable] = word.split(" ");
		return { name, binding: Number(binding), writable: writable === "w" };
	}),
}];
const shared = [${shared}];
export const layouts = {${made}};`;
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
