/**
 * From a scan as the microscope wrote it to the 64 x 64 pixels that extraction works on, one visible step after the other. This is the only place
 * that knows how the scan's frame (Angstrom, origin at the scan's centre) and the model's (a field of linspace(-200, 200, 64)) hang together.
 */

import { lowPass, powerBeyond } from "./filter.ts";
import {
	fitPlane,
	lineOffsets,
	removeOffsets,
	removePlane,
} from "./flatten.ts";
import {
	findMissing,
	removeBadRows,
	removeSpikes,
	removeStreaks,
} from "./repair.ts";
import { coverage, crop, resample, SIDE, type Square } from "./resample.ts";
import { fill, type Scan } from "./scan.ts";

export type { Scan } from "./scan.ts";

export interface PreprocessOptions {
	/**
	 * "plane" takes away a tilt, "line" a tilt and then the offsets of the scan lines. "auto" (default) looks for evidence: offsets of more than
	 * 0.2 standard deviations that hold four times the signal's own power at qx = 0, else a plane with a tenth of the variance, else nothing. Images of ripples
	 * alone have neither and stay untouched.
	 */
	readonly flatten?: "auto" | "none" | "plane" | "line";
	/** Streaks and bad rows; on by default. */
	readonly repair?: boolean;
	/** Centre and side of a square, Angstrom, scan frame; the largest square about the centre when not given. */
	readonly crop?: Square;
	/** Keep what is slower than this, 1/Angstrom (q = 2 pi / wavelength); all by default. */
	readonly lowPass?: number;
	/** Robust sigmas beyond which a single pixel is an outlier; 8 by default, 0: off. */
	readonly clip?: number;
}

/** One step: what it found and did, in a line for people, and what came out. */
export interface PreprocessStep {
	readonly name: string;
	readonly note: string;
	readonly scan: Scan;
}

export interface Prepared {
	/** 64 x 64, first index x, in the scan's units, finite throughout. */
	readonly image: Float32Array;
	/** 64 x 64: 1 measured, 0 not (filled from neighbours), between: the share of the pixel's area. */
	readonly valid: Float32Array;
	/** The same for each pixel of the scan, 1 or 0. */
	readonly measured: Float32Array;
	/** Angstrom a pixel of the 64 x 64. */
	readonly spacing: number;
	/** Of the 64 x 64 pixels, in the scan's frame; pixel i lies at centre + (i - 31.5) * spacing. */
	readonly centre: { readonly x: number; readonly y: number };
	readonly steps: readonly PreprocessStep[];
	readonly warnings: readonly string[];
	/** Share of the power, after low-pass and crop, that 64 pixels cannot carry and the resampling has cut off. */
	readonly aliased: number;
}

/** The model's pixel: linspace(-200, 200, 64) whatever the scan's size. */
const MODEL_SPACING = 400 / 63;
const OFFSETS = { rms: 0.2, excess: 4 };
const TILT = 0.1;
const ALIASED = 0.05;
const FEW_PIXELS = 32;

/**
 * Prepares a scan: missing rows, flattening, repair, clip, low-pass, crop, resampling, in this order.
 * @throws RangeError when the sizes do not fit, nothing was measured, or an option is out of range (a square that leaves the scan)
 */
