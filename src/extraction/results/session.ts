/** The work on a file as one file: the measurement, how it is extracted from, scatterers, masks and weights. A zip, so that anybody can look into it. */
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { FormatError } from "../../formats/measurement.ts";
import type { ExtractSettings } from "./commandLine.ts";
import { baseName, checkSize } from "./input.ts";

export interface Session {
	/** The instrument's file, or those of a series: names without folders, each another. */
	readonly files: readonly {
		readonly name: string;
		readonly bytes: Uint8Array;
	}[];
	/** Where `scatterers`, `mask` or `weights` are given they are names of what is in here. */
	readonly settings: ExtractSettings;
	/** The lists as CSV, where they are given. */
	readonly scatterers?: string;
	readonly mask?: string;
	/** The files of the folder `settings.weights`, by their names. */
	readonly weights?: ReadonlyMap<string, Uint8Array>;
}

/** The first entry of the zip, by which it is known. */
const INDEX = "session.json";
export const LISTS = {
	scatterers: "scatterers.csv",
	mask: "mask.csv",
} as const;
/** Raised when the index is laid out otherwise: of one file as the first version had it, which knows no series. */
const VERSION = { file: 1, series: 2 };

export function encodeSession(session: Session): Uint8Array<ArrayBuffer> {
	const { files, settings, scatterers, mask, weights } = session;
	const taken = new Set<string>([...Object.values(LISTS), INDEX]);
	if (settings.weights) taken.add(settings.weights);
	const entries = files.map(({ name, bytes }, i) => {
		const free = [name, `measured-${name}`, `${i + 1}-${name}`].find(
			(each) => !taken.has(each),
		) as string;
		taken.add(free);
		return [free, bytes] as const;
	});
	const names = entries.map(([name]) => name);
	const index = {
		program: "qpi-lens",
		...(names.length > 1
			? { session: VERSION.series, files: names }
			: { session: VERSION.file, file: names[0] }),
		settings,
	};
	return zipSync(
		{
			[INDEX]: strToU8(`${JSON.stringify(index, null, "\t")}\n`),
			...(scatterers !== undefined && {
				[LISTS.scatterers]: strToU8(scatterers),
			}),
			...(mask !== undefined && { [LISTS.mask]: strToU8(mask) }),
			...Object.fromEntries(entries),
			...Object.fromEntries(
				[...(weights ?? [])].map(([name, bytes]) => [
					`${settings.weights}/${name}`,
					[bytes, { level: 0 }], // 16-bit weights hardly shrink
				]),
			),
		},
		{ level: 6 },
	) as Uint8Array<ArrayBuffer>;
}

/** Whether bytes are a session: a zip whose first entry is its index. */
export const isSession = (bytes: Uint8Array): boolean =>
	bytes.length > 30 + INDEX.length &&
	bytes[0] === 0x50 &&
	bytes[1] === 0x4b &&
	bytes[2] === 3 &&
	strFromU8(bytes.subarray(30, 30 + INDEX.length), true) === INDEX;

/** @throws FormatError where it is damaged, or made by a later program */
export function decodeSession(bytes: Uint8Array, source: string): Session {
	const refuse = (what: string): never => {
		throw new FormatError(`${source}: expected a session of qpi-lens, ${what}`);
	};
	const entries = (wanted: (name: string) => boolean) => {
		try {
			return unzipSync(bytes, {
				filter: ({ name, originalSize }) => {
					if (!wanted(name)) return false;
					checkSize(`${source}, ${name}`, originalSize);
					return true;
				},
			});
		} catch (error) {
			if (error instanceof FormatError) throw error;
			return refuse(`found a damaged zip (${(error as Error).message})`);
		}
	};
	const entry = (wanted: string): Uint8Array | undefined =>
		entries((name) => name === wanted)[wanted];
	const text = (name: string): string | undefined => {
		const found = entry(name);
		return found && strFromU8(found);
	};
	let index: unknown;
	try {
		index = JSON.parse(text(INDEX) ?? "");
	} catch (error) {
		if (error instanceof FormatError) throw error;
		return refuse(`found no ${INDEX} that can be read`);
	}
	const { program, session, file, files, settings } = (index ?? {}) as Record<
		string,
		unknown
	>;
	if (program !== "qpi-lens" || typeof settings !== "object" || !settings)
		return refuse(`found another ${INDEX}`);
	if (session !== VERSION.file && session !== VERSION.series)
		return refuse(
			`of version ${VERSION.file} or ${VERSION.series}, found version ${session}`,
		);
	const names: unknown = session === VERSION.file ? [file] : files;
	// They are written to a folder under these names.
	if (
		!Array.isArray(names) ||
		names.length === 0 ||
		new Set(names).size < names.length ||
		!names.every(isPlain)
	)
		return refuse(
			session === VERSION.file
				? "found no plain name of its file"
				: "found no plain names of its files",
		);
	const measured = names.map((name: string) => ({
		name,
		bytes: entry(name) ?? refuse(`found no ${name} in it`),
	}));
	const { method, seed, weights } = settings as Partial<ExtractSettings>;
	if (typeof method !== "string" || typeof seed !== "number")
		return refuse("found no method or no seed among its settings");
	const inFolder = (name: string) =>
		isPlain(weights) &&
		name.startsWith(`${weights}/`) &&
		isPlain(name.slice(weights.length + 1));
	const ofWeights = Object.entries(entries(inFolder));
	return {
		files: measured,
		settings: settings as ExtractSettings,
		scatterers: text(LISTS.scatterers),
		mask: text(LISTS.mask),
		weights:
			ofWeights.length > 0
				? new Map(ofWeights.map(([name, data]) => [baseName(name), data]))
				: undefined,
	};
}

const isPlain = (name: unknown): name is string =>
	typeof name === "string" && name === baseName(name) && !/^\.*$/.test(name);
