/** From a scan as the microscope wrote it to the map that extraction works on, one visible step after the other. */
import { type LatticeCorrection, latticeSteps } from "./lattice/correction.ts";
import { MOST_ORDER, type Order } from "./scan/background.ts";
import { findClusters } from "./scan/clusters.ts";
import { lowPass } from "./scan/filter.ts";
import { levelled } from "./scan/level.ts";
import { withoutLines } from "./scan/lines.ts";
import { type Crop, checkCrop, mapOf } from "./scan/map.ts";
import { covered, type Shape } from "./scan/masks.ts";
import {
	findMissing,
	removeBadRows,
	removeSpikes,
	removeStreaks,
} from "./scan/repair.ts";
import { deviation, fill, type Scan, shown } from "./scan/scan.ts";
import { count, num, percent } from "./scan/told.ts";

export type { Order } from "./scan/background.ts";
export type { Crop } from "./scan/map.ts";
export type { Shape } from "./scan/masks.ts";
export type { Rectangle, Square } from "./scan/resample.ts";
export type { Scan } from "./scan/scan.ts";
export { type Square64, squareOf, toModel, toScan } from "./scan/square.ts";

export interface PreprocessOptions {
	/**
	 * "plane" takes away a tilt, "line" a tilt and then the offsets of the scan lines; "none" neither. "auto" (default) looks for evidence: a polynomial whose order
	 * stands out of the ripples, and offsets of more than 0.2 standard deviations that hold four times the signal's own power at qx = 0. Images of ripples alone have
	 * neither and stay untouched.
	 */
	readonly flatten?: "auto" | "none" | "plane" | "line";
	/** Order of the polynomial in x and y that is taken away, in place of what `flatten` says: 0 to 4, or by evidence. */
	readonly background?: Order | "auto";
	/** Step edges: masked, and the terraces between them brought to one level; on by default. */
	readonly stepEdges?: boolean;
	/** Streaks and bad rows; on by default. */
	readonly repair?: boolean;
	/** Robust sigmas beyond which a single pixel is an outlier; 8 by default, 0: off. */
	readonly clip?: number;
	/** Clusters, masked; on by default. */
	readonly clusters?: boolean;
	/** What else does not count. */
	readonly mask?: readonly Shape[];
	/** Keep what is slower than this, 1/Angstrom (q = 2 pi / wavelength); all by default. */
	readonly lowPass?: number;
	/** Distortion to take out by the atomic lattice, and its waves; nothing when not given. See `latticeCorrection`. */
	readonly correction?: LatticeCorrection;
	/** A square or rectangle, Angstrom, scan frame (the corrected one's, where there is a correction); all when not given. */
	readonly crop?: Crop;
	/** Angstrom: resample to pixels of this side. */
	readonly pixel?: number;
}

/** One step: what it found and did, in a line for people, and what came out; NaN where it does not count. */
export interface PreprocessStep {
	readonly name: string;
	readonly note: string;
	readonly scan: Scan;
}

export interface Preprocessed {
	/** The map that extraction works on: cropped to what was asked for, square pixels (spacing.x === spacing.y), flattened, finite everywhere (what does not count is filled in from its neighbours). */
	readonly scan: Scan;
	/** nx * ny of `scan`: 1 counts, 0 counts nowhere (not measured, masked), between: the share of the pixel's area. */
	readonly weights: Float32Array;
	/** Middle of `scan` in the frame of the whole scan (Angstrom, origin at the whole scan's centre). */
	readonly centre: { readonly x: number; readonly y: number };
	/** Order of the polynomial in x and y that was taken away as background; 0: none. */
	readonly order: number;
	/** The whole scan after repair and flattening, at its own resolution, uncropped, finite everywhere. */
	readonly whole: Scan;
	/** The same for each pixel of `whole`: 1 counts, 0 does not. */
	readonly counts: Float32Array;
	/** What was masked and why, and its share of the scan's pixels. */
	readonly masks: readonly { readonly name: string; readonly share: number }[];
	readonly steps: readonly PreprocessStep[];
	readonly warnings: readonly string[];
}

