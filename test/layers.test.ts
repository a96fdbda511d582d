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

function importsOf(file: string): string[] {
	const code = readFileSync(join(root, file), "utf8");
	return [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
		(m) => m[1],
	);
}

test.run();
