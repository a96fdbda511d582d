import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Choices, Tuner } from "../../engine/device/tuner.ts";
import { makeFolder, writeFileAtomic } from "../files/files.ts";
import { VERSION } from "../files/package.ts";
import { cacheFolder } from "./embedded.ts";

/** All that the best variant may depend on besides shapes: adapter, driver (in the description) and the kernels themselves. */
function keyOf({ info }: GPUAdapter): string {
	const { vendor, architecture, device, description } = info;
	return [VERSION, vendor, architecture, device, description]
		.filter(Boolean)
		.join(" | ");
}

/**
 * A tuner that keeps its choices in a file, by default in the user's cache folder. A file that cannot be read counts as empty, and one that cannot be written is
 * left: the next process then measures again.
 */
export function openTuner(
	adapter: GPUAdapter,
	file = inCache("tuning.json"),
): Tuner {
	const key = keyOf(adapter);
	if (!file) return new Tuner({});
	return new Tuner({
		choices: Object(read(file)[key]),
		async save(choices) {
			const all = read(file);
			all[key] = { ...all[key], ...choices }; // another process may have added some
			const text = `${JSON.stringify(all, null, "\t")}\n`;
			await makeFolder(dirname(file))
				.then(() => writeFileAtomic(file, text))
				.catch(() => undefined);
		},
	});
}

const inCache = (name: string): string | undefined => {
	const folder = cacheFolder();
	return folder && join(folder, name);
};

/** What a file of choices holds; nothing where it is not a plain object of objects. */
function read(file: string): Record<string, Choices> {
	try {
		const all: unknown = JSON.parse(readFileSync(file, "utf8"));
		return isRecord(all)
			? (Object.fromEntries(
					Object.entries(all).filter(([, choices]) => isRecord(choices)),
				) as Record<string, Choices>)
			: {};
	} catch {
		return {};
	}
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);
