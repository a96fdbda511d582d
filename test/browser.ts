/**
 * Chromium without a window, from npm, for the tests of what runs in a page. That one is for Linux on x86-64: QPI_LENS_BROWSER=/path/to/chrome
 * takes another.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { shadersPlugin } from "../src/build/wgsl.ts";
import { serve } from "../src/node/files/serve.ts";

/** As a browser with WebGPU; without these Chromium finds no adapter where there is no graphics card. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export async function openBrowser({ webgpu = true } = {}): Promise<Browser> {
	const own = process.env.QPI_LENS_BROWSER;
	const packed = own || (await import("@sparticuz/chromium")).default;
	return chromium.launch({
		executablePath:
			typeof packed === "string" ? packed : await packed.executablePath(),
		args: ["--no-sandbox", ...(webgpu ? WEBGPU : [])],
	});
}

/** What a page says in its console, and what it throws: `noise` of it is let pass. */
export function listen(page: Page, noise = /^$/): string[] {
	const said: string[] = [];
	page.on("pageerror", (error) => said.push(String(error)));
	page.on("console", (message) => {
		const text = `${message.type()}: ${message.text()}`;
		if (/^(error|warning)/.test(text) && !noise.test(text)) said.push(text);
	});
	return said;
}

/** Bundles an entry for a page and serves it, with an empty page around it, until close(). */
export async function servePage(entry: string, options: BuildOptions = {}) {
	const folder = await mkdtemp(join(tmpdir(), "qpi-page-"));
	await build({
		entryPoints: { page: entry },
		outdir: folder,
		bundle: true,
		format: "esm",
		platform: "browser",
		plugins: [shadersPlugin],
		logLevel: "error",
		...options,
	});
	await writeFile(
		join(folder, "index.html"),
		'<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
	);
	const { url, close } = await serve({ "/": folder });
	return {
		url,
		async close() {
			close();
			await rm(folder, { recursive: true });
		},
	};
}
