/** `manifest.json`, which lies beside the CSV files that we make: what made them, what each kernel is, and the split, so that a later evaluation uses the same. */
import { quote, said } from "../../text.ts";
import { DatasetError, kernelNumber } from "./format.ts";
import { readSplit, type Split, type Symmetry } from "./split.ts";

/** The manifest's file name. */
export const MANIFEST = "manifest.json";
/** Version of what the manifest holds. */
export const MANIFEST_FORMAT = 1;

/** One kernel's file and how it was made. */
export interface ManifestKernel {
	number: number;
	file: string;
	/** Size of the file: a copy that was cut is found out before it is read. */
	bytes: number;
	family: string;
	symmetry: Symmetry;
	/** In eV. */
	energy: number;
	observations: number;
	/** Noise level of each image, as the generator counts it. */
	noise: number[];
	/** The generator's specification. */
	spec: unknown;
}

/** The whole manifest; `count` kernels are meant to be there, and fewer in `kernels` means that the making was interrupted. */
export interface Manifest {
	format: typeof MANIFEST_FORMAT;
	generator: string;
	seed: number;
	options: Record<string, unknown>;
	count: number;
	/** Which part of them was to be made, where several machines share the work. */
	shard?: {
		readonly index: number;
		readonly of: number;
		readonly total: number;
	};
	kernels: ManifestKernel[];
	split: Split;
}

/** Checks a manifest read from JSON text; `file` is the name that errors give. Throws DatasetError. */
export function readManifest(text: string, file: string): Manifest {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new DatasetError(file, (error as Error).message, "JSON");
	}
	const manifest = json as Manifest;
	if (manifest?.format !== MANIFEST_FORMAT)
		throw new DatasetError(
			file,
			`format ${said(manifest?.format)}`,
			`a manifest of format ${MANIFEST_FORMAT}`,
		);
	const bad = (found: string, expected: string) =>
		new DatasetError(file, found, expected);
	if (!Number.isInteger(manifest.count))
		throw bad(`count ${said(manifest.count)}`, "an integer");
	if (!Array.isArray(manifest.kernels)) throw bad("no kernels", "their list");
	const numbers = new Set<number>();
	for (const [i, k] of manifest.kernels.entries()) {
		if (typeof k?.file !== "string" || !Number.isInteger(k.number))
			throw bad(
				`${k ? "no file name or number" : "nothing"} in place ${i + 1} of the kernels`,
				"number and file of a kernel",
			);
		if (kernelNumber(k.file) !== k.number || numbers.has(k.number))
			throw bad(
				`kernel ${k.number} in the file ${quote(k.file)}`,
				"each kernel once, under its own file name",
			);
		numbers.add(k.number);
		if (![1, 2, 3, 4, 6].includes(k.symmetry))
			throw bad(
				`${said(k.symmetry)} as the symmetry of kernel ${k.number}`,
				"1, 2, 3, 4 or 6",
			);
		if (
			typeof k.family !== "string" ||
			!Number.isFinite(k.energy) ||
			!Number.isInteger(k.bytes) ||
			!Array.isArray(k.noise) ||
			k.noise.length !== k.observations ||
			!k.noise.every(Number.isFinite)
		)
			throw bad(
				`an entry for kernel ${k.number} that is not whole`,
				"family, energy, bytes, and a noise level an observation",
			);
	}
	const split = readSplit(
		manifest.split,
		`${file}, split`,
		numbers.size === manifest.count ? numbers : undefined,
	);
	return { ...manifest, split };
}