/**
 * Prepares a scan: missing rows and the given mask, step edges and background, line offsets, repair, clip, clusters, correction by the lattice, low-pass, crop, and where needed resampling, in this order.
 * @throws RangeError when the sizes do not fit, nothing was measured or is left, or an option is out of range (a rectangle that leaves the scan)
 */
export function preprocess(
	scan: Scan,
	options: PreprocessOptions = {},
): Preprocessed {
	const { flatten, repair = true, clip = 8, clusters = true } = options;
	check(scan, options);
	const { nx, ny, spacing } = scan;
	const steps: PreprocessStep[] = [];
	const masks: { name: string; share: number }[] = [];
	const warnings: string[] = [];
	let current = scan;
	let counts: Float32Array = new Float32Array(nx * ny).fill(1);
	/** What is filled in from its neighbours in the end. */
	const holes = new Float32Array(nx * ny).fill(1);
	const step = (name: string, note: string, result: Scan = current) => {
		current = result;
		steps.push({ name, note, scan: shown(current, counts) });
	};
	/** Masks the pixels with 0 in `valid`; returns the share of the scan that counted before. */
	const mask = (name: string, valid: ArrayLike<number>): number => {
		const left = counts.map((c, p) => (valid[p] > 0 ? c : 0));
		const gone = counts.reduce((sum, c, p) => sum + c - left[p], 0);
		if (gone > 0) masks.push({ name, share: gone / counts.length });
		counts = left;
		return gone / counts.length;
	};
	const hide = (name: string, area: ArrayLike<number>): number => {
		holes.forEach((_, p) => {
			if (area[p] > 0) holes[p] = 0;
		});
		return mask(name, holes);
	};
	step(
		"as measured",
		`${nx} x ${ny} pixels, ${num(nx * spacing.x)} x ${num(ny * spacing.y)} A`,
	);

	const missing = findMissing(scan);
	if (missing.rows === ny)
		throw new RangeError(
			`preprocess: nothing was measured: each of the ${ny} rows holds a single value or none`,
		);
	if (missing.rows + missing.pixels > 0) {
		hide(
			"not measured",
			missing.valid.map((v) => 1 - v),
		);
		const found = [
			missing.rows > 0 && `${missing.rows} of ${ny} rows are empty`,
			missing.pixels > 0 &&
				`${count(missing.pixels, missing.rows > 0 ? "more pixel" : "pixel")} without a value`,
		];
		const note = `${found.filter(Boolean).join(", and ")}: not measured, used nowhere`;
		step("missing", note, { ...current, image: fill(current, counts) });
		warnings.push(note);
	}
	if (options.mask?.length) {
		const share = hide("given mask", covered(scan, options.mask));
		step(
			"given mask",
			`${count(options.mask.length, "shape")}: ${percent(share)} of the scan`,
		);
	}
	if (!counts.includes(1))
		throw new RangeError("preprocess: nothing is left: all of it is masked");

	// Clusters are looked for on step edges too: what shows beside one may be narrow.
	const seen = counts;
	const level = levelled(current, counts, options);
	if (level.edges) hide("steps", level.edges);
	for (const { name, note, scan: result } of level.steps)
		step(name, note, result);
	if (flatten !== "none" && flatten !== "plane")
		step("lines", ...withoutLines(current, counts, flatten === "line"));

	if (repair) {
		const streaks = removeStreaks(current, counts);
		mask("streaks", streaks.valid);
		const rows = removeBadRows(streaks.scan, counts);
		mask("bad rows", rows.valid);
		const found = [
			streaks.count > 0 &&
				`${count(streaks.count, "streak")} in ${count(streaks.rows, "row")} put back by a median step of ${num(streaks.step)}`,
			rows.rows > 0 &&
				`${count(rows.rows, "bad row")} replaced by the neighbours`,
		].filter(Boolean);
		const note = found.join("; ") || "no streak or bad row found";
		step("repair", note, rows.scan);
	}
	if (clip > 0) {
		const spikes = removeSpikes(current, counts, clip);
		mask("spikes", spikes.valid);
		step(
			"clip",
			spikes.pixels > 0
				? `${count(spikes.pixels, "single pixel")} beyond ${clip} robust sigmas replaced by the neighbours' median`
				: `no single pixel beyond ${clip} robust sigmas`,
			spikes.scan,
		);
	}
	if (clusters) {
		const found = findClusters(current, seen);
		const share = hide("clusters", found.mask);
		step(
			"clusters",
			found.count > 0
				? `${count(found.count, "cluster")} up to ${num(found.height)} robust sigmas high masked with 20 A around: ${percent(share)} of the scan`
				: "no area beyond 8 robust sigmas that is too wide for a scatterer",
		);
		if (found.tooMuch)
			warnings.push(
				`wide areas beyond 8 robust sigmas and 20 A around them are ${percent(found.tooMuch)} of the scan: too much to mask as clusters, so none is; a mask says what is none of the pattern`,
			);
	}
	if (!counts.includes(1))
		throw new RangeError("preprocess: nothing is left: all of it is masked");
	if (holes.includes(0)) current = { ...current, image: fill(current, holes) };

	if (options.correction)
		for (const done of latticeSteps(current, counts, options.correction)) {
			counts = done.counts;
			step(done.name, done.note, done.scan);
		}
	if (options.lowPass !== undefined) {
		const nyquist = Math.PI / Math.max(spacing.x, spacing.y);
		const before = deviation(current.image);
		const smooth = lowPass(current, options.lowPass);
		const kept = before > 0 ? (deviation(smooth.image) / before) ** 2 : 1;
		step(
			"low-pass",
			`below ${num(options.lowPass)} 1/A (the scan's Nyquist is ${num(nyquist)}): ${percent(kept)} of the variance kept`,
			smooth,
		);
	}
	const rectangle = checkCrop(current, options.crop);
	const map = mapOf(current, counts, rectangle, options);
	for (const { name, note, scan: result, weights } of map.steps)
		steps.push({ name, note, scan: shown(result, weights) });
	return {
		scan: map.scan,
		weights: map.weights,
		centre: map.centre,
		order: level.order,
		whole: current,
		counts,
		masks,
		steps,
		warnings: [...warnings, ...map.warnings],
	};
}

function check(scan: Scan, options: PreprocessOptions) {
	const { image, nx, ny, spacing } = scan;
	if (!(nx >= 8 && ny >= 8) || image.length !== nx * ny)
		throw new RangeError(
			`preprocess: expected at least 8 x 8 pixels, got ${nx} x ${ny} with ${image.length} values`,
		);
	const { lowPass: cut, pixel, clip, background } = options;
	for (const [name, value] of Object.entries({
		"spacing.x": spacing.x,
		"spacing.y": spacing.y,
		...(cut === undefined ? {} : { lowPass: cut }),
		...(pixel === undefined ? {} : { pixel }),
	}))
		if (!(value > 0 && value < Number.POSITIVE_INFINITY))
			throw new RangeError(`preprocess: expected ${name} > 0, got ${value}`);
	if (clip !== undefined && !(clip >= 0))
		throw new RangeError(`preprocess: expected clip >= 0, got ${clip}`);
	const orders: unknown[] = [undefined, "auto", 0, 1, 2, 3, MOST_ORDER];
	if (!orders.includes(background))
		throw new RangeError(
			`preprocess: expected background "auto" or 0 to ${MOST_ORDER}, got ${background}`,
		);
	if (!options.correction) checkCrop(scan, options.crop);
}
