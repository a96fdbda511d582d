/** The page: dist/page/, a folder for any web server that has the weights beside it (qpi-lens web). `node src/build/page.ts` makes it alone. */
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { CODE_FROM_TEXT, FOR_BROWSERS } from "./browser.ts";
import { writeNotice } from "./notice.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SOURCES = `${root}src/web/page`;
const OUT = `${root}dist/page`;

/** The HDF5 library lies beside the workers, who fetch it for the first such file. */
const hdf5Beside: Plugin = {
	name: "hdf5-beside",
	setup({ onResolve }) {
		onResolve({ filter: /^h5wasm$/ }, () => ({
			path: "./h5wasm.js",
			external: true,
		}));
	},
};

export async function buildPage(): Promise<void> {
	rmSync(OUT, { recursive: true, force: true });
	const { metafile } = await build({
		absWorkingDir: root,
		entryPoints: {
			page: `${SOURCES}/page.ts`,
			style: `${SOURCES}/page.css`,
			chartWorker: `${SOURCES}/training/chartWorker.ts`,
			prepareWorker: `${SOURCES}/worker/prepareWorker.ts`,
			extractWorker: `${SOURCES}/worker/extractWorker.ts`,
			trainWorker: `${root}src/web/training/worker.ts`,
		},
		outdir: OUT,
		...FOR_BROWSERS,
		external: [],
		plugins: [hdf5Beside, ...FOR_BROWSERS.plugins],
	});
	const hdf5 = await build({
		absWorkingDir: root,
		entryPoints: { h5wasm: "h5wasm" },
		outdir: OUT,
		...FOR_BROWSERS,
		// Asked for under Node only.
		external: ["module", "node:*"],
		// The program is a text within, which escapes would make longer by a third.
		charset: "utf8",
	});
	Object.assign(metafile.outputs, hdf5.metafile.outputs);
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
