/** The readers that are fuzzed: whole files to damage, how each is read, and what must hold of the outcome. */

import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { readScatterers } from "../../src/extraction/marks/scatterers.ts";
import { preprocess } from "../../src/extraction/preprocess.ts";
import { readMasks } from "../../src/extraction/scan/masks.ts";
import { FormatError } from "../../src/formats/measurement.ts";
import { encodeNpy } from "../../src/formats/npy.ts";
import {
	openMeasurement,
	readMeasurement,
} from "../../src/formats/readMeasurement.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
} from "../../src/formats/safetensors.ts";
import { parseKernelFile } from "../../src/qpi/dataset/csv.ts";
import { DatasetError } from "../../src/qpi/dataset/format.ts";
import { readManifest } from "../../src/qpi/dataset/manifest.ts";
import type { Random } from "../../src/random.ts";
import { visible } from "../../src/text.ts";
import { gridFile, pngFile, sxmFile } from "../../test/formatFixtures.ts";
import {
	datasetText,
	manifestText,
	safetensorsFile,
} from "../../test/fuzzFixtures.ts";
import {
	createcFile,
	gsfFile,
	gwyBrick,
	gwyFile,
	ibwFile,
	sm4File,
	wsxmFile,
} from "../../test/spmFixtures.ts";
import { mutatedJson } from "./mutate.ts";
import { weightReaders } from "./weightReaders.ts";

export interface Reader {
	readonly seeds: readonly Uint8Array[];
	/** Reads; returns what is wrong with what was read, or nothing. Throws what the reader throws. */
	read(
		bytes: Uint8Array,
		file: string,
	): string | undefined | Promise<string | undefined>;
	/** What it may throw. */
	readonly errors: readonly (new (
		...args: never[]
	) => Error)[];
	/** Damage of the format's own, half of the time. */
	damage?(bytes: Uint8Array, random: Random): Uint8Array | Promise<Uint8Array>;
}

const utf8 = new TextEncoder();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const finite = (values: ArrayLike<number>) =>
	Array.prototype.every.call(values, Number.isFinite);

/** What a measurement's reader may give; undefined if this is. */
async function faultOfMeasurement(
	bytes: Uint8Array,
	file: string,
): Promise<string | undefined> {
	const m = await openMeasurement(bytes, file);
	const images = m.channels.flatMap((channel) => channel.images);
	const shown = [
		...m.channels.flatMap(({ name, unit }) => [name, unit]),
		...m.details.flat(),
		...m.warnings,
	];
	const memory = [...new Set(images.map((image) => image.buffer))].reduce(
		(sum, buffer) => sum + buffer.byteLength,
		0,
	);
	if (images.some((image) => image.length !== m.nx * m.ny))
		return "sizes that do not fit";
	if (images.some((image) => image.some((v) => Math.abs(v) >= 1e18)))
		return "a pixel that is not finite";
	if (
		m.spacing &&
		!(m.spacing.x > 0 && m.spacing.y > 0 && finite([m.spacing.x, m.spacing.y]))
	)
		return "pixels without a size";
	if (!finite(m.energies)) return "energies that are no numbers";
	if (shown.some((line) => visible(line) !== line || line.length > 2500))
		return "control characters, or a line without end";
	return memory > Math.max(4 * bytes.length, 2 ** 26 + 2 ** 20)
		? `${memory} bytes`
		: undefined;
}

const measurement = (...seeds: Uint8Array[]): Reader => ({
	seeds,
	read: faultOfMeasurement,
	errors: [FormatError],
});

/** A scan as extraction gets it: finite everywhere. */
function faultOfPrepared(bytes: Uint8Array, file: string): string | undefined {
	const { channels, spacing, nx, ny } = readMeasurement(bytes, file);
	if (!spacing || nx * ny > 2000) return undefined;
	for (const { images } of channels) {
		const { scan, weights } = preprocess({ image: images[0], nx, ny, spacing });
		if (!finite(scan.image) || !finite(weights))
			return "a pixel that is not finite, handed to extraction";
	}
	return undefined;
}

/** Puts right the checksums of a picture's chunks, so that more than the checksum is tested. */
function checked(bytes: Uint8Array): Uint8Array {
	const copy = bytes.slice();
	const view = new DataView(copy.buffer);
	for (let at = 8; at + 12 <= copy.length; ) {
		const end = at + 8 + view.getUint32(at);
		if (end + 4 > copy.length) break;
		view.setUint32(end, crc32(copy.subarray(at + 4, end)));
		at = end + 4;
	}
	return copy;
}

/** A small file that another program wrote. */
const golden = (name: string): Uint8Array =>
	Uint8Array.from(
		readFileSync(
			new URL(`../../test/goldens/formats/${name}`, import.meta.url),
		),
	);

const tensors = encodeSafetensors(
	new Map([
		["w", { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }],
		[
			"h",
			{ shape: [3], data: new Float32Array([1, 2, 3]), dtype: "F16" as const },
		],
	]),
	{ note: "text" },
);

