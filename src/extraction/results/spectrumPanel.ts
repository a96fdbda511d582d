/** |FFT| of a map or a kernel as it is drawn: scale, reach, and what was done before. */
import { sequential } from "../../drawing/colour.ts";
import type { Field, Panel } from "../../drawing/panels.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import type { Spectrum } from "../findings/spectrum.ts";
import { spectrumField } from "./drawPictures.ts";
import type { Taken } from "./take.ts";

/** Decades that are shown. */
export const DECADES = 2;
/** Below the values of which one in a thousand is brighter: scan lines and the long waves of a map are brighter than any ring. */
const BRIGHTEST = 0.999;
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
export function reachOf({
	shown,
	taken,
}: {
	readonly shown: {
		readonly spectrum: Pick<Spectrum, "magnitude" | "size" | "step">;
	};
	readonly taken: Pick<Taken, "pixel">;
}): number {
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

/** What was done to a kernel of `size` x `size` pixels before its transform. */
export const kernelNote = (
	size: number,
	spectrum: Pick<Spectrum, "size">,
): string =>
	`${size} x ${size} pixels, Hann window over the radius; zeros around to ${spectrum.size} x ${spectrum.size}`;
