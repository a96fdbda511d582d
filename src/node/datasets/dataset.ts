/** Folders of kernel files: found, checked, and kept in a binary cache (`.qpi-cache`), from which single kernels are read when they are wanted. */
import { createReadStream } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { KernelParser } from "../../qpi/dataset/csv.ts";
import {
	DatasetError,
	FIELD,
	type KernelFile,
	kernelNumber,
} from "../../qpi/dataset/format.ts";
import {
	MANIFEST,
	type Manifest,
	readManifest,
} from "../../qpi/dataset/manifest.ts";
import {
	makeSplit,
	publishedFamily,
	publishedSymmetry,
	restrictSplit,
	type Split,
	type Symmetry,
} from "../../qpi/dataset/split.ts";
import { KernelCache, stampOf } from "../files/cache.ts";

/** What is known of a kernel without reading its images. */
export interface DatasetKernel {
	readonly number: number;
	/** The file's full path. */
	readonly file: string;
	/** The n-fold class: our manifest's, else the published label of the set of 400 A; undefined for a number beyond those, and of other fields. */
	readonly symmetry: Symmetry | undefined;
	readonly family: string;
	/** In eV, where our manifest says. */
	readonly energy: number | undefined;
	/** How many images `load` gives. */
	readonly observations: number;
	/** Noise level of each image, where our manifest says. */
	readonly noise: readonly number[] | undefined;
}

/** An opened folder. All of its files were read and found good once; only what `load` returns is in memory. */
export interface Dataset {
	/** The folder with the CSV files. */
	readonly folder: string;
	/** Ascending by number. */
	readonly kernels: readonly DatasetKernel[];
	readonly manifest: Manifest | undefined;
	/** Files left out by `skipBad`, with what is wrong with each. */
	readonly bad: readonly DatasetError[];
	/** Odd things that are no errors, e.g. a kernel with fewer images than the others. */
	readonly warnings: readonly string[];
	/** Reads one kernel and its images (16 KB each, only the first `maxObservations`). Throws DatasetError if its file was damaged meanwhile. */
	load(number: number): Promise<KernelFile>;
}

/** How to open a folder. */
export interface DatasetOptions {
	/** Leave out files that are wrong instead of throwing. */
	skipBad?: boolean;
	/** Told while text is parsed, in bytes of all files; files that the cache holds count at once. */
	onProgress?: (done: number, total: number, file: string) => void;
	/** Keep only so many images of each kernel. */
	maxObservations?: number;
	/** The folder of the binary cache, by default `.qpi-cache` beside the CSV files; false: no cache. */
	cacheDir?: string | false;
}

/**
 * Opens a dataset: `dir` itself or its one subfolder that holds files `Kernel numberN ... .csv`.
 * Each file is read once and then comes from the cache, until its size or time changes. Where the cache cannot be written, `load` reads the text.
 * Throws DatasetError on the first bad file (not with `skipBad`), on a folder without kernels, and on a number that comes twice.
 */
export async function openDataset(
	dir: string,
	options: DatasetOptions = {},
): Promise<Dataset> {
	const { maxObservations = Number.POSITIVE_INFINITY } = options;
	if (!(maxObservations >= 1))
		throw new RangeError(
			`maxObservations is ${maxObservations}, expected 1 or more`,
		);
	const { folder, files } = await findKernelFiles(dir);
	const manifest = await loadManifest(folder);
	const cacheDir = options.cacheDir ?? join(folder, ".qpi-cache");
	const cache = new KernelCache(cacheDir || undefined);
	const rebuild = async (file: string, onBytes?: (bytes: number) => void) => {
		const source = await stampOf(file);
		const data = await readKernelFile(file, onBytes);
		await cache.write(file, data, source);
		return data;
	};
	const bad: DatasetError[] = [];
	const warnings: string[] = [];
	const kernels: DatasetKernel[] = [];
	const entries = new Map(manifest?.kernels.map((k) => [k.number, k]));
	const fail = (error: unknown) => {
		if (!(error instanceof DatasetError) || !options.skipBad) throw error;
		bad.push(error);
	};

	for (const [number, entry] of entries)
		if (!files.has(number))
			fail(
				new DatasetError(
					join(folder, entry.file),
					"no such file",
					`kernel ${number}, which ${MANIFEST} lists`,
				),
			);
	if (manifest && manifest.kernels.length < manifest.count)
		fail(
			new DatasetError(
				join(folder, MANIFEST),
				`${manifest.kernels.length} kernels`,
				`${manifest.count}: ${manifest.shard ? `this is part ${manifest.shard.index}/${manifest.shard.of}, and merge puts parts together` : "making them was interrupted, and the same command goes on with it"}`,
			),
		);

	const [someFile] = files.values();
	const labelled = await isUsualField(someFile);
	const sizes = new Map<number, number>();
	for (const [number, file] of files)
		sizes.set(number, (await stat(file)).size);
	const total = [...sizes.values()].reduce((a, b) => a + b, 0);
	let before = 0;
	for (const [number, file] of files) {
		const entry = entries.get(number);
		const size = sizes.get(number) ?? 0;
		try {
			if (manifest && !entry)
				throw new DatasetError(
					file,
					`a kernel ${number} that ${MANIFEST} does not list`,
					"only kernels made with the others",
				);
			if (entry && entry.bytes !== size)
				throw new DatasetError(
					file,
					`${size} bytes`,
					`${entry.bytes}, as ${MANIFEST} says: the file is cut or edited`,
				);
			let about = await cache.peek(file);
			if (!about) {
				const data = await rebuild(file, (bytes) =>
					options.onProgress?.(before + bytes, total, file),
				);
				about = { observations: data.images.length, warning: data.warning };
			}
			if (entry && entry.observations !== about.observations)
				throw new DatasetError(
					file,
					`${about.observations} images`,
					`${entry.observations}, as ${MANIFEST} says`,
				);
			if (about.warning) warnings.push(`${file}: ${about.warning}`);
			const observations = Math.min(about.observations, maxObservations);
			kernels.push({
				number,
				file,
				symmetry:
					entry?.symmetry ?? (labelled ? publishedSymmetry(number) : undefined),
				family: entry?.family ?? publishedFamily(number, labelled),
				energy: entry?.energy,
				observations,
				noise: entry?.noise.slice(0, observations),
			});
		} catch (error) {
			fail(error);
		}
		before += size;
		options.onProgress?.(before, total, file);
	}
	if (kernels.length === 0)
		throw new DatasetError(folder, "no good file", "at least one kernel");
	const most = kernels.reduce((n, k) => Math.max(n, k.observations), 0);
	for (const { file, observations } of kernels)
		if (observations < most)
			warnings.push(
				`${file}: ${observations} images, where others have ${most}: is it cut?`,
			);
	if (cache.fault)
		warnings.push(`no cache, so the text is read again: ${cache.fault}`);

	const byNumber = new Map(kernels.map((k) => [k.number, k]));
	return {
		folder,
		kernels,
		manifest,
		bad,
		warnings,
		async load(number) {
			const kernel = byNumber.get(number);
			if (!kernel)
				throw new DatasetError(
					folder,
					`no kernel ${number}`,
					`one of ${kernels.length} others`,
				);
			const data =
				(await cache.read(kernel.file, kernel.observations)) ??
				(await rebuild(kernel.file));
			if (data.images.length < kernel.observations)
				throw new DatasetError(
					kernel.file,
					`${data.images.length} images`,
					`${kernel.observations}, as when it was opened`,
				);
			data.images.length = kernel.observations;
			data.scatterers.length = kernel.observations;
			return data;
		},
	};
}

