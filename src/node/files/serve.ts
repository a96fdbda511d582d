/** A web server for a few folders on this machine. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream";

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".json": "application/json",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
};

/** The host names that the server answers to, with any port, since a tunnel may have another one. A foreign name that points here (DNS rebinding) gets no answer. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Serves folders at the paths that they are given for ("/" and "/weights/", say; the longest that fits) to this machine alone, on `port` or, at 0, any free one.
 * Files whose path has a part that begins with a dot, and links that lead out of their folder, are not there. `headers` go with every answer.
 * Resolves when it listens; rejects where the port is taken.
 */
export async function serve(
	folders: Readonly<Record<string, string>>,
	{ port = 0, headers = {} as Readonly<Record<string, string>> } = {},
): Promise<{ readonly url: string; close(): void }> {
	const server = createServer((request, response) => {
		for (const [name, value] of Object.entries({ ...ALWAYS, ...headers }))
			response.setHeader(name, value);
		answer(request, response, folders).catch(() => response.destroy());
	});
	await listen(server, port);
	const { port: taken } = server.address() as AddressInfo;
	return {
		url: `http://localhost:${taken}/`,
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}

const ALWAYS = {
	"cache-control": "no-cache",
	"x-content-type-options": "nosniff",
};

async function answer(
	{ method, url = "/", headers }: IncomingMessage,
	response: ServerResponse,
	folders: Readonly<Record<string, string>>,
): Promise<void> {
	const refuse = (status: number) => {
		response.writeHead(status).end();
	};
	if (!OWN_HOST.test(headers.host ?? "")) return refuse(421);
	if (method !== "GET" && method !== "HEAD") {
		response.setHeader("allow", "GET, HEAD");
		return refuse(405);
	}
	const file = await fileOf(url, folders);
	const found = file ? await stat(file).catch(() => undefined) : undefined;
	if (!file || !found?.isFile()) return refuse(404);
	// Whoever asked may be gone by now, and a stream cannot be led into a closed one.
	if (response.destroyed) return;
	response.writeHead(200, {
		"content-type": TYPES[extname(file)] ?? "application/octet-stream",
		"content-length": found.size,
	});
	if (method === "HEAD") response.end();
	// Closes the file too when the other side has gone.
	else pipeline(createReadStream(file), response, () => {});
}

/** The file that a request means, links followed; undefined where it is not there or lies outside of the folders. */
async function fileOf(
	url: string,
	folders: Readonly<Record<string, string>>,
): Promise<string | undefined> {
	let path: string;
	try {
		path = decodeURIComponent(url.replace(/[?#].*$/, ""));
	} catch {
		return undefined;
	}
	if (path.includes("\0") || /[\\/]\./.test(path)) return undefined;
	const place = Object.keys(folders)
		.filter((prefix) => path.startsWith(prefix))
		.sort((a, b) => b.length - a.length)[0];
	if (place === undefined) return undefined;
	const rest = path.slice(place.length) || "index.html";
	try {
		const folder = (await realpath(folders[place])) + sep;
		const file = await realpath(join(folder, rest));
		return file.startsWith(folder) ? file : undefined;
	} catch {
		return undefined;
	}
}

const listen = (server: Server, port: number) =>
	new Promise<void>((resolve, reject) => {
		// "localhost" is ::1 on some machines and 127.0.0.1 on others: the browser tries both.
		server.once("error", reject).listen(port, "127.0.0.1", resolve);
	});
