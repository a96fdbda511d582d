/** A folder of its own for each of many inputs. */
import { basename, extname, resolve } from "node:path";

/** What lies beside the folders. */
export const [CAMPAIGN, TABLE, PAGE] = [
	"campaign.json",
	"summary.csv",
	"summary.html",
];

/**
 * Names of folders, all different, also on file systems that ignore case. The name is the file's without its ending; where several files would share
 * it, the whole file name; where they share that too, with the folders above it.
 * @param known folders that files (absolute paths) have already, and keep
 */
export function folderNames(
	files: readonly string[],
	known: ReadonlyMap<string, string> = new Map(),
): string[] {
	const taken = new Set([CAMPAIGN, TABLE, PAGE, ...known.values()].map(lower));
	const paths = files.map((file) => resolve(file));
	const free = [...paths.keys()].filter((i) => !known.has(paths[i]));
	const level = new Map(free.map((i) => [i, 0]));
	const nameOf = (i: number) => named(paths[i], level.get(i) ?? 0);
	for (let again = true; again; ) {
		again = false;
		const groups = new Map<string, number[]>();
		for (const i of free) {
			const name = lower(nameOf(i));
			groups.set(name, [...(groups.get(name) ?? []), i]);
		}
		for (const [name, group] of groups)
			if (group.length > 1 || taken.has(name))
				for (const i of group) {
					const now = level.get(i) ?? 0;
					if (now >= partsOf(paths[i]).length) continue;
					level.set(i, now + 1);
					again = true;
				}
	}
	return paths.map((path, i) => {
		const given = known.get(path);
		if (given !== undefined) return given;
		let name = nameOf(i);
		for (let n = 2; taken.has(lower(name)); n++) name = `${nameOf(i)}-${n}`;
		taken.add(lower(name));
		return name;
	});
}

const lower = (name: string) => name.toLowerCase();

/** Without what no name may hold on Windows. */
const partsOf = (path: string) =>
	path.split(/[\\/]/).filter(Boolean).map(plain);

const plain = (part: string) => part.replace(/[\\<>:"|?*]/g, "_");

/** 0: without ending; 1: the whole name; n: with n - 1 folders above it. */
const named = (path: string, level: number) =>
	level === 0
		? plain(basename(path, extname(path)))
		: partsOf(path).slice(-level).join("-");