export function preprocess(
	scan: Scan,
	options: PreprocessOptions = {},
): Prepared {
	const { flatten = "auto", repair = true, clip = 8 } = options;
	const square = check(scan, options);
	const steps: PreprocessStep[] = [];
	const warnings: string[] = [];
	const step = (name: string, note: string, result: Scan) => {
		steps.push({ name, note, scan: result });
		return result;
	};
	const { nx, ny, spacing } = scan;
	step(
		"as measured",
		`${nx} x ${ny} pixels, ${num(nx * spacing.x)} x ${num(ny * spacing.y)} A`,
		scan,
	);

	const missing = findMissing(scan);
	let { valid } = missing;
	if (missing.rows === ny)
		throw new RangeError(
			`preprocess: nothing was measured: each of the ${ny} rows holds a single value or none`,
		);
	let current = scan;
	if (missing.rows + missing.pixels > 0) {
		current = { ...scan, image: fill(scan, valid) };
		step(
			"missing",
			`${count(missing.rows, "empty row")} and ${count(missing.pixels, "more missing pixel")}, filled from their neighbours and marked as not measured`,
			current,
		);
		warnings.push(
			`${missing.rows} of ${ny} rows are empty${missing.pixels > 0 ? `, and ${count(missing.pixels, "more pixel")}` : ""}: filled from their neighbours, not measured`,
		);
	}

	if (flatten !== "none") {
		const [note, flat] = flattened(current, valid, flatten);
		current = step("flatten", note, flat);
	}

	if (repair) {
		const streaks = removeStreaks(current, valid);
		const rows = removeBadRows(streaks.scan, valid);
		valid = rows.valid;
		const found = [
			streaks.count > 0 &&
				`${count(streaks.count, "streak")} in ${count(streaks.rows, "row")} put back by a median step of ${num(streaks.step)}`,
			rows.rows > 0 &&
				`${count(rows.rows, "bad row")} replaced by the neighbours`,
		].filter(Boolean);
		current = step(
			"repair",
			found.join("; ") || "no streak or bad row found",
			rows.scan,
		);
	}

	if (clip > 0) {
		const spikes = removeSpikes(current, valid, clip);
		valid = spikes.valid;
		current = step(
			"clip",
			spikes.pixels > 0
				? `${count(spikes.pixels, "single pixel")} beyond ${clip} robust sigmas replaced by the neighbours' median`
				: `no single pixel beyond ${clip} robust sigmas`,
			spikes.scan,
		);
	}

	if (options.lowPass !== undefined) {
		const nyquist = Math.PI / Math.max(spacing.x, spacing.y);
		const before = deviation(current.image);
		const smooth = lowPass(current, options.lowPass);
		const kept = before > 0 ? (deviation(smooth.image) / before) ** 2 : 1;
		current = step(
			"low-pass",
			`below ${num(options.lowPass)} 1/A (the scan's Nyquist is ${num(nyquist)}): ${percent(kept)} of the variance kept`,
			smooth,
		);
	}

	const cut = crop(current, square);
	if (options.crop || nx !== cut.nx || ny !== cut.ny)
		step(
			"crop",
			`a square of ${num(square.size)} A at (${num(square.x)}, ${num(square.y)}): ${cut.nx} x ${cut.ny} pixels`,
			cut,
		);
	if (!options.crop && Math.abs(nx * spacing.x - ny * spacing.y) > spacing.x)
		warnings.push(
			`the scan is not square (${num(nx * spacing.x)} x ${num(ny * spacing.y)} A): only the central ${num(square.size)} A are used; crop to choose another part`,
		);
	if (Math.min(cut.nx, cut.ny) < FEW_PIXELS)
		warnings.push(
			`the square holds only ${cut.nx} x ${cut.ny} pixels of the scan: the 64 x 64 are interpolated, and the kernel has no finer detail than that`,
		);

	const pixel = square.size / SIDE;
	const nyquist = Math.PI / pixel;
	const beyond = powerBeyond(cut);
	const aliased = beyond(nyquist * (1 + 1e-9));
	if (aliased > ALIASED)
		warnings.push(
			`${percent(aliased)} of the power lies beyond what 64 pixels over ${num(square.size)} A can carry (${num(nyquist)} 1/A) and is cut off: crop to at most ${num((SIDE * Math.PI) / reach(beyond, nyquist, Math.PI / Math.min(spacing.x, spacing.y)))} A to keep it, or low-pass below ${num(nyquist / 1.15)} 1/A if it is the lattice or noise`,
		);
	const image = resample(current, square);
	step(
		"resample",
		`64 x 64 pixels of ${num(pixel)} A; ${aliased < 1e-4 ? "less than 0.01 %" : percent(aliased)} of the power was beyond ${num(nyquist)} 1/A`,
		{ image, nx: SIDE, ny: SIDE, spacing: { x: pixel, y: pixel } },
	);
	return {
		image,
		valid: coverage(scan, valid, square),
		measured: valid,
		spacing: pixel,
		centre: { x: square.x, y: square.y },
		steps,
		warnings,
		aliased,
	};
}

