/** A microscope's file, whatever its format, to images. Bytes in, numbers out. */

import { nameOf, oneLine } from "../text.ts";
import { numbered } from "./axes.ts";
import { isCreatec, readCreatec } from "./createc.ts";
import { isGrid } from "./gridLayout.ts";
import { GSF_MAGIC, readGsf } from "./gsf.ts";
import { GWY_MAGIC, readGwy } from "./gwyddion.ts";
import { isHdf5, readHdf5 } from "./hdf5.ts";
import { isIbw, readIbw } from "./ibw.ts";
import { readImageCsv } from "./imageCsv.ts";
import { isMat5, readMat } from "./mat.ts";
import type { Channel, Measurement } from "./measurement.ts";
import { readGrid } from "./nanonisGrid.ts";
import { decodeNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import { readPicture } from "./picture.ts";
import {
	decodeText,
	dropUnmeasured,
	type Fail,
	FormatError,
	failFor,
	indexOfText,
	MAX_BYTES,
	MAX_IMAGES,
	quote,
	size,
	unmeasuredWarning,
} from "./reading.ts";
import { isSm4, readSm4 } from "./rhk.ts";
import { readSxm } from "./sxm.ts";
import { isTiff, readTiff } from "./tiff.ts";
import { isWsxm, readWsxm } from "./wsxm.ts";

type Reader = (bytes: Uint8Array, file: string) => Measurement;

const READERS: Record<string, Reader> = {
	sxm: readSxm,
	"3ds": readGrid,
	npy: readNpy,
	png: readPicture,
	csv: readImageCsv,
	txt: readImageCsv,
	npz: readNpz,
	mat: readMat,
	gwy: readGwy,
	gsf: readGsf,
	ibw: readIbw,
	createc: readCreatec,
	wsxm: readWsxm,
	sm4: readSm4,
	tiff: readTiff,
};

/** Text has no mark of its own; damaged files of these are told more about by their readers. */
const BY_NAME = ["sxm", "3ds", "npy", "png", "csv", "txt"];

/** What is read, for people; README.md here has the table. */
export const READABLE =
	"a Nanonis .sxm or .3ds, Createc .dat, RHK .sm4, WSxM .stp or .top, Gwyddion .gwy or .gsf, Igor .ibw, HDF5 or NeXus, MATLAB .mat, .npy, .npz, .tif, .csv or .png";

/** What a point spectrum of Nanonis begins with. */
const SPECTRUM = /^Experiment\t[^\n]*spectroscopy/i;

/**
 * Reads the formats of the table in README.md. What the bytes begin with decides; where that is nothing known, the extension of `name` does. Throws FormatError, in one sentence: the file, what was found, what
 * was expected. Nothing is allocated by what a header announces before the file's length was checked against it.
 */
export function readMeasurement(bytes: Uint8Array, name: string): Measurement {
	const fail: Fail = failFor(name);
	const known = `${READABLE} file`;
	if (bytes.length === 0) fail("an empty file", known);
	if (bytes.length > MAX_BYTES)
		fail(size(bytes.length), `at most ${size(MAX_BYTES)}`);
	const extension = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? "";
	const format = formatOf(bytes);
	if (isHdf5(bytes))
		fail("an HDF5 file", "openMeasurement(), which loads what reads it");
	const head = decodeText(bytes.subarray(0, 200));
	if (!format && SPECTRUM.test(head))
		fail(
			`a point spectrum of Nanonis (${quote(head.split(/[\t\r\n]/)[1])})`,
			"an image or a grid: spectra of points belong to no map",
		);
	const taken = format ?? BY_NAME.find((each) => each === extension);
	if (taken === undefined) fail(opening(bytes), known);
	const read = READERS[taken];
	const more =
		format && extension in READERS && READERS[extension] !== read
			? [`the file is named .${extension}, but holds ${format}`]
			: [];
	return tidy(read(bytes, name), more);
}

/** The same for HDF5 files too, whose library is loaded when the first one is met. */
export async function openMeasurement(
	bytes: Uint8Array,
	name: string,
): Promise<Measurement> {
	if (!isHdf5(bytes)) return readMeasurement(bytes, name);
	if (bytes.length > MAX_BYTES)
		failFor(name)(size(bytes.length), `at most ${size(MAX_BYTES)}`);
	return tidy(await readHdf5(bytes, name), []);
}

/** Names, units and lines made safe to show; no two channels of the same name. */
const tidy = (
	measurement: Measurement,
	more: readonly string[],
): Measurement => ({
	...measurement,
	channels: withOwnNames(measurement.channels),
	...(measurement.sweep && {
		sweep: {
			...measurement.sweep,
			name: nameOf(measurement.sweep.name),
			unit: nameOf(measurement.sweep.unit),
		},
	}),
	details: measurement.details.map(([label, value]) => [
		nameOf(label),
		oneLine(value),
	]),
	warnings: [...more, ...measurement.warnings].map(oneLine),
});

function formatOf(bytes: Uint8Array): string | undefined {
	const begins = (...start: number[]) =>
		start.every((byte, i) => bytes[i] === byte);
	if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return "npy";
	if (begins(0x89, 0x50, 0x4e, 0x47)) return "png";
	if (begins(0x50, 0x4b, 3, 4)) return "npz";
	if (begins(...letters(GWY_MAGIC))) return "gwy";
	if (begins(...letters(GSF_MAGIC))) return "gsf";
	if (isMat5(bytes)) return "mat";
	if (isCreatec(bytes)) return "createc";
	if (isWsxm(bytes)) return "wsxm";
	if (isSm4(bytes)) return "sm4";
	if (isTiff(bytes)) return "tiff";
	if (indexOfText(bytes.subarray(0, 32), ":NANONIS_VERSION:") >= 0)
		return "sxm";
	if (isIbw(bytes)) return "ibw";
	return isGrid(bytes) ? "3ds" : undefined;
}

const letters = (text: string) => [...text].map((c) => c.charCodeAt(0));

/** The first bytes, as an error shows them. */
function opening(bytes: Uint8Array): string {
	const start = [...bytes.subarray(0, 8)];
	return start.every((byte) => byte >= 32 && byte < 127)
		? `a file that begins with ${JSON.stringify(String.fromCharCode(...start))}`
		: `a file that begins with the bytes ${start.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

function withOwnNames(channels: readonly Channel[]): Channel[] {
	const taken = new Map<string, number>();
	return channels.map((channel) => {
		const own = nameOf(channel.name);
		let name = own;
		let number = taken.get(name) ?? 1;
		while (taken.has(name)) name = `${own} (${++number})`;
		taken.set(own, number);
		taken.set(name, taken.get(name) ?? 1);
		return { ...channel, name, unit: nameOf(channel.unit) };
	});
}

/** An array (nx, ny), or (images, nx, ny): the format has no place for energies or sizes. */
function readNpy(bytes: Uint8Array, file: string): Measurement {
	const fail: Fail = failFor(file);
	let array: ReturnType<typeof decodeNpy>;
	try {
		array = decodeNpy(bytes, file);
	} catch (error) {
		throw new FormatError((error as Error).message);
	}
	const { shape, data } = array;
	if (shape.length < 2 || shape.length > 3 || shape.includes(0))
		fail(
			`an array of shape (${shape.join(", ")})`,
			"one image (nx, ny) or several (images, nx, ny)",
		);
	const [nx, ny] = shape.slice(-2);
	const count = shape.length === 3 ? shape[0] : 1;
	if (count > MAX_IMAGES)
		fail(
			`an array of shape (${shape.join(", ")})`,
			`at most ${MAX_IMAGES} images`,
		);
	let infinities = 0;
	const images = Array.from({ length: count }, (_, i) => {
		const part = data.subarray(i * nx * ny, (i + 1) * nx * ny);
		const image =
			part instanceof BigInt64Array || part instanceof BigUint64Array
				? Float32Array.from(part, Number)
				: new Float32Array(part);
		infinities += dropUnmeasured(image);
		return image;
	});
	return {
		format: "npy",
		nx,
		ny,
		channels: [{ name: "image", unit: "", images }],
		energies: [],
		details: [["shape", shape.join(" x ")]],
		warnings: [
			...(count > 1 ? [numbered(count)] : []),
			...unmeasuredWarning(infinities),
		],
	};
}
