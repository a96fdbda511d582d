/** A web server for a few folders on this machine. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream";

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".json": "application/json",
	".svg": "image/svg+xml",
};

/**
 * Serves folders at the paths that they are given for ("/" and "/weights/", say; the longest that fits) to this machine alone, on `port` or, at 0, any free one.
 * Resolves when it listens; rejects where the port is taken.
 */
export async function serve(
	folders: Readonly<Record<string, string>>,
	{ port = 0, headers = {} as Readonly<Record<string, string>> } = {},
): Promise<{ readonly url: string; close(): void }> {
	const server = createServer(async (request, response) => {
		const refuse = (status: number) => response.writeHead(status).end();
		if (request.method !== "GET" && request.method !== "HEAD")
			return refuse(405);
		const file = fileOf(request.url ?? "/", folders);
		if (!file) return refuse(404);
		const found = await stat(file).catch(() => undefined);
		if (!found?.isFile()) return refuse(404);
		response.writeHead(200, {
			"content-type": TYPES[extname(file)] ?? "application/octet-stream",
			"content-length": found.size,
			"cache-control": "no-cache",
			"x-content-type-options": "nosniff",
			...headers,
		});
		if (request.method === "HEAD") return response.end();
		// Closes the file too when the other side has gone.
		pipeline(createReadStream(file), response, () => {});
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

/** The file that a request means; undefined where it lies outside of the folders. */
function fileOf(
	url: string,
	folders: Readonly<Record<string, string>>,
): string | undefined {
	let path: string;
	try {
		path = decodeURIComponent(url.replace(/[?#].*$/, ""));
	} catch {
		return undefined;
	}
	if (path.includes("\0")) return undefined;
	const place = Object.keys(folders)
		.filter((prefix) => path.startsWith(prefix))
		.sort((a, b) => b.length - a.length)[0];
	if (place === undefined) return undefined;
	const folder = normalize(folders[place] + sep);
	const rest = path.slice(place.length);
	const file = join(folder, rest === "" ? "index.html" : rest);
	return file.startsWith(folder) ? file : undefined;
}

const listen = (server: Server, port: number) =>
	new Promise<void>((resolve, reject) => {
		// "localhost" is ::1 on some machines and 127.0.0.1 on others: the browser tries both.
		server.once("error", reject).listen(port, "127.0.0.1", resolve);
	});
