/** What this program writes, told apart from what it extracts from: people open what they have just saved. */

export interface OwnFile {
	/** What it is and what to do with it, for people. */
	readonly what: string;
	/** Whether it can be looked at as an image. */
	readonly image: boolean;
}

const VIEW = "it can be looked at; to extract, open the scan itself";

/** By how text begins, after comments and blanks. */
const TEXTS: readonly (readonly [begin: RegExp, what: OwnFile])[] = [
	[
		/^"?x \\ y \(Angstrom\)/,
		{
			what: `a table of this program, a kernel or its uncertainty: ${VIEW}`,
			image: true,
		},
	],
	[
		/^"?qx \\ qy \(1\/Angstrom\)/,
		{
			what: `a table of this program, the |FFT| of a kernel or of a map: ${VIEW}`,
			image: true,
		},
	],
	[
		/^# Scatterers\. x, y: Angstrom/,
		{
			what: "found a list of scatterers, expected a scan: give the list beside its scan (--scatterers, on the page: Load .csv under Scatterers)",
			image: false,
		},
	],
	[
		/^# What does not count\. Angstrom/,
		{
			what: "found a mask, expected a scan: give the mask beside its scan (--mask, on the page: Load mask.csv under Image)",
			image: false,
		},
	],
	[
		/^\{\s*"program": "qpi-lens"/,
		{
			what: "found the numbers of an extraction (result.json), expected a scan: a session (.qpi) is what opens the work on a scan again",
			image: false,
		},
	],
	[
		/^<!doctype html>[\s\S]*<title>Kernels? of /i,
		{
			what: "found a report of an extraction, expected a scan: a browser opens it",
			image: false,
		},
	],
];

/** By the names of the files in a zip, which stand at its end. */
const ARCHIVES: readonly (readonly [name: string, what: string])[] = [
	[
		"result.json",
		"found an extraction's results, packed, expected a scan: unpacked, its kernel.csv can be looked at; a session (.qpi) is what opens the work on a scan again",
	],
	[
		"prior.safetensors",
		"found weights, packed, expected a scan: unpacked, they are a folder for --weights",
	],
];

/** Arrays of kernels say nothing of themselves but their name. */
const NAMED =
	/(?:^|[\\/])(kernel|kernels|uncertainty|uncertainties)(-kind\d+)?\.npy$/;

/** What of this program's files it is; undefined for any other. */
export function ownFile(bytes: Uint8Array, file: string): OwnFile | undefined {
	if (NAMED.test(file))
		return {
			what: `named as this program names the kernels that it extracts: ${VIEW}, or give the file another name`,
			image: true,
		};
	const latin = new TextDecoder("latin1");
	if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
		const end = latin.decode(bytes.subarray(-65536));
		const packed = ARCHIVES.find(([name]) => end.includes(name));
		return packed && { what: packed[1], image: false };
	}
	const begin = latin.decode(bytes.subarray(0, 1000));
	return TEXTS.find(([pattern]) => pattern.test(begin))?.[1];
}
