/** The pictures of an extraction: what was measured, what was made of it, the kernel, and whether it explains the image. */
import { clipLimit, diverging, sequential } from "../../drawing/colour.ts";
import {
	type Field,
	type Mark,
	type Panel,
	panelGrid,
} from "../../drawing/panels.ts";
import { type Picture, short } from "../../drawing/picture.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";

/** A square image of `size` x `size` pixels of `spacing` about a centre. */
export function squareField(
	values: ArrayLike<number>,
	spacing: number,
	centre: { readonly x: number; readonly y: number } = { x: 0, y: 0 },
): Field {
	const size = Math.sqrt(values.length);
	const reach = (size / 2) * spacing;
	return {
		values,
		nx: size,
		ny: size,
		x: [centre.x - reach, centre.x + reach],
		y: [centre.y - reach, centre.y + reach],
	};
}

/** An image of nx x ny square pixels about a centre. */
export function mapField(
	values: ArrayLike<number>,
	{
		nx,
		ny,
		spacing,
		centre: { x, y },
	}: {
		readonly nx: number;
		readonly ny: number;
		readonly spacing: number;
		readonly centre: { readonly x: number; readonly y: number };
	},
): Field {
	const [rx, ry] = [(nx / 2) * spacing, (ny / 2) * spacing];
	return { values, nx, ny, x: [x - rx, x + rx], y: [y - ry, y + ry] };
}

/** A scan about its own centre, in Angstrom; NaN where less than half of a pixel counts. */
export function scanField(
	scan: {
		readonly image: ArrayLike<number>;
		readonly nx: number;
		readonly ny: number;
		readonly spacing: { readonly x: number; readonly y: number };
	},
	counts?: ArrayLike<number>,
): Field {
	const x = (scan.nx / 2) * scan.spacing.x;
	const y = (scan.ny / 2) * scan.spacing.y;
	return {
		values: counts
			? Float32Array.from(scan.image, (v, p) =>
					counts[p] < 0.5 ? Number.NaN : v,
				)
			: scan.image,
		nx: scan.nx,
		ny: scan.ny,
		x: [-x, x],
		y: [-y, y],
	};
}

const axes = "Å" as const;

/** Quantiles of the measured values. */
function quantiles(values: ArrayLike<number>, ...parts: number[]): number[] {
	const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
	return parts.map(
		(part) => sorted[Math.round(part * (sorted.length - 1))] ?? 0,
	);
}

/** The median as the middle of the scale, 99 % of the values inside: a measured image has no zero of its own. */
export function aboutMedian(values: ArrayLike<number>): [number, number] {
	const [low, middle, high] = quantiles(values, 0.005, 0.5, 0.995);
	const reach = Math.max(high - middle, middle - low) || 1;
	return [middle - reach, middle + reach];
}

const about = (limit: number): [number, number] => [-limit, limit];

/** The measured image with its scatterers. */
export function measuredPicture(
	field: Field,
	marks: readonly Mark[],
	title: string,
	unit: string,
): Picture {
	const kept = marks.filter(({ keep }) => keep).length;
	const out = marks.length - kept;
	const kinds = new Set(marks.filter((m) => m.keep).map(({ kind }) => kind));
	const notes = [
		`${kept} scatterers (rings${kinds.size > 1 ? ", a colour a kind" : ""})${out ? `, ${out} left out (crosses)` : ""}`,
		"scale: 99 % of the values, about their median; grey: not used",
	];
	const range = aboutMedian(field.values);
	return panelGrid(
		[{ title, field, colours: diverging, range, unit, axes, marks, notes }],
		{ size: 460 },
	);
}

/** Each step of the preprocessing as it leaves the image. */
export function stepsPicture(
	steps: readonly {
		readonly name: string;
		readonly note: string;
		readonly field: Field;
	}[],
	unit: string,
): Picture {
	const panels = steps.map(({ name, note, field }, i): Panel => {
		const range = aboutMedian(field.values);
		const notes = wrap(note, 50);
		return {
			title: `${i + 1}. ${name}`,
			field,
			colours: diverging,
			range,
			unit,
			axes,
			notes,
		};
	});
	return panelGrid(panels, { columns: Math.min(4, panels.length), size: 220 });
}

/** The kernel, zero in the middle of its scale. */
export function kernelPicture(
	kernel: ArrayLike<number>,
	spacing: number,
	title: string,
	unit: string,
): Picture {
	const limit = clipLimit(kernel);
	const [low, high] = quantiles(kernel, 0, 1);
	const side = Math.sqrt(kernel.length);
	const notes = [
		`interpolated between ${side} x ${side} pixels of ${short(spacing, 3)} Å; colours end at the 99th percentile of |K|`,
		`the values reach from ${short(low, 3)} to ${short(high, 3)} ${unit}`,
	];
	const field = squareField(kernel, spacing);
	return panelGrid(
		[
			{
				title,
				field,
				colours: diverging,
				range: about(limit),
				unit,
				axes,
				notes,
				smooth: true,
			},
		],
		{ size: 460 },
	);
}

