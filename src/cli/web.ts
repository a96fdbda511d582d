/** `qpi-lens web`: the page, on this machine or as a folder for a web server. */
import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { makeFolder } from "../node/files/files.ts";
import { serve } from "../node/files/serve.ts";
import { SHIPPED } from "../node/files/shippedWeights.ts";
import { callOf, say, whole } from "./command.ts";

/** Two folders up from here both in the sources and in what is published. */
const PAGE = fileURLToPath(new URL("../../dist/page/", import.meta.url));

/** The same as in the page's head, and what a head cannot say. */
const HEADERS = {
	"content-security-policy":
		"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"referrer-policy": "no-referrer",
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-resource-policy": "same-origin",
};

export function webCommand(): Command {
	return new Command("web")
		.summary("serves the page to this machine's browser")
		.description(
			"Serves the page that extracts and trains in the browser, to this machine only: nothing leaves it. With --out the same as a folder that any\n" +
				"web server can serve, by https or to its own machine (browsers have WebGPU nowhere else).",
		)
		.option("-p, --port <n>", "port; 0: any that is free", whole, 8017)
		.option(
			"-o, --out <dir>",
			"write the page and its weights into a new folder, and end",
		)
		.addHelpText("after", `\nExample:\n  ${callOf("web")} --port 8017`)
		.action(web);
}

async function web({
	port,
	out,
}: {
	port: number;
	out?: string;
}): Promise<void> {
	if (!existsSync(PAGE))
		throw new Error(`${PAGE} is not there: npm run build makes it`);
	if (out) return write(resolve(out));
	const folders = { "/": PAGE, "/weights/": SHIPPED };
	const { url } = await serve(folders, { port, headers: HEADERS }).catch(
		(error: NodeJS.ErrnoException) => {
			throw error.code === "EADDRINUSE"
				? new Error(`port ${port} is in use; give another --port, or 0 for any`)
				: error;
		},
	);
	say(`open ${url} (Ctrl-C ends)`);
}

/** Whole or not at all. */
async function write(out: string): Promise<void> {
	if (existsSync(out))
		throw new Error(`${out} is there already; give a new folder as --out`);
	await makeFolder(dirname(out));
	const aside = await mkdtemp(join(dirname(out), ".qpi-lens-"));
	try {
		await cp(PAGE, aside, { recursive: true });
		await cp(SHIPPED, join(aside, "weights"), { recursive: true });
		await chmod(aside, 0o755); // a temporary folder is its maker's alone
		await rename(aside, out);
	} catch (error) {
		await rm(aside, { recursive: true, force: true });
		throw error;
	}
	const headers = Object.entries(HEADERS).map(
		([name, value]) => `  ${name}: ${value}`,
	);
	say(
		`${out}: copy it to a web server with https, and let it send with every file\n${headers.join("\n")}`,
	);
}
