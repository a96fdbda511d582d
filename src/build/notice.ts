/** NOTICE.txt beside the bundles: the licences of all packages whose code is in them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** Not code, but drawn into pictures: the font of the program's own. */
const FONT = "node_modules/dejavu-fonts-ttf";

/** The folders, below `root`, of the packages that have code in the outputs of a bundle. */
export function packagesOf(metafile: Metafile): string[] {
	const folders = Object.values(metafile.outputs)
		.flatMap(({ inputs }) => Object.keys(inputs))
		.map((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0])
		.filter((folder) => folder !== undefined);
	return [...new Set(folders)].sort();
}

/** The text for the packages in these folders. Throws where one has no file with its licence. */
export function noticeOf(root: string, folders: readonly string[]): string {
	const parts = folders.map((folder) => {
		const place = join(root, folder);
		const about = JSON.parse(
			readFileSync(join(place, "package.json"), "utf8"),
		) as { name: string; version: string; license?: string };
		const file = readdirSync(place).find((name) =>
			/^(licen[cs]e|copying)(\.\w+)?$/i.test(name),
		);
		if (!file)
			throw new Error(
				`${about.name} ${about.version} is bundled, and has no file with its licence`,
			);
		const text = readFileSync(join(place, file), "utf8").trim();
		return `${about.name} ${about.version} (${about.license ?? "see below"})\n\n${text}\n`;
	});
	return `QPI Lens contains code of these packages, under their own licences.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

/** Writes it into the folder of the bundles. */
export function writeNotice(root: string, out: string, metafile: Metafile) {
	const font = existsSync(join(root, FONT)) ? [FONT] : [];
	const text = noticeOf(root, [...packagesOf(metafile), ...font]);
	writeFileSync(join(out, "NOTICE.txt"), text);
}
