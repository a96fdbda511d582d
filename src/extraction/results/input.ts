/** A file's bytes to what it holds. */
import { FormatError, type Measurement } from "../../formats/measurement.ts";
import { openMeasurement } from "../../formats/readMeasurement.ts";
import { sha256 } from "../../formats/sha256.ts";
import { KernelParser } from "../../qpi/dataset/csv.ts";
import { type KernelFile, RESOLUTION } from "../../qpi/dataset/format.ts";
import { ownFile } from "./ownFiles.ts";

/** Larger files are refused unread. */
const MOST = 2 ** 30;

export interface Input {
	readonly file: string;
	readonly sha256: string;
	readonly bytes: number;
	/** What the file holds: a measurement, or kernels and images in the published dataset's format. */
	readonly measurement?: Measurement;
	readonly dataset?: KernelFile;
	/** That it is an image of this program's own results, for people. */
	readonly own?: string;
	/** That it is several files, one energy each. */
	readonly series?: Series;
}

/** Files that were moved onto each other, sorted by energy. */
export interface Series {
	/** The file that the others were moved onto. */
	readonly onto: string;
	/** The channel that they were compared by. */
	readonly by: string;
	/** Of the drift. */
	readonly unit: "A" | "pixels";
	readonly parts: readonly {
		readonly file: string;
		/** eV */
		readonly energy: number;
		/** By how much the file's map was moved back. */
		readonly x: number;
		readonly y: number;
		/** Its correlation with the map that it was compared with. */
		readonly likeness: number;
	}[];
}

/** For before a file is read: throws FormatError where it is too long for it. */
export function checkSize(file: string, bytes: number): void {
	if (bytes > MOST)
		throw new FormatError(
			`${file}: found ${(bytes / 2 ** 30).toFixed(1)} GiB, expected at most 1 GiB`,
		);
}

/** What a file of these bytes and this name holds. Throws FormatError or DatasetError where it is not what it should be. */
export async function parseInput(
	bytes: Uint8Array<ArrayBuffer>,
	file: string,
): Promise<Input> {
	const about = { file, sha256: await sha256(bytes), bytes: bytes.length };
	if (!isDataset(bytes)) {
		const own = ownFile(bytes, file);
		if (own && !own.image) throw new FormatError(`${file}: ${own.what}`);
		const measurement = await openMeasurement(bytes, file);
		return { ...about, measurement, ...(own && { own: own.what }) };
	}
	const parser = new KernelParser(file);
	parser.push(bytes);
	return { ...about, dataset: parser.end() };
}

/** A path without its folders. */
export const baseName = (file: string): string => file.replace(/^.*[\\/]/, "");

/** Whether text begins as a file of the published dataset: "64,20", then an axis from minus to plus half a field. */
function isDataset(bytes: Uint8Array): boolean {
	const [first, second = ""] = new TextDecoder("latin1")
		.decode(bytes.subarray(0, 4096 * 32))
		.split(/\r?\n/, 2);
	const [resolution, places, ...rest] = first.split(",").map(Number);
	const axis = second.split(",").map(Number.parseFloat);
	const [from, to] = [axis[0], axis[RESOLUTION - 1]];
	return (
		resolution === RESOLUTION &&
		Number.isInteger(places) &&
		rest.every((value) => !value) &&
		from < 0 &&
		Math.abs(from + to) < -from / 100
	);
}
