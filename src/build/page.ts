/** The page: dist/page/, a folder for any web server that has the weights beside it (qpi-lens web). `node src/build/page.ts` makes it alone. */
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CODE_FROM_TEXT, FOR_BROWSERS } from "./browser.ts";
import { writeNotice } from "./notice.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SOURCES = `${root}src/web/page`;
const OUT = `${root}dist/page`;

export async function buildPage(): Promise<void> {
	rmSync(OUT, { recursive: true, force: true });
	const { metafile } = await build({
		absWorkingDir: root,
		entryPoints: {
			page: `${SOURCES}/page.ts`,
			style: `${SOURCES}/page.css`,
			chartWorker: `${SOURCES}/chartWorker.ts`,
			extractWorker: `${SOURCES}/extractWorker.ts`,
			trainWorker: `${root}src/web/training/worker.ts`,
		},
		outdir: OUT,
		...FOR_BROWSERS,
	});
	writeNotice(root, OUT, metafile);
	for (const name of ["index.html", "icon.svg"])
		copyFileSync(`${SOURCES}/${name}`, `${OUT}/${name}`);
	copyFileSync(`${root}data/sample.3ds`, `${OUT}/sample.3ds`);
	const sizes = Object.entries(metafile.outputs).map(
		([file, { bytes }]) => `${file} ${(bytes / 1000).toFixed(1)} kB`,
	);
	console.log(sizes.join("\n"));
	// No page of ours may make code from text: its Content-Security-Policy forbids it.
	for (const file of Object.keys(metafile.outputs))
		if (CODE_FROM_TEXT.test(readFileSync(root + file, "utf8")))
			throw new Error(`${file} makes code from text`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage();
