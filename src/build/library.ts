/** `npm run build`: the package. dist/ for Node and the types by tsc, dist/browser/ for bundlers and other pages, and our own page, by esbuild; of these dist-web/, a package for pages alone. */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FOR_BROWSERS } from "./browser.ts";
import { writeNotice } from "./notice.ts";
import { buildPage } from "./page.ts";
import { writeTexts } from "./texts.ts";
import { makeWebPackage } from "./webPackage.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Bytes of the entries for browsers: of the engine alone, and with the networks and their training. */
const LIMITS: Readonly<Record<string, number>> = {
	"dist/browser/engine.js": 145_000,
	"dist/browser/index.js": 187_000,
};

rmSync(`${root}dist`, { recursive: true, force: true });
const tsc = fileURLToPath(
	new URL("../../node_modules/typescript/bin/tsc", import.meta.url),
);
const typed = spawnSync(process.execPath, [tsc, "-p", "src/build"], {
	cwd: root,
	stdio: "inherit",
});
if (typed.status !== 0) process.exit(1);
writeTexts(`${root}dist/node/files/package.js`);
// Browsers get bundles: of src/web, which imports shaders that only a bundle has, the types are all that is of use.
for (const file of readdirSync(`${root}dist/web`))
	if (file.endsWith(".js")) rmSync(`${root}dist/web/${file}`);

await buildPage();
const { metafile } = await build({
	absWorkingDir: root,
	entryPoints: {
		engine: "src/web/engine.ts",
		index: "src/web/index.ts",
		physics: "src/api/physics.ts",
		extraction: "src/api/extraction.ts",
	},
	outdir: "dist/browser",
	...FOR_BROWSERS,
});
writeNotice(root, `${root}dist/browser`, metafile);
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
	console.log(`${file}: ${(bytes / 1000).toFixed(1)} kB minified`);
	if (bytes > LIMITS[file]) {
		console.error(`expected at most ${LIMITS[file] / 1000} kB`);
		process.exitCode = 1;
	}
}

rmSync(`${root}dist-web`, { recursive: true, force: true });
makeWebPackage(root, `${root}dist-web`);
