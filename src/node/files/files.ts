/** Files that are either whole or not there. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
	access,
	constants,
	mkdir,
	open,
	rename,
	rm,
	stat,
} from "node:fs/promises";
import { dirname } from "node:path";
import type { ByteSource } from "../../formats/safetensors.ts";

/**
 * Writes a file so that no reader, crash or power cut ever sees half of it: aside under a name that ends in `.tmp`, flushed to the disk, then renamed.
 * A list of pieces is written one by one. Throws the file system's error, leaving the old file as it was.
 */
export async function writeFileAtomic(
	path: string,
	data:
		| string
		| Uint8Array
		| Iterable<string>
		| AsyncIterable<string | Uint8Array>,
): Promise<void> {
	const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
	try {
		const file = await open(aside, "wx");
		try {
			await naming(path, file.writeFile(data as string));
			await naming(path, file.sync());
		} finally {
			await file.close();
		}
		await rename(aside, path);
	} catch (error) {
		await rm(aside, { force: true });
		throw error;
	}
	await syncFolder(dirname(path));
}

/** What `work` gives; an error of the file system that does not say which file it means (a full disk, a folder in place of a file) names `path`. */
export async function naming<T>(path: string, work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		const fault = error as NodeJS.ErrnoException;
		if (fault.code && fault.syscall && !fault.path) {
			fault.path = path;
			fault.message = `${path}: ${fault.message}`;
		}
		throw fault;
	}
}

/** Makes a folder and those above it. (Node's own recursive mkdir never returns in a file system such as /proc, where none can be made.) */
export async function makeFolder(path: string, mode?: number): Promise<void> {
	const above = dirname(path);
	if (above !== path && !existsSync(above)) await makeFolder(above, mode);
	await mkdir(path, mode).catch(async (error) => {
		const there = await stat(path).catch(() => undefined);
		if (!there?.isDirectory()) throw error;
	});
}

/** Whether files can be made in a folder, which is made where it is not there. */
export const canWrite = (folder: string): Promise<boolean> =>
	makeFolder(folder)
		.then(() => access(folder, constants.W_OK))
		.then(
			() => true,
			() => false,
		);

/** Makes the rename itself last; not every system can (Windows opens no folder), and the file is whole without it. */
async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, "r").catch(() => undefined);
	await folder?.sync().catch(() => undefined);
	await folder?.close();
}

/** A file to read any part of, and to close. */
export async function openBytes(
	path: string,
): Promise<ByteSource & { close(): Promise<void> }> {
	const file = await open(path, "r");
	try {
		const { size } = await file.stat();
		return {
			name: path,
			bytes: size,
			async read(begin, end) {
				const bytes = new Uint8Array(end - begin);
				for (let got = 0; got < bytes.length; ) {
					const { bytesRead } = await naming(
						path,
						file.read(bytes, got, bytes.length - got, begin + got),
					);
					if (bytesRead === 0)
						throw new Error(
							`${path} ends at byte ${begin + got}; ${size} bytes were there when it was opened`,
						);
					got += bytesRead;
				}
				return bytes;
			},
			close: () => file.close(),
		};
	} catch (error) {
		await file.close();
		throw error;
	}
}
