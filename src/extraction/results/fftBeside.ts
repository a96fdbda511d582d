/** |FFT| of the measured map beside that of the kernel, on the same axes. */
import { type Panel, panelGrid } from "../../drawing/panels.ts";
import { type MapSpectrum, mapSpectrum } from "../findings/mapSpectrum.ts";
import type { Spectrum } from "../findings/spectrum.ts";
import { csv } from "./csv.ts";
import type { Item } from "./item.ts";
import type { Analysis } from "./items.ts";
import { kernelNote, reachOf, spectrumPanel } from "./spectrumPanel.ts";
import type { Supplement } from "./supplement.ts";

/** The map's |FFT| beside the kernel's. @param more panels to their right */
export function fftBeside(
	analysis: Analysis,
	more: readonly Panel[] = [],
): Supplement {
	const { shown, taken } = analysis;
	const { spectrum, peak } = shown;
	const { of, table } = transformOf(shown, taken.pixel);
	const note = kernelNote(shown.extraction.size, spectrum);
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
			note.split("; "),
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
		files: [["map-spectrum.csv", table]],
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
				note,
			},
		},
		findings: [],
	};
}

/** Of items whose analysis is asked for again: a large map's takes seconds. */
const known = new WeakMap<Item, { of: MapSpectrum; table: string }>();

function transformOf(item: Item, spacing: number) {
	let found = known.get(item);
	if (!found) {
		const of = mapSpectrum({ ...item.task, spacing });
		found = { of, table: spectrumTable(of) };
		known.set(item, found);
	}
	return found;
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