export const READERS: Readonly<Record<string, Reader>> = {
	sxm: measurement(
		sxmFile(),
		sxmFile(undefined, { up: true, little: true, type: "FLOAT LSBFIRST" }),
	),
	"3ds": measurement(
		gridFile(),
		gridFile(undefined, {
			keys: {
				Filetype: '"MLS"',
				"Bias Spectroscopy>MLS>Segment Start (V), Segment End (V), Steps (xn)":
					'"-0.1,0,3;0,0.1,3"',
			},
		}),
	),
	npy: measurement(
		encodeNpy(
			Float32Array.from({ length: 24 }, (_, i) => i),
			[2, 3, 4],
		),
		encodeNpy(
			Float64Array.from({ length: 12 }, (_, i) => i),
			[3, 4],
		),
	),
	csv: measurement(
		utf8.encode("# x\n1,2.5,-3e2\n4,,6\n7,8,9\n"),
		utf8.encode("1,5;2\n3;nan\n"),
	),
	png: {
		...measurement(
			pngFile((x, y) => [x + y]),
			pngFile((x) => [x % 4], {
				colour: 3,
				depth: 2,
				palette: [
					[1, 2, 3],
					[4, 5, 6, 0],
					[7, 8, 9],
					[1, 1, 1],
				],
			}),
			pngFile((x, y) => [x, y, 3, 65535], { colour: 6, depth: 16 }),
		),
		damage: checked,
	},
	npz: measurement(golden("stored.npz"), golden("deflated.npz")),
	mat: measurement(golden("plain.mat"), golden("packed.mat")),
	gwy: measurement(gwyFile(), gwyBrick(true)),
	gsf: measurement(gsfFile()),
	ibw: measurement(ibwFile(), ibwFile({ shape: [5, 4], big: true, type: 16 })),
	createc: measurement(createcFile(), createcFile({ finished: 3 })),
	wsxm: measurement(wsxmFile(), wsxmFile({ type: "double" })),
	sm4: measurement(sm4File()),
	tif: measurement(
		...["plain16", "lzw16", "deflate32", "packbits8", "predictor"].map((name) =>
			golden(`${name}.tif`),
		),
	),
	h5: measurement(...["nexus.h5", "arrays.h5", "matlab73.mat"].map(golden)),
	prepared: {
		seeds: [
			sxmFile((ix, iy) => 1e-12 * Math.sin(ix + iy * iy), { nx: 16, ny: 16 }),
		],
		read: faultOfPrepared,
		errors: [FormatError, RangeError],
	},
	dataset: {
		seeds: [utf8.encode(datasetText())],
		errors: [DatasetError],
		read(bytes, file) {
			const { kernel, images, scatterers, axis } = parseKernelFile(bytes, file);
			const numbers = [
				kernel,
				axis,
				...images,
				scatterers.flat().flatMap(({ x, y }) => [x, y]),
			];
			return numbers.every(finite) ? undefined : "a number that is not finite";
		},
	},
	marks: {
		seeds: [
			"# c\nx,y,weight,quality,keep,kind\n1,2,1,0.5,1,1\n-3.5,4,2,1,0,2\n",
			"x (nm);y (nm)\n1,5;2\n",
			"1,2\n3,4\n",
		].map((s) => utf8.encode(s)),
		errors: [FormatError],
		read: (bytes, file) =>
			readScatterers(text(bytes), file).every(
				({ x, y, weight, kind, quality }) =>
					finite([x, y, weight, kind, quality]),
			)
				? undefined
				: "a number that is not finite",
	},
	masks: {
		seeds: [
			"shape,x\nrectangle,1,2,3,4\npolygon,0,0,1,0,1,1\n",
			"polygon;0;0;1,5;0;1;1\n",
			"brush,2,0,0,1,0\neraser,1,0,0\n",
		].map((s) => utf8.encode(s)),
		errors: [FormatError],
		read: (bytes, file) =>
			readMasks(text(bytes), file).every((shape) =>
				finite(
					shape.kind === "rectangle"
						? [shape.x, shape.y, shape.width, shape.height]
						: shape.points.flatMap(({ x, y }) => [x, y]),
				),
			)
				? undefined
				: "a number that is not finite",
	},
	safetensors: {
		seeds: [tensors],
		errors: [Error],
		read(bytes, file) {
			for (const { shape, data } of decodeSafetensors(
				bytes,
				file,
			).tensors.values())
				if (shape.reduce((a, b) => a * b, 1) !== data.length)
					return "sizes that do not fit";
			return undefined;
		},
		damage(_, random) {
			const length =
				8 + Number(new DataView(tensors.buffer).getBigUint64(0, true));
			const header = mutatedJson(text(tensors.subarray(8, length)), random);
			return safetensorsFile(header, tensors.subarray(length));
		},
	},
	manifest: {
		seeds: [utf8.encode(manifestText)],
		errors: [DatasetError],
		read: (bytes, file) =>
			readManifest(text(bytes), file).kernels.every(({ number }) => number >= 1)
				? undefined
				: "a kernel without a number",
		damage: (_, random) => utf8.encode(mutatedJson(manifestText, random)),
	},
	...weightReaders,
};
