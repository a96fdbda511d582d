/**
 * WGSL has no include. A line `// import NAME`, at its start, stands for the part NAME: declarations that shaders share. Joined text says in comments where
 * its lines come from, so that a line of it can be named by its file.
 */

const IMPORT = /^\/\/ import\s(.*)$/; // what looks like an import of a module, no bundle may have
const ORIGIN = /^\/\/ from (\S+):(\d+)$/;

/**
 * A shader with the parts that it imports, each once, and those that these import. Throws an Error with file and line where a part is unknown or imports itself
 * by any way round.
 *
 * @param parts by name
 */
export function joinShader(
	shader: string,
	source: string,
	parts: Readonly<Record<string, string>>,
): string {
	const done = new Set<string>();
	const join = (file: string, text: string, within: string[]): string[] =>
		text.split("\n").flatMap((line, i) => {
			const part = IMPORT.exec(line)?.[1].trim();
			if (part === undefined) return [line];
			const fail = (why: string) => new Error(`${file}:${i + 1}: ${why}`);
			if (within.includes(part))
				throw fail(`parts import each other: ${[...within, part].join(" > ")}`);
			const code = parts[part];
			if (code === undefined)
				throw fail(
					`there is no part "${part}", only ${Object.keys(parts).join(", ") || "none at all"}`,
				);
			if (done.has(part)) return [line];
			done.add(part);
			const inner = `parts/${part}.wgsl`;
			return [
				`// from ${inner}:1`,
				...join(inner, code.trimEnd(), [...within, part]),
				`// from ${file}:${i + 2}`,
			];
		});
	return join(`${shader}.wgsl`, source, []).join("\n");
}

/** Shaders by name, each joined with its parts. Throws as joinShader() does. */
export const joinShaders = (
	shaders: Readonly<Record<string, string>>,
	parts: Readonly<Record<string, string>>,
): Record<string, string> =>
	Object.fromEntries(
		Object.entries(shaders).map(([name, source]) => [
			name,
			joinShader(name, source, parts),
		]),
	);

/** File and line, "parts/lanes.wgsl:12", of a line of joined text, counted from 1. */
export function originOf(shader: string, joined: string, line: number): string {
	const lines = joined.split("\n");
	for (let i = Math.min(line, lines.length) - 1; i >= 0; i--) {
		const [, file, first] = ORIGIN.exec(lines[i]) ?? [];
		if (file) return `${file}:${Number(first) + line - i - 2}`;
	}
	return `${shader}.wgsl:${line}`;
}
