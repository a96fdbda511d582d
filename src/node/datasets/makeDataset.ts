/** Writes a generated dataset: kernel files in the published format, and the manifest beside them. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
	DatasetError,
	FIELD,
	kernelFileName,
	kernelNumber,
	MAX_SCATTERERS,
	makeAxis,
} from "../../qpi/dataset/format.ts";
import {
	MANIFEST,
	MANIFEST_FORMAT,
	type Manifest,
	type ManifestKernel,
} from "../../qpi/dataset/manifest.ts";
import { makeSplit } from "../../qpi/dataset/split.ts";
import { writeKernelFile } from "../../qpi/dataset/writeCsv.ts";
import {
	GENERATOR,
	makeKernel,
	type ObservationSetOptions,
	planKernels,
} from "../../qpi/generator/generator.ts";
import { makeFolder, writeFileAtomic } from "../files/files.ts";
import { isIn, markOf, type Shard } from "../files/shard.ts";
import { loadManifest } from "./dataset.ts";

/** What to make, and where. */
export interface MakeOptions extends ObservationSetOptions {
	out: string;
	kernels: number;
	/** From the first pixel to the last, Angstrom; 400 by default. All lengths of the patterns and between scatterers are scaled with it: pixels stay pixels. */
	field?: number;
	/** The most scatterers of an image, 20 by default. */
	maxScatterers?: number;
	/** Only these of the kernels. */
	shard?: Shard;
	/** Remove the kernel files, manifest and cache that `out` holds. */
	force?: boolean;
	/** Told after each kernel, and once at the start with those that an earlier run left. */
	onKernel?: (done: number, total: number, family: string) => void;
}

/**
 * Makes a dataset in `out`, or goes on with it where an earlier call with the same options was interrupted: whole kernels are kept.
 * Each file is written atomically, and the manifest after each kernel. Throws DatasetError if `out` holds anything else (unless `force`),
 * and RangeError on counts that the generator refuses.
 */
export async function makeDataset(options: MakeOptions): Promise<Manifest> {
	const { out, kernels, shard, force, onKernel, ...rest } = options;
	const { seed, ...made } = { scattering: "linear", augment: false, ...rest };
	const { field = FIELD, maxScatterers: max, ...plain } = rest;
	const set = {
		...plain,
		placement: { ...rest.placement, ...(max !== undefined && { max }) },
	};
	const inField = (r: number) => (r * field) / FIELD;
	const all = planKernels(kernels, seed);
	const specs = all.filter((_, i) => isIn(shard, i));
	const manifest: Manifest = {
		format: MANIFEST_FORMAT,
		generator: GENERATOR,
		seed,
		options: made,
		count: kernels,
		...markOf(shard, kernels),
		split: makeSplit(all, { seed }),
		kernels: [],
	};
	await makeFolder(out);
	if (force) await clear(out);
	else manifest.kernels = await finished(out, manifest);
	const left = new Map(manifest.kernels.map((k) => [k.number, k]));

	onKernel?.(left.size, specs.length, "");
	for (const spec of specs) {
		const kept = left.get(spec.number);
		if (kept && JSON.stringify(kept.spec) === JSON.stringify(spec)) continue;
		const { kernel, observations } = makeKernel(spec, set);
		const file = kernelFileName(spec.number);
		const path = join(out, file);
		const data = {
			kernel,
			axis: makeAxis(field),
			images: observations.map((o) => o.image),
			scatterers: observations.map((o) =>
				o.scatterers.map(({ x, y }) => ({ x: inField(x), y: inField(y) })),
			),
		};
		const text = writeKernelFile(data, path, max ?? MAX_SCATTERERS);
		await writeFileAtomic(path, text);
		left.set(spec.number, {
			number: spec.number,
			file,
			bytes: (await stat(path)).size,
			family: spec.family,
			symmetry: spec.symmetry,
			energy: spec.energy,
			observations: observations.length,
			noise: observations.map((o) => o.noise),
			spec,
		});
		manifest.kernels = [...left.values()].sort((a, b) => a.number - b.number);
		await writeFileAtomic(join(out, MANIFEST), JSON.stringify(manifest));
		onKernel?.(left.size, specs.length, spec.family);
	}
	return manifest;
}

/** The kernels that an interrupted run with the same options left whole in `out`. Throws DatasetError if something else is there. */
async function finished(
	out: string,
	wanted: Manifest,
): Promise<ManifestKernel[]> {
	const found = await loadManifest(out);
	if (!found) {
		// A run that was stopped before its first kernel leaves a piece that no one reads.
		const names = (await readdir(out)).filter((name) => !leftover(name));
		if (names.length === 0) return [];
		throw new DatasetError(
			out,
			`${names.length} other files (${names[0]} ...)`,
			"an empty folder; --force replaces the kernel files in it",
		);
	}
	const differs = (
		["generator", "seed", "options", "count", "shard"] as const
	).find((key) => JSON.stringify(found[key]) !== JSON.stringify(wanted[key]));
	if (differs)
		throw new DatasetError(
			out,
			`a dataset made with ${differs} ${JSON.stringify(found[differs])}`,
			`${JSON.stringify(wanted[differs])}, to go on with it, or an empty folder; --force replaces it`,
		);
	const whole: ManifestKernel[] = [];
	for (const kernel of found.kernels) {
		const there = await stat(join(out, kernel.file)).catch(() => undefined);
		if (there?.size === kernel.bytes) whole.push(kernel);
	}
	for (const name of await readdir(out))
		if (leftover(name)) await rm(join(out, name));
	return whole;
}

const leftover = (name: string) =>
	/^(Kernel number\d+\.csv|manifest\.json)\..*\.tmp$/.test(name);

/** Removes what a dataset consists of, and nothing else. */
async function clear(out: string): Promise<void> {
	for (const name of await readdir(out))
		if (
			kernelNumber(name) ||
			leftover(name) ||
			name === MANIFEST ||
			name === ".qpi-cache"
		)
			await rm(join(out, name), { recursive: true });
}