/** A place in the scan's frame (Angstrom) in the model's. */
export function toModel(
	{ x, y }: { readonly x: number; readonly y: number },
	{ centre, spacing }: Pick<Prepared, "centre" | "spacing">,
): { x: number; y: number } {
	const scale = MODEL_SPACING / spacing;
	return { x: (x - centre.x) * scale, y: (y - centre.y) * scale };
}

/** A place in the model's frame in the scan's (Angstrom): the inverse of `toModel`. */
export function toScan(
	{ x, y }: { readonly x: number; readonly y: number },
	{ centre, spacing }: Pick<Prepared, "centre" | "spacing">,
): { x: number; y: number } {
	const scale = spacing / MODEL_SPACING;
	return { x: centre.x + x * scale, y: centre.y + y * scale };
}

function check(
	{ image, nx, ny, spacing }: Scan,
	options: PreprocessOptions,
): Square {
	if (!(nx >= 8 && ny >= 8) || image.length !== nx * ny)
		throw new RangeError(
			`preprocess: expected at least 8 x 8 pixels, got ${nx} x ${ny} with ${image.length} values`,
		);
	const positive = { "spacing.x": spacing.x, "spacing.y": spacing.y };
	for (const [name, value] of Object.entries({
		...positive,
		...(options.lowPass === undefined ? {} : { lowPass: options.lowPass }),
		...(options.crop ? { "crop.size": options.crop.size } : {}),
	}))
		if (!(value > 0 && value < Number.POSITIVE_INFINITY))
			throw new RangeError(`preprocess: expected ${name} > 0, got ${value}`);
	if (options.clip !== undefined && !(options.clip >= 0))
		throw new RangeError(`preprocess: expected clip >= 0, got ${options.clip}`);
	const [width, height] = [nx * spacing.x, ny * spacing.y];
	if (!options.crop) return { x: 0, y: 0, size: Math.min(width, height) };
	const { x, y, size } = options.crop;
	const over = Math.max(
		Math.abs(x) + size / 2 - width / 2,
		Math.abs(y) + size / 2 - height / 2,
	);
	// Rounding of numbers typed by hand must not matter.
	if (!(over <= 1e-6 * width))
		throw new RangeError(
			`preprocess: the crop of ${num(size)} A at (${num(x)}, ${num(y)}) leaves the scan, which reaches from ${num(-width / 2)} to ${num(width / 2)} A along x and from ${num(-height / 2)} to ${num(height / 2)} A along y`,
		);
	return options.crop;
}

function flattened(
	scan: Scan,
	valid: Float32Array,
	how: "auto" | "plane" | "line",
): [note: string, scan: Scan] {
	const plane = fitPlane(scan, valid);
	const level = removePlane(scan, plane);
	const tilt = `tilt of ${num(plane.x)} and ${num(plane.y)} per A along x and y (${percent(plane.share)} of the variance)`;
	const { offsets, excess } = lineOffsets(level, valid);
	const rms = Math.hypot(...offsets) / Math.sqrt(offsets.length);
	const relative = rms / (deviation(level.image) || 1);
	const lines = `line offsets of ${num(rms)} (${num(relative)} standard deviations, ${num(excess)} times what the signal accounts for)`;
	const offset = relative > OFFSETS.rms && excess > OFFSETS.excess;
	if (how === "line" || (how === "auto" && offset))
		return [`${tilt} and ${lines} removed`, removeOffsets(level, offsets)];
	if (how === "plane" || plane.share > TILT)
		return [`${tilt} removed${how === "auto" ? `; ${lines} left` : ""}`, level];
	return [`${tilt} and ${lines} are too small to remove`, scan];
}

/** The q beyond which less than ALIASED of the power lies, by bisection between the two given. */
function reach(
	beyond: (q: number) => number,
	low: number,
	high: number,
): number {
	for (let round = 0; round < 12; round++) {
		const middle = (low + high) / 2;
		if (beyond(middle) > ALIASED) low = middle;
		else high = middle;
	}
	return high;
}

function deviation(image: Float32Array): number {
	const n = image.length;
	let [sum, squares] = [0, 0];
	const shift = image[0]; // against cancellation: heights lie far from zero
	for (const v of image) {
		sum += v - shift;
		squares += (v - shift) ** 2;
	}
	return Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
}

const num = (value: number) => String(Number(value.toPrecision(3)));
const percent = (share: number) => `${num(100 * share)} %`;
const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