/** The split that the dataset's manifest holds, or one drawn from `seed`; kernels that were left out as bad are left out of it. */
export function datasetSplit(dataset: Dataset, seed: number): Split {
	return restrictSplit(
		dataset.manifest?.split ?? makeSplit(dataset.kernels, { seed }),
		dataset.kernels.map((k) => k.number),
	);
}

/** The kernel files of `dir` or of its one subfolder that has any, by ascending number. Throws DatasetError. */
export async function findKernelFiles(
	dir: string,
): Promise<{ folder: string; files: Map<number, string> }> {
	const items = await readdir(dir, { withFileTypes: true }).catch((error) => {
		throw new DatasetError(
			dir,
			error.code === "ENOENT" ? "no such folder" : error.message,
			"a folder of kernel files",
		);
	});
	const found: [string, string[]][] = [];
	const look = (folder: string, names: readonly string[]) => {
		const kernels = names.filter((name) => kernelNumber(name) !== undefined);
		if (kernels.length > 0) found.push([folder, kernels]);
	};
	look(
		dir,
		items.map((item) => item.name),
	);
	if (found.length === 0)
		for (const item of items.filter((i) => i.isDirectory()))
			look(
				join(dir, item.name),
				await readdir(join(dir, item.name)).catch(() => []),
			);
	if (found.length !== 1)
		throw new DatasetError(
			dir,
			found.length === 0
				? "no kernel files"
				: `kernel files in ${found.map(([f]) => f).join(" and ")}`,
			'files "Kernel number1.csv", "Kernel number2.csv", ... in it or in one subfolder',
		);
	const [folder, names] = found[0];
	const files = new Map<number, string>();
	const number = (name: string) => kernelNumber(name) as number;
	for (const name of names.toSorted((a, b) => number(a) - number(b))) {
		const other = files.get(number(name));
		if (other)
			throw new DatasetError(
				folder,
				`"${name}" beside "${other.slice(folder.length + 1)}"`,
				`one file with kernel number ${number(name)}`,
			);
		files.set(number(name), join(folder, name));
	}
	return { folder, files };
}

/** The manifest in `folder`, or undefined where there is none. Throws DatasetError on a damaged one. */
export async function loadManifest(
	folder: string,
): Promise<Manifest | undefined> {
	const path = join(folder, MANIFEST);
	const text = await readFile(path, "utf8").catch((error) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	return text === undefined ? undefined : readManifest(text, path);
}

/** Whether the file's axis begins like that of 400 A. Also true where it is no axis at all; then the parser throws. */
async function isUsualField(file: string): Promise<boolean> {
	const handle = await open(file, "r");
	try {
		const head = new Uint8Array(1 << 16); // row 1 may be padded to as many fields as the others have
		const { bytesRead } = await handle.read(head, 0, head.length, 0);
		const [, axis = ""] = new TextDecoder("latin1")
			.decode(head.subarray(0, bytesRead))
			.split("\n", 2);
		return !(Math.abs(Number.parseFloat(axis) + FIELD / 2) > 1);
	} finally {
		await handle.close();
	}
}

/** Streams one file through the parser. Throws DatasetError. */
export async function readKernelFile(
	file: string,
	onBytes?: (bytes: number) => void,
): Promise<KernelFile> {
	const parser = new KernelParser(file);
	let bytes = 0;
	for await (const chunk of createReadStream(file, {
		highWaterMark: 1 << 20,
	})) {
		parser.push(chunk);
		bytes += chunk.length;
		onBytes?.(bytes);
	}
	return parser.end();
}
