/** What is bundled stands in the notice file with its licence. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FOR_BROWSERS } from "../src/build/browser.ts";
import { noticeOf, packagesOf, writeNotice } from "../src/build/notice.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "qpi-notice-"));
test.after(() => rm(scratch, { recursive: true }));

test("the page's packages, those that they bring along, and the font", async () => {
	const { metafile, outputFiles } = await build({
		absWorkingDir: root,
		entryPoints: [
			"src/web/page/worker/extractWorker.ts",
			"src/web/page/page.ts",
		],
		outdir: scratch,
		...FOR_BROWSERS,
		write: false,
	});
	assert.ok(outputFiles.length > 1);
	writeNotice(root, scratch, metafile);
	const notice = await readFile(join(scratch, "NOTICE.txt"), "utf8");
	for (const name of ["fflate", "ml-matrix", "dejavu-fonts-ttf", "iobuffer"])
		assert.match(notice, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
	assert.ok(packagesOf(metafile).length > 5);
	assert.match(notice, /Permission is hereby granted/);
});

test("a package without a licence cannot be bundled", async () => {
	const folder = "node_modules/@some/thing";
	await mkdir(join(scratch, folder), { recursive: true });
	await writeFile(
		join(scratch, folder, "package.json"),
		'{"name":"@some/thing","version":"1.0.0"}',
	);
	assert.throws(
		() => noticeOf(scratch, [folder]),
		/@some\/thing 1\.0\.0 is bundled, and has no file with its licence/,
	);
});

test.run();
