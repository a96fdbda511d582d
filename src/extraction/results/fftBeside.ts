/** |FFT| of the measured map beside that of the kernel, on the same axes. */
import { sequential } from "../../drawing/colour.ts";
import { type Field, type Panel, panelGrid } from "../../drawing/panels.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import { mapSpectrum } from "../findings/mapSpectrum.ts";
import type { Spectrum } from "../findings/spectrum.ts";
import { spectrumField } from "./drawPictures.ts";
import { csv } from "./files.ts";
import type { Analysis } from "./items.ts";
import type { Supplement } from "./supplement.ts";

/** Decades that are shown, below the values of which one in a thousand is brighter: scan lines and the long waves of a map are brighter than any ring. */
const [DECADES, BRIGHTEST] = [2, 0.999];
/** Of the kernel's greatest |F|: what pictures show all of; and the room about it. */
const [SEEN, ROOM] = [0.1, 1.4];

/** One |FFT| as a panel, to `reach` (1/A). */
export function spectrumPanel(
	title: string,
	spectrum: Pick<Spectrum, "magnitude" | "size" | "step">,
	reach: number,
	notes: readonly string[],
	circles: readonly number[] = [],
): Panel {
	const whole = spectrumField(spectrum, reach);
	const top = quantile(whole, BRIGHTEST);
	const values = Float32Array.from(whole.values, (v) => v - top);
	return {
		...{ title, field: { ...whole, values }, notes, circles },
		colours: sequential,
		range: [-DECADES, 0],
		unit: "log10",
		axes: "1/Å",
	};
}

const quantile = ({ values }: Field, part: number): number =>
	Float64Array.from(values).sort()[Math.floor(part * (values.length - 1))];

/** How far (1/A) pictures of spectra reach: a little beyond where the kernel's |F| is a tenth of its greatest, at most to the Nyquist wave vector. */
export function reachOf({ shown, taken }: Analysis): number {
	const { magnitude, size, step } = shown.spectrum;
	const bright = SEEN * maxOf(magnitude);
	let far = 0;
	magnitude.forEach((v, p) => {
		if (v < bright) return;
		const [i, j] = [Math.floor(p / size), p % size];
		far = Math.max(far, Math.abs(i - size / 2), Math.abs(j - size / 2));
	});
	return Math.min(Math.PI / taken.pixel, ROOM * far * step);
}

/** What was done to the kernel before its transform. */
export const kernelNote = ({ shown }: Analysis): string =>
	`${shown.extraction.size} x ${shown.extraction.size} pixels, Hann window over the radius; zeros around to ${shown.spectrum.size} x ${shown.spectrum.size}`;

/** The map's |FFT| beside the kernel's. @param more panels to their right */
export function fftBeside(
	analysis: Analysis,
	more: readonly Panel[] = [],
): Supplement {
	const { shown, taken } = analysis;
	const { task, spectrum, peak } = shown;
	const of = mapSpectrum({ ...task, spacing: taken.pixel });
	const circles = peak ? [peak.q] : [];
	const reach = reachOf(analysis);
	const panels = [
		spectrumPanel(
			"|FFT| of the measured map",
			of,
			reach,
			of.note.split("; "),
			circles,
		),
		spectrumPanel(
			"|FFT| of the kernel",
			spectrum,
			reach,
			kernelNote(analysis).split("; "),
			circles,
		),
		...more,
	];
	return {
		pictures: [
			[
				"map-spectrum",
				"The map's |FFT| beside the kernel's",
				`Both on the same axes, q = 2π / wavelength${reach < Math.PI / taken.pixel ? ", as far as the kernel has something; the tables reach to the Nyquist wave vector" : ", to the Nyquist wave vector of the pixels"}. In the map's all scatterers' phases are mixed, which makes it speckled; in the kernel's they are not. Each on a logarithmic scale of two decades${peak ? "; the circle is q*" : ""}.`,
				panelGrid(panels, { columns: 2, size: 300 }),
			],
		],
		files: [["map-spectrum.csv", spectrumTable(of)]],
		result: {
			mapSpectrum: {
				file: "map-spectrum.csv",
				window: "Hann along each axis",
				size: of.size,
				step: of.step,
				note: of.note,
			},
			kernelSpectrum: {
				window: "radial Hann",
				size: spectrum.size,
				step: spectrum.step,
				note: kernelNote(analysis),
			},
		},
		findings: [],
	};
}

/** |FFT| as a table. Half of it, qx of 0 and above: the other half is the same. */
export function spectrumTable({
	magnitude,
	size,
	step,
}: Pick<Spectrum, "magnitude" | "size" | "step">): string {
	const half = size / 2;
	const q = Array.from({ length: size }, (_, j) => (j - half) * step);
	return csv([
		["qx \\ qy (1/Angstrom)", ...q],
		...q
			.slice(half)
			.map((x, i) => [
				x,
				...Array.from(
					magnitude.subarray((i + half) * size, (i + half + 1) * size),
					(v) => Number(v.toPrecision(4)),
				),
			]),
	]);
}
