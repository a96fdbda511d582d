/**
 * HDF5 files: NeXus (images and stacks are groups NXdata, whose axes have names and units), MATLAB 7.3 (.mat; HDF5 behind 512 bytes, sizes reversed), and
 * any other that holds arrays.
 */
import type { Dataset, Group } from "h5wasm";
import { measurementOfArrays, type NamedArray } from "./arrays.ts";
import { causeOf, type Hdf5, loadHdf5, withFile } from "./h5wasm.ts";
import { checkHeaps } from "./hdf5Heaps.ts";
import { mostUnpacked } from "./inflate.ts";
import type { Measurement } from "./measurement.ts";
import { worthShowing } from "./metadata.ts";
import { measurementOfData, type NexusData, plainUnit } from "./nexus.ts";
import {
	decodeText,
	type Fail,
	FormatError,
	failFor,
	size,
} from "./reading.ts";

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const MAX_OBJECTS = 20_000;
const MAX_DEPTH = 16;
const MAX_AXES = 3;

/** The signature may stand behind a block of the user's, at 512 bytes or a doubling of that. */
export function isHdf5(bytes: Uint8Array): boolean {
	for (let at = 0; at < Math.min(bytes.length, 2 ** 16); at = at ? 2 * at : 512)
		if (SIGNATURE.every((byte, i) => bytes[at + i] === byte)) return true;
	return false;
}

/** Throws FormatError, also where the optional package h5wasm is not installed. */
export async function readHdf5(
	bytes: Uint8Array,
	file: string,
): Promise<Measurement> {
	const fail: Fail = failFor(file);
	checkHeaps(bytes, fail);
	const library = await loadHdf5(`${file}: an HDF5 file`);
	return withFile(library, bytes, (name) => {
		try {
			const opened = new library.File(name, "r");
			try {
				return measurementOf(library, opened, bytes, fail);
			} finally {
				opened.close();
			}
		} catch (error) {
			if (error instanceof FormatError) throw error;
			return fail(
				`an HDF5 file that does not open (${causeOf(error)})`,
				"a sound one: cut short?",
			);
		}
	});
}

interface Found {
	readonly datasets: Map<string, Dataset>;
	readonly nexus: Map<string, Group>;
	readonly texts: [string, string][];
	/** Links followed. */
	seen: number;
}

function measurementOf(
	library: Hdf5,
	opened: Group,
	bytes: Uint8Array,
	fail: Fail,
): Measurement {
	const matlab = decodeText(bytes.subarray(0, 19)) === "MATLAB 7.3 MAT-file";
	const found: Found = {
		datasets: new Map(),
		nexus: new Map(),
		texts: [],
		seen: 0,
	};
	walk(library, opened, "", found, fail);
	const details = worthShowing(found.texts);
	// Compressed numbers may unpack to very many.
	let room = mostUnpacked(bytes.length);
	const read = (dataset: Dataset): ArrayLike<number | bigint> => {
		const { total_size, size: each } = dataset.metadata;
		room -= total_size * each;
		if (room < 0)
			fail(
				`arrays of more than ${size(mostUnpacked(bytes.length))} in ${size(bytes.length)}`,
				"no more than that",
			);
		return dataset.value as unknown as ArrayLike<number>;
	};
	const data = matlab ? [] : nexusData(found, read);
	const energy = energyOf(found);
	if (data.length > 0)
		return measurementOfData(data, { fail, details, energy });
	const arrays = [...found.datasets].flatMap(
		([name, dataset]): NamedArray[] => {
			const shape = dataset.shape ?? [];
			if (shape.length === 0 || shape.length > MAX_AXES || shape.includes(0))
				return [];
			return [
				{
					name: matlab ? name.replaceAll("/", ".") : name,
					unit: plainUnit(attribute(dataset, "units")),
					shape: matlab ? shape.toReversed() : shape,
					fortran: matlab,
					data: read(dataset),
				},
			];
		},
	);
	return measurementOfArrays(arrays, {
		...{ format: matlab ? "mat" : "hdf5", fail },
		...(matlab && { stacked: "xye" as const }),
		details,
	});
}

