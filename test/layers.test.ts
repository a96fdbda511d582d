import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

// Imports run downward only. Each layer may import itself and what is listed.
const allowed: Record<string, string[]> = {
	engine: ["random.ts"],
	formats: ["text.ts"],
	qpi: ["random.ts", "text.ts"],
	models: ["engine", "formats", "qpi", "random.ts", "text.ts"],
	drawing: ["qpi", "random.ts", "text.ts"],
	training: [
		"engine",
		"qpi",
		"models",
		"formats",
		"drawing",
		"random.ts",
		"text.ts",
	],
	extraction: [
		"engine",
		"qpi",
		"models",
		"formats",
		"drawing",
		"random.ts",
		"text.ts",
	],
	api: [
		"engine",
		"qpi",
		"models",
		"formats",
		"training",
		"extraction",
		"random.ts",
		"text.ts",
	],
	web: [
		"engine",
		"qpi",
		"models",
		"formats",
		"training",
		"extraction",
		"drawing",
		"api",
		"random.ts",
		"text.ts",
	],
};
const root = fileURLToPath(new URL("../src/", import.meta.url));

const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
	(f) => f.endsWith(".ts") && !f.endsWith(".d.ts"),
);

for (const [layer, below] of Object.entries(allowed))
	test(`src/${layer} imports only itself${below.map((b) => `, ${b}`).join("")}`, () => {
		for (const file of sources.filter((f) => f.startsWith(`${layer}/`)))
			for (const target of importsOf(file)) {
				assert.not.match(target, /^node:/, `${file} imports ${target}`);
				if (!target.startsWith(".") || target.endsWith("/package.json"))
					continue;
				const resolved = normalize(join(dirname(file), target));
				const top = resolved.split("/")[0];
				assert.ok(
					top === layer || below.includes(top),
					`${file} imports ${resolved}`,
				);
			}
	});

test("nothing below src/node, src/web, src/cli and src/build touches the process or the page", () => {
	for (const file of sources) {
		if (/^(node|web|cli|build)(\/|\.ts$)/.test(file)) continue;
		const code = readFileSync(join(root, file), "utf8")
			.replaceAll(/\/\*[\s\S]*?\*\//g, "")
			.replaceAll(/\/\/.*$/gm, "");
		assert.not.match(code, /\bprocess\.|\bdocument\.|\bwindow\./, file);
	}
});

test("no file imports itself by way of others, not even for a type", () => {
	const graph = new Map(
		sources.map((file) => [file, importsOf(file).flatMap(resolved(file))]),
	);
	assert.equal(circles(graph), []);
});

// Below the layers, rooms: engine/device, extraction/scan, qpi/maths, node/files, ...
test("no room of a layer imports itself by way of others", () => {
	for (const layer of [
		"engine",
		"extraction",
		"qpi",
		"node",
		"models",
		"training",
		"web",
	]) {
		const graph = new Map<string, string[]>();
		for (const file of sources.filter((f) => f.startsWith(`${layer}/`))) {
			const room = dirname(file);
			if (room === layer) continue;
			const rooms = importsOf(file)
				.flatMap(resolved(file))
				.map((other) => dirname(other))
				.filter((r) => r !== room && r.startsWith(`${layer}/`));
			graph.set(room, [...(graph.get(room) ?? []), ...rooms]);
		}
		assert.equal(circles(graph), []);
	}
});

const resolved = (file: string) => (target: string) =>
	target.startsWith(".") ? [normalize(join(dirname(file), target))] : [];

/** Each way back to where it began, once. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
	const found: string[] = [];
	const done = new Set<string>();
	const walk = (at: string, path: readonly string[]) => {
		const since = path.indexOf(at);
		if (since >= 0) found.push([...path.slice(since), at].join(" > "));
		if (since >= 0 || done.has(at)) return;
		for (const next of graph.get(at) ?? []) walk(next, [...path, at]);
		done.add(at);
	};
	for (const start of graph.keys()) walk(start, []);
	return found;
}

function importsOf(file: string): string[] {
	const code = readFileSync(join(root, file), "utf8");
	return [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
		(m) => m[1],
	);
}

test.run();
