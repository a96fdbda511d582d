import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

/** Where this program keeps what it can make again: $XDG_CACHE_HOME/qpi-lens, else ~/.cache/qpi-lens. */
export function cacheFolder(): string {
	return join(
		process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
		"qpi-lens",
	);
}

/**
 * Unpacks the SwiftShader that the npm package @sparticuz/chromium carries (a Vulkan driver for the CPU, with its own loader) into
 * the cache folder, once for each version, and returns the paths of the driver's manifest and of the loader.
 */
export async function embeddedSwiftShader(
	archive: string,
): Promise<{ icd: string; loader: string }> {
	const key = createHash("sha256")
		.update(await readFile(archive))
		.digest("hex")
		.slice(0, 16);
	const folder = await unpack(archive, cacheFolder(), key).catch(() =>
		unpack(archive, join(tmpdir(), "qpi-lens"), key),
	);
	return {
		icd: join(folder, "vk_swiftshader_icd.json"),
		loader: join(folder, "libvulkan.so.1"),
	};
}

async function unpack(
	archive: string,
	parent: string,
	key: string,
): Promise<string> {
	const folder = join(parent, `swiftshader-${key}`);
	if (existsSync(folder)) return folder;
	await mkdir(parent, { recursive: true });
	// Beside its place and then renamed, so that two processes at once cannot see half of it.
	const temporary = await mkdtemp(`${folder}-`);
	try {
		const { extract } = await import("tar-fs");
		await pipeline(
			createReadStream(archive),
			createBrotliDecompress(),
			extract(temporary),
		);
		await stat(join(temporary, "libvk_swiftshader.so"));
		await rename(temporary, folder).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
		});
		return folder;
	} finally {
		await rm(temporary, { recursive: true, force: true });
	}
}
