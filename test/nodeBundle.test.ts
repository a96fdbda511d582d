// Programs that import the package, bundled for Node by esbuild and put where the package is not: shaders and version are in the bundle, of the packages only
// Dawn's addon is left outside.
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeTexts } from "../src/build/texts.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "qpi-bundle-"));
test.after(() => rm(scratch, { recursive: true }));

/** As `npm run build` makes them, without the types. */
const texts = join(scratch, "package.js");
writeTexts(texts);

const PROGRAM = `
import { createEngine, mul, openWeights, tensor } from "./src/node/index.ts";
async function main() {
	const gpu = await createEngine();
	console.log(JSON.stringify([...await mul(tensor(gpu, [1, 2, 3]), 2).data()]));
	gpu.dispose();
	await openWeights().catch((error) => console.log(error.message));
}
main();
`;

for (const [format, weights] of [
	["esm", /\/data\/weights\/manifest\.json: expected the manifest of weights/],
	["cjs", /^openWeights\(\): found no folder; expected the package's data/],
] as const)
	test(`a bundle in the format ${format} runs`, async () => {
		const folder = join(scratch, format);
		await mkdir(join(folder, "node_modules"), { recursive: true });
		await symlink(
			join(root, "node_modules/webgpu"),
			join(folder, "node_modules/webgpu"),
		);
		const type = format === "esm" ? "module" : "commonjs";
		await writeFile(join(folder, "package.json"), JSON.stringify({ type }));
		const outfile = join(folder, "program.js");
		const { metafile } = await build({
			stdin: { contents: PROGRAM, resolveDir: root },
			bundle: true,
			platform: "node",
			metafile: true,
			logLevel: "error",
			format,
			outfile,
			plugins: [
				{
					name: "as built",
					setup({ onResolve }) {
						onResolve({ filter: /\/package\.ts$/ }, () => ({ path: texts }));
					},
				},
			],
		});
		assert.ok(
			Object.keys(metafile.inputs).every((file) => !/webgpu/.test(file)),
		);
		const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], {
			encoding: "utf8",
			timeout: 60_000,
		});
		assert.is(status, 0, stderr);
		const [values, message] = stdout.split("\n");
		assert.is(values, "[2,4,6]");
		assert.match(message, weights);
	});

test.run();
