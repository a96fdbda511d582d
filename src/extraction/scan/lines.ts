/** The offsets of scan lines. Rows, the scan lines, are lines of constant y. */
import { deviation, median, robustSigma, type Scan, spread } from "./scan.ts";
import { num } from "./told.ts";

interface LineOffsets {
	/** To be subtracted from each row, mean 0. */
	readonly offsets: Float64Array;
	/** Power that is constant along x over what the signal accounts for: 0.3 to 5 on ripples without offsets. */
	readonly excess: number;
}

/** Cosines along x that say what the signal alone holds at qx = 0. */
const NEIGHBOURS = [1, 2, 3, 4, 5, 6];

/**
 * Offsets of the rows, shrunk by what the signal itself puts there.
 *
 * A row's mean holds its offset and the ripples that happen to add up along it: to subtract it, or the running sum of median differences, eats the signal on
 * the line qx = 0 (correlation with the clean image down to 0.93 on our kernels). Offsets live at qx = 0 alone; the signal is as strong at the next few qx. So
 * with c(kx, ky) the cosine transform of the image, the offsets are those of c(0, ky) times Wiener's gain max(0, 1 - S / P), where P and S are the means of
 * |c(0, ky)|^2 and of |c(1...6, ky)|^2 over ky within a quarter of itself, without the highest quarter of the values: a Bragg peak is not an offset, and a
 * coefficient counts as three standard deviations at most. Nothing is assumed of the offsets' spectrum.
 * Values beyond three robust sigmas of their row's median count as three, so that defects and streaks do not make offsets.
 */
function lineOffsets(
	{ image, nx, ny }: Scan,
	valid: ArrayLike<number>,
): LineOffsets {
	const medians = new Float64Array(ny);
	const rest = new Float64Array(nx * ny);
	for (let iy = 0; iy < ny; iy++) {
		const row = Float64Array.from({ length: nx }, (_, ix) =>
			valid[ix * ny + iy] > 0 ? image[ix * ny + iy] : Number.NaN,
		);
		medians[iy] = median(row);
		for (let ix = 0; ix < nx; ix++) rest[ix * ny + iy] = row[ix] - medians[iy];
	}
	const cut = 3 * robustSigma(rest);
	// rows[k][iy]: the mean along the row, then its cosine coefficients
	const rows = [0, ...NEIGHBOURS].map(() =>
		new Float64Array(ny).fill(Number.NaN),
	);
	for (let iy = 0; iy < ny; iy++) {
		if (Number.isNaN(medians[iy])) continue;
		for (const [j, k] of [0, ...NEIGHBOURS].entries()) {
			let [sum, count] = [0, 0];
			for (let ix = 0; ix < nx; ix++) {
				const r = rest[ix * ny + iy];
				if (Number.isNaN(r)) continue;
				sum +=
					Math.max(-cut, Math.min(cut, r)) *
					Math.cos((Math.PI * k * (ix + 0.5)) / nx);
				count++;
			}
			rows[j][iy] = (sum / count) * (k === 0 ? 1 : Math.SQRT2);
		}
		rows[0][iy] += medians[iy];
	}
	const [lines, ...others] = rows.map((row) => cosineTransform(bridge(row)));
	const power = smoothPower([lines]);
	const signal = smoothPower(others);
	let [above, below] = [0, 0];
	const wanted = lines.map((c, f) => {
		if (f === 0) return 0;
		above += power[f];
		below += signal[f];
		const gain = Math.max(0, 1 - signal[f] / power[f]);
		// The few lowest are drift, however strong.
		const most = f < 4 ? Number.POSITIVE_INFINITY : 3 * Math.sqrt(power[f]);
		return gain * Math.max(-most, Math.min(most, c)) || 0;
	});
	return {
		offsets: inverseCosineTransform(wanted),
		excess: below > 0 ? above / below : 0,
	};
}

/** Mean power of some spectra around each frequency but zero, without the highest quarter. */
function smoothPower(spectra: readonly Float64Array[]): Float64Array {
	return spectra[0].map((_, f) => {
		if (f === 0) return 0;
		const reach = Math.max(2, Math.floor(f / 4));
		const near = spectra.flatMap((s) =>
			Array.from(s.slice(Math.max(1, f - reach), f + reach + 1), (c) => c * c),
		);
		const kept = near
			.sort((a, b) => a - b)
			.slice(0, Math.ceil(0.75 * near.length));
		return kept.reduce((sum, v) => sum + v, 0) / kept.length;
	});
}

/** Offsets worth removing: standard deviations, and power over what the signal accounts for. */
const EVIDENT = { rms: 0.2, excess: 4 };
/** Beyond so many robust sigmas are clusters, not the signal. */
const FAR = 8;

/** The scan less its rows' offsets, where they are `wanted` or evident, and a line for people. */
export function withoutLines(
	scan: Scan,
	valid: Float32Array,
	wanted: boolean,
): [note: string, scan: Scan] {
	const { offsets, excess } = lineOffsets(scan, valid);
	const rms = Math.hypot(...offsets) / Math.sqrt(offsets.length);
	const relative = rms / (clippedDeviation(scan.image, valid) || 1);
	const note = `offsets of ${num(rms)} (${num(relative)} standard deviations, ${num(excess)} times what the signal accounts for)`;
	if (!wanted && !(relative > EVIDENT.rms && excess > EVIDENT.excess))
		return [`${note} are too small to remove`, scan];
	const image = scan.image.map((v, p) => v - offsets[p % scan.ny]);
	return [`${note} removed`, { ...scan, image }];
}

/** Standard deviation of what counts, values far off taken as less far. */
function clippedDeviation(image: Float32Array, valid: Float32Array): number {
	const counted = image.filter((_, p) => valid[p] > 0);
	const [middle, most] = [median(counted), FAR * spread(counted)];
	if (!(most > 0)) return deviation(counted);
	return deviation(
		counted.map((v) => Math.max(-most, Math.min(most, v - middle))),
	);
}

/** Linear interpolation across values that are NaN; the ends go on as they are. */
function bridge(values: Float64Array): Float64Array {
	const known = [...values.keys()].filter((i) => !Number.isNaN(values[i]));
	let next = 0;
	return values.map((value, i) => {
		if (!Number.isNaN(value)) return value;
		while (next < known.length && known[next] < i) next++;
		const [a, b] = [
			known[next - 1] ?? known[next],
			known[next] ?? known[next - 1],
		];
		const t = a === b ? 0 : (i - a) / (b - a);
		return values[a] * (1 - t) + values[b] * t;
	});
}

/** Orthonormal type II, by its definition: a few lines of a few hundred values. */
function cosineTransform(values: Float64Array): Float64Array {
	const n = values.length;
	const cos = cosines(n);
	return values.map((_, f) => {
		let sum = 0;
		for (let i = 0; i < n; i++)
			sum += values[i] * cos[((2 * i + 1) * f) % (4 * n)];
		return sum * Math.sqrt((f === 0 ? 1 : 2) / n);
	});
}

function inverseCosineTransform(spectrum: Float64Array): Float64Array {
	const n = spectrum.length;
	const cos = cosines(n);
	return spectrum.map((_, i) => {
		let sum = 0;
		for (let f = 0; f < n; f++)
			sum +=
				spectrum[f] *
				Math.sqrt((f === 0 ? 1 : 2) / n) *
				cos[((2 * i + 1) * f) % (4 * n)];
		return sum;
	});
}

/** cos(pi k / 2n) for k < 4n */
const cosines = (n: number) =>
	Float64Array.from({ length: 4 * n }, (_, k) =>
		Math.cos((Math.PI * k) / (2 * n)),
	);
