/** The driver that comes along is loaded only from a folder that is this user's alone, and only whole. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import {
	chmod,
	chown,
	mkdir,
	mkdtemp,
	readFile,
	rm,
	stat,
	symlink,
	truncate,
	writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliCompress } from "node:zlib";
import { pack } from "tar-fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { embeddedSwiftShader } from "../src/node/device/embedded.ts";
import { EMBEDDED_SUMS } from "../src/node/device/embeddedSums.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-embedded-"));
test.after(() => rm(scratch, { recursive: true }));
await mkdir(join(scratch, "in"));
const NAMES = [
	"libvk_swiftshader.so",
	"libvulkan.so.1",
	"vk_swiftshader_icd.json",
];
for (const name of NAMES)
	await writeFile(join(scratch, "in", name), `bytes of ${name}`);
const archive = join(scratch, "driver.tar.br");
await pipeline(
	pack(join(scratch, "in")),
	createBrotliCompress(),
	createWriteStream(archive),
);
let number = 0;
const fresh = () => join(scratch, `cache${number++}`);
const folderOf = async (cache: string) =>
	dirname((await embeddedSwiftShader(archive, cache)).loader);
/** All files are the archive's, and nobody else may write them. */
async function whole(folder: string) {
	assert.is((await stat(folder)).mode & 0o777, 0o700);
	for (const name of ["libvk_swiftshader.so", "libvulkan.so.1"])
		assert.is(await readFile(join(folder, name), "utf8"), `bytes of ${name}`);
}
// Owners and modes are Unix's, and the driver is for Linux.
const unix = process.platform === "linux" ? test : test.skip;

unix("unpacked once into the cache", async () => {
	const cache = fresh();
	const folder = await folderOf(cache);
	assert.is(dirname(folder), cache);
	await whole(folder);
	const before = await stat(folder);
	assert.is(await folderOf(cache), folder);
	assert.is((await stat(folder)).ino, before.ino);
});

unix("a truncated, changed or added library is unpacked anew", async () => {
	const cache = fresh();
	const folder = await folderOf(cache);
	const driver = join(folder, "libvk_swiftshader.so");
	for (const damage of [
		() => truncate(driver, 5),
		() => writeFile(driver, "bytes of another"),
		() => writeFile(join(folder, "more.so"), ""),
		() => chmod(driver, 0o666),
		() => rm(join(folder, "sums.json")),
		() => writeFile(join(folder, "sums.json"), "null"),
	]) {
		await damage();
		assert.is(await folderOf(cache), folder);
		await whole(folder);
		assert.is((await stat(driver)).mode & 0o022, 0);
	}
});

unix(
	"a folder that others can change, or that is a link, is not used",
	async () => {
		const open = fresh();
		await mkdir(open);
		await chmod(open, 0o777);
		const linked = fresh();
		await symlink(open, linked);
		const taken = fresh();
		await writeFile(taken, "no folder");
		for (const cache of [open, linked, taken]) {
			const folder = await folderOf(cache);
			assert.not(folder.startsWith(scratch), folder);
			await whole(folder);
		}
	},
);

unix("files that are not the known ones are refused", async () => {
	const sum = (name: string) =>
		createHash("sha256").update(`bytes of ${name}`).digest("hex");
	const pinned = Object.fromEntries(NAMES.map((name) => [name, sum(name)]));
	const cache = fresh();
	const open = (sums: Record<string, string>) =>
		embeddedSwiftShader(archive, cache, sums);
	const folder = dirname((await open(pinned)).loader);
	await whole(folder);
	// Both the library and the list of sums beside it are changed.
	const driver = join(folder, "libvk_swiftshader.so");
	await writeFile(driver, "bytes of another");
	await writeFile(
		join(folder, "sums.json"),
		JSON.stringify({
			...pinned,
			"libvk_swiftshader.so": createHash("sha256")
				.update("bytes of another")
				.digest("hex"),
		}),
	);
	await open(pinned);
	await whole(folder);
	for (const sums of [
		{ ...pinned, "libvulkan.so.1": sum("another") },
		{ ...pinned, "more.so": sum("more.so") },
	])
		await open(sums).then(
			() => assert.unreachable(),
			({ message }) =>
				assert.match(message, /(libvulkan\.so\.1|more\.so) is not the one/),
		);
});

unix("the installed package holds the files that are pinned", async () => {
	const main = createRequire(import.meta.url).resolve("@sparticuz/chromium");
	const path = join(main, "../../..");
	const { version } = JSON.parse(
		await readFile(join(path, "package.json"), "utf8"),
	);
	assert.ok(EMBEDDED_SUMS[version], `add the sums of ${version}`);
	await embeddedSwiftShader(
		join(path, "bin/swiftshader.tar.br"),
		fresh(),
		EMBEDDED_SUMS[version],
	);
});

const root = process.getuid?.() === 0;
(root ? unix : test.skip)("nor one of another user", async () => {
	const cache = fresh();
	const folder = await folderOf(cache);
	await chown(cache, 12345, 12345);
	assert.is.not(await folderOf(cache), folder);
});

test.run();
