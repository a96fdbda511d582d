import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Choices, Tuner } from "../engine/tuner.ts";
import { cacheFolder } from "./embedded.ts";
import { writeFileAtomic } from "./files.ts";
import { VERSION } from "./package.ts";

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
	file = join(cacheFolder(), "tuning.json"),
): Tuner {
	const key = keyOf(adapter);
	return new Tuner({
		choices: read(file)[key] ?? {},
		async save(choices) {
			const all = read(file);
			all[key] = { ...all[key], ...choices }; // another process may have added some
			const text = `${JSON.stringify(all, null, "\t")}\n`;
			await mkdir(dirname(file), { recursive: true })
				.then(() => writeFileAtomic(file, text))
				.catch(() => undefined);
		},
	});
}

function read(file: string): Record<string, Choices> {
	try {
		return Object(JSON.parse(readFileSync(file, "utf8")));
	} catch {
		return {};
	}
}
