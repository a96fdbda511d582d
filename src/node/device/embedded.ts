import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import {
	lstat,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	writeFile,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { makeFolder } from "../files/files.ts";

/** Where this program keeps what it can make again: $XDG_CACHE_HOME/qpi-lens, else ~/.cache/qpi-lens; undefined of a user without a home. */
export function cacheFolder(): string | undefined {
	const { XDG_CACHE_HOME } = process.env;
	if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "qpi-lens");
	try {
		return join(homedir(), ".cache", "qpi-lens");
	} catch {
		return undefined;
	}
}

/** The driver's manifest and the loader. */
export interface Embedded {
	readonly icd: string;
	readonly loader: string;
}

/** SHA-256 of files by their names. */
export type Sums = Readonly<Record<string, string>>;

/** Checksums of the files beside it, as they were unpacked. */
const SUMS = "sums.json";
const DRIVER = "libvk_swiftshader.so";

/**
 * Unpacks the SwiftShader that the npm package @sparticuz/chromium carries (a Vulkan driver for the CPU, with its own loader) into
 * the cache folder, once for each version. An earlier copy is used only if it belongs to this user alone and every file has its checksum; else it is unpacked anew. Where the cache
 * cannot be used, it is unpacked into a private folder that is removed when the process ends.
 * @param pinned checksums that the files must have; without it, those that they had when they were unpacked. Rejects where the archive holds other files.
 */
export async function embeddedSwiftShader(
	archive: string,
	cache = cacheFolder(),
	pinned?: Sums,
): Promise<Embedded> {
	const key = hash(await readFile(archive)).slice(0, 16);
	const folder =
		(cache &&
			(await inCache(archive, cache, key, pinned).catch(() => undefined))) ??
		(await inPrivate(archive, pinned));
	return {
		icd: join(folder, "vk_swiftshader_icd.json"),
		loader: join(folder, "libvulkan.so.1"),
	};
}

const hash = (bytes: Uint8Array): string =>
	createHash("sha256").update(bytes).digest("hex");

async function inCache(
	archive: string,
	cache: string,
	key: string,
	pinned?: Sums,
): Promise<string> {
	await makeFolder(cache, 0o700);
	if (!(await isOwn(cache, 0o002)))
		throw new Error(`${cache} is not this user's alone`);
	const folder = join(cache, `swiftshader-2-${key}`);
	if (await isWhole(folder, pinned)) return folder;
	// Beside its place and then renamed, so that two processes at once cannot see half of it.
	const temporary = await mkdtemp(`${folder}-`);
	try {
		await unpack(archive, temporary, pinned);
		// The other process may have been faster, or this one is damaged.
		if (!(await isWhole(folder, pinned))) {
			await rm(folder, { recursive: true, force: true });
			await rename(temporary, folder).catch(() => undefined);
		}
		if (await isWhole(folder, pinned)) return folder;
		throw new Error(`${folder} cannot be replaced`);
	} finally {
		await rm(temporary, { recursive: true, force: true });
	}
}

async function inPrivate(archive: string, pinned?: Sums): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "qpi-lens-"));
	process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
	await unpack(archive, folder, pinned);
	return folder;
}

async function unpack(
	archive: string,
	folder: string,
	pinned?: Sums,
): Promise<void> {
	const { extract } = await import("tar-fs");
	await pipeline(
		createReadStream(archive),
		createBrotliDecompress(),
		// What the archive says of owners is another machine's.
		extract(folder, { chown: false } as object),
	);
	const sums: Record<string, string> = {};
	for (const name of await readdir(folder))
		sums[name] = hash(await readFile(join(folder, name)));
	const other = Object.keys({ ...sums, ...pinned }).find(
		(name) => pinned && sums[name] !== pinned[name],
	);
	if (other)
		throw new Error(
			`${archive}: ${other} is not the one that is known; install @sparticuz/chromium anew`,
		);
	if (!sums[DRIVER]) throw new Error(`${archive} holds no ${DRIVER}`);
	await writeFile(join(folder, SUMS), JSON.stringify(sums));
}

/** Whether a folder or file (and no link to one) is this user's, and nobody else may change it by `forbidden` bits. */
async function isOwn(path: string, forbidden: number): Promise<boolean> {
	const { uid, mode } = await lstat(path);
	const link = (mode & 0o170000) === 0o120000;
	return !link && uid === process.getuid?.() && (mode & forbidden) === 0;
}

/** Whether an unpacked driver is there, this user's alone, with all its bytes. */
async function isWhole(folder: string, pinned?: Sums): Promise<boolean> {
	try {
		if (!(await isOwn(folder, 0o022))) return false;
		const sums: unknown =
			pinned ?? JSON.parse(await readFile(join(folder, SUMS), "utf8"));
		const names = (await readdir(folder)).filter((name) => name !== SUMS);
		if (!names.includes(DRIVER)) return false;
		for (const name of names) {
			const file = join(folder, name);
			if (!(await isOwn(file, 0o022))) return false;
			if (hash(await readFile(file)) !== Object(sums)[name]) return false;
		}
		return names.length === Object.keys(Object(sums)).length;
	} catch {
		return false;
	}
}