function walk(
	library: Hdf5,
	group: Group,
	path: string,
	found: Found,
	fail: Fail,
	depth = 0,
): void {
	if (depth > MAX_DEPTH)
		fail("groups in groups in groups", `${MAX_DEPTH} deep`);
	for (const key of group.keys()) {
		// MATLAB's own: what cells and objects refer to.
		if (/^#/.test(key)) continue;
		const name = path ? `${path}/${key}` : key;
		if (++found.seen > MAX_OBJECTS)
			fail("very many objects", `at most ${MAX_OBJECTS}`);
		const entity = group.get(key);
		if (entity instanceof library.Group) {
			if (attribute(entity, "NX_class") === "NXdata")
				found.nexus.set(name, entity);
			walk(library, entity, name, found, fail, depth + 1);
		} else if (entity instanceof library.Dataset)
			takeDataset(name, entity, found);
	}
}

/** Numbers are kept for later; what is one text or one number is said. */
function takeDataset(name: string, dataset: Dataset, found: Found): void {
	const { dtype, shape, metadata } = dataset;
	const label = name.split("/").slice(-2).join(" ");
	if (typeof dtype !== "string") return;
	const one = metadata.total_size === 1;
	if (attribute(dataset, "MATLAB_class") === "char") {
		if (metadata.total_size <= 1000)
			found.texts.push([
				label,
				String.fromCharCode(...(dataset.value as Uint16Array)),
			]);
	} else if (/^S/.test(dtype)) {
		if (one && metadata.size <= 2 ** 12)
			found.texts.push([label, String(dataset.json_value)]);
	} else if (one && (shape?.length ?? 0) <= 2) {
		const value = dataset.value;
		const number = ArrayBuffer.isView(value)
			? Number((value as Float64Array)[0])
			: Number(value);
		const unit = plainUnit(attribute(dataset, "units"));
		found.texts.push([label, `${number} ${unit}`.trim()]);
	} else if (/^[<>|=]?[bBhHiIlLqQfd]$/.test(dtype))
		found.datasets.set(name, dataset);
}

function attribute(of: Dataset | Group, name: string): string {
	const value = of.attrs[name]?.value;
	return typeof value === "string" ? value : "";
}

/** V: the one number that is called bias or bias voltage. */
function energyOf({ texts }: Found): number | undefined {
	const said = texts.find(
		([label, text]) =>
			/\bbias([ _]voltage)?( value)?$/i.test(label) && /V$/.test(text),
	);
	const value = said ? Number.parseFloat(said[1]) : NaN;
	return Number.isFinite(value) ? value : undefined;
}

function nexusData(
	{ datasets, nexus }: Found,
	read: (dataset: Dataset) => ArrayLike<number | bigint>,
): NexusData[] {
	return [...nexus].flatMap(([path, group]): NexusData[] => {
		const signal = attribute(group, "signal") || "data";
		const dataset = datasets.get(`${path}/${signal}`);
		const shape = dataset?.shape ?? [];
		if (!dataset || shape.length < 2 || shape.length > 3 || shape.includes(0))
			return [];
		const names = group.attrs.axes?.value;
		const axes = shape.map((_, i) => {
			const name = Array.isArray(names) ? String(names[i] ?? "") : "";
			const axis = datasets.get(`${path}/${name}`);
			return {
				name,
				unit: axis ? plainUnit(attribute(axis, "units")) : "",
				values: axis?.shape?.length === 1 ? read(axis) : undefined,
			};
		});
		const own = path.split("/").at(-1) ?? "";
		return [
			{
				name: /^(data|entry)\d*$/i.test(own) ? signal : own,
				unit: plainUnit(attribute(dataset, "units")),
				shape,
				axes,
				data: read(dataset),
			},
		];
	});
}