/** One standard deviation of each of the kernel's pixels. */
export function uncertaintyPicture(
	uncertainty: ArrayLike<number>,
	kernel: ArrayLike<number>,
	spacing: number,
	unit: string,
): Picture {
	const [high] = quantiles(uncertainty, 0.99);
	const sure = Array.from(kernel).filter(
		(v, i) => Math.abs(v) > 2 * uncertainty[i],
	).length;
	const notes = [
		`${Math.round((100 * sure) / kernel.length)} % of the kernel's pixels differ from zero by more than two standard deviations`,
	];
	return panelGrid(
		[
			{
				title: "Uncertainty: one standard deviation",
				field: squareField(uncertainty, spacing),
				colours: sequential,
				range: [0, high || 1],
				unit,
				axes,
				notes,
			},
		],
		{ size: 460 },
	);
}

/** Data, re-convolution and what is left, on one scale. Pixels that are not used are NaN in `data`. */
export function fitPicture(
	data: ArrayLike<number>,
	model: ArrayLike<number>,
	residual: ArrayLike<number>,
	place: Parameters<typeof mapField>[1],
	marks: readonly Mark[],
	unit: string,
): Picture {
	const [mean] = quantiles(data, 0.5);
	const centred = (values: ArrayLike<number>) =>
		Float32Array.from(values, (v) => v - mean);
	const limit = clipLimit(centred(data));
	const panel = (
		title: string,
		values: ArrayLike<number>,
		note: string,
	): Panel => ({
		title,
		field: mapField(values, place),
		colours: diverging,
		range: about(limit),
		unit,
		axes,
		marks: title === "Residual" ? marks : [],
		notes: [note],
		smooth: true,
	});
	return panelGrid(
		[
			panel("Data", centred(data), "less their median"),
			panel(
				"Re-convolution",
				centred(model),
				"the kernels put back at all scatterers",
			),
			panel(
				"Residual",
				Float32Array.from(residual, (v, p) =>
					Number.isNaN(data[p]) ? Number.NaN : v,
				),
				"data less re-convolution, on the same scale; grey: not used",
			),
		],
		{ size: 300 },
	);
}

/** A kernel's spectrum as spectrum() makes it. */
interface Magnitudes {
	readonly magnitude: ArrayLike<number>;
	readonly size: number;
	/** 1/Angstrom. */
	readonly step: number;
}

/** Decades below the largest value: what 32-bit numbers hold of a kernel. Zeros have no logarithm. */
const FAINT = 7;

/** log10 of |FFT| over its largest value, no less than -7, to the Nyquist wave vector: what lies beyond the kernel's own is not there. */
export function spectrumField(
	{ magnitude, size, step }: Magnitudes,
	nyquist: number,
): Field {
	const reach = Math.min(size / 2, Math.round(nyquist / step));
	const side = 2 * reach;
	const decades = new Float32Array(side * side);
	const most = maxOf(magnitude) || 1;
	for (let i = 0; i < side; i++)
		for (let j = 0; j < side; j++) {
			const from = (i + size / 2 - reach) * size + j + size / 2 - reach;
			decades[i * side + j] = Math.max(
				-FAINT,
				Math.log10(magnitude[from] / most),
			);
		}
	// Pixel i is centred on (i - reach) step.
	const edges: [number, number] = [(-reach - 0.5) * step, (reach - 0.5) * step];
	return { values: decades, nx: side, ny: side, x: edges, y: edges };
}

/** Decades below the largest value that are shown of a spectrum. */
export const DECADES: readonly [number, number] = [-2.5, 0];

/** |FFT| of the kernel on a logarithmic scale, with circles and marks at the wave vectors found. */
export function spectrumPicture(
	spectrum: Magnitudes,
	nyquist: number,
	circles: readonly number[],
	marks: readonly Mark[],
): Picture {
	const field = spectrumField(spectrum, nyquist);
	return panelGrid(
		[
			{
				title: "|FFT| of the kernel",
				field,
				colours: sequential,
				range: DECADES,
				unit: "log10",
				axes: "1/Å",
				circles,
				marks,
				notes: [
					"over its largest value; q = 2π / wavelength, to the Nyquist wave vector of the kernel's pixels",
				],
			},
		],
		{ size: 460 },
	);
}

/** Kernels of many images, each on its own scale. */
export function kernelsPicture(
	items: readonly {
		readonly label: string;
		readonly kernel: ArrayLike<number>;
		readonly notes?: readonly string[];
	}[],
	spacing: number,
	unit: string,
	columns = 5,
): Picture {
	const panels = items.map(
		({ label, kernel, notes }): Panel => ({
			title: label,
			field: squareField(kernel, spacing),
			colours: diverging,
			range: about(clipLimit(kernel)),
			unit,
			axes,
			smooth: true,
			notes,
		}),
	);
	return panelGrid(panels, {
		columns: Math.min(columns, panels.length),
		size: 150,
	});
}

/** Lines of at most about so many characters. */
function wrap(words: string, characters: number): string[] {
	const lines = [""];
	for (const word of words.split(/\s+/)) {
		const longer = `${lines.at(-1)} ${word}`.trim();
		if (longer.length <= characters || lines.at(-1) === "")
			lines[lines.length - 1] = longer;
		else lines.push(word);
	}
	return lines;
}
