/** The web server against clients that go away, ask from elsewhere, or ask for what is not theirs. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { serve } from "../src/node/files/serve.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-serve-"));
const folder = join(scratch, "page");
await mkdir(join(folder, ".git"), { recursive: true });
await writeFile(join(folder, "index.html"), "the page");
await writeFile(join(folder, "large.bin"), new Uint8Array(4e6));
await writeFile(join(folder, ".git", "config"), "secret");
await writeFile(join(scratch, "secret.txt"), "secret");
await symlink(join(scratch, "secret.txt"), join(folder, "link.txt"));
await symlink(join(folder, "index.html"), join(folder, "inner.html"));
const server = await serve({ "/": folder }, { headers: { "x-own": "yes" } });
const port = Number(new URL(server.url).port);
test.after(async () => {
	server.close();
	await rm(scratch, { recursive: true });
});

const ask = (
	path: string,
	{ method = "GET", host = `localhost:${port}` } = {},
) =>
	new Promise<{ status?: number; headers: IncomingHttpHeaders; body: string }>(
		(resolve, reject) => {
			request(
				{ host: "127.0.0.1", port, path, method, headers: { host } },
				(response) => {
					let body = "";
					response.on("data", (part) => {
						body += part;
					});
					response.on("end", () =>
						resolve({
							status: response.statusCode,
							headers: response.headers,
							body,
						}),
					);
				},
			)
				.on("error", reject)
				.end();
		},
	);

test("clients that go away at any moment do not end the server", async () => {
	for (let i = 0; i < 600; i++)
		await new Promise<void>((resolve) => {
			const path = i % 2 ? "/large.bin" : "/nowhere";
			const socket = connect(port, "127.0.0.1", () => {
				socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => {
					if (i % 3 === 0) socket.resetAndDestroy();
					else setTimeout(() => socket.destroy(), (i % 7) / 3);
				});
			});
			socket.on("error", () => {}).on("close", () => resolve());
		});
	assert.is((await ask("/")).body, "the page");
});

test("only this machine's own names are answered", async () => {
	for (const host of ["localhost", "127.0.0.1:8017", "LOCALHOST:1", "[::1]:9"])
		assert.is((await ask("/", { host })).status, 200, host);
	for (const host of ["evil.example", `evil.example:${port}`, "localhost.evil"])
		assert.is((await ask("/", { host })).status, 421, host);
});

test("headers go with every answer", async () => {
	for (const [path, method, status] of [
		["/", "GET", 200],
		["/nowhere", "GET", 404],
		["/", "POST", 405],
	] as const) {
		const found = await ask(path, { method });
		assert.is(found.status, status);
		assert.is(found.headers["x-own"], "yes");
		assert.is(found.headers["x-content-type-options"], "nosniff");
	}
});

test("neither hidden files nor links that lead out are there", async () => {
	for (const path of [
		"/.git/config",
		"/%2egit/config",
		"/link.txt",
		"/../secret.txt",
		"/%2e%2e/secret.txt",
		"/..%5csecret.txt",
		"/index.html%00",
		"/%",
	])
		assert.is((await ask(path)).status, 404, path);
	assert.is((await ask("/inner.html")).body, "the page");
});

test.run();
