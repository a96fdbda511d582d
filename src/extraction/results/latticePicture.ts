/** What the correction by the lattice did, as a picture: spectra before and after, and how far places moved. */
import { sequential } from "../../drawing/colour.ts";
import {
	type Field,
	type Mark,
	type Panel,
	panelGrid,
} from "../../drawing/panels.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import type { LatticeCorrection } from "../lattice/correction.ts";
import { length, type Vector } from "../lattice/lattice.ts";
import { atPixels } from "../lattice/nodes.ts";
import { vectorsWithin } from "../lattice/notch.ts";
import { powerOf } from "../lattice/power.ts";
import type { Preprocessed } from "../preprocess.ts";
import type { Scan } from "../scan/scan.ts";
import { num } from "../scan/told.ts";
import type { Drawn } from "./drawn.ts";
import { scanField } from "./drawPictures.ts";

/** Rings, or crosses (keep = false), at q and -q. */
const both = (vectors: readonly Vector[], keep: boolean): Mark[] =>
	vectors.flatMap(({ x, y }) => [
		{ x, y, keep },
		{ x: -x, y: -y, keep },
	]);

/** Reciprocal lattice vectors that pixels of this side show, as marks on a spectrum; none without a lattice. */
export const braggMarks = (
	correction: LatticeCorrection | undefined,
	pixel: number,
): Mark[] =>
	correction
		? both(
				vectorsWithin(correction.distortion.peaks, { x: pixel, y: pixel }, 2),
				false,
			)
		: [];

/** log10 |FFT| of a scan, zero in the middle. */
function spectrumOf(scan: Scan): Field {
	const counts = scan.image.map((v) => (Number.isFinite(v) ? 1 : 0));
	const { power, wx, wy } = powerOf(scan, counts);
	const most = maxOf(power) || 1;
	const values = new Float32Array(wx * wy);
	const [hx, hy] = [Math.floor(wx / 2), Math.floor(wy / 2)];
	for (let i = 0; i < wx; i++)
		for (let j = 0; j < wy; j++)
			values[i * wy + j] =
				Math.log10(
					Math.max(
						1e-30,
						power[((i + wx - hx) % wx) * wy + ((j + wy - hy) % wy)] / most,
					),
				) / 2;
	const [sx, sy] = [
		(2 * Math.PI) / (wx * scan.spacing.x),
		(2 * Math.PI) / (wy * scan.spacing.y),
	];
	return {
		...{ values, nx: wx, ny: wy },
		x: [(-hx - 0.5) * sx, (wx - hx - 0.5) * sx],
		y: [(-hy - 0.5) * sy, (wy - hy - 0.5) * sy],
	};
}

export function latticeFigure(
	{ distortion, reference, warp, notch }: LatticeCorrection,
	{ steps }: Preprocessed,
): Drawn {
	const at = steps.findIndex(({ name }) => name === "lattice");
	const last = steps[at + (notch ? 1 : 0)].scan;
	const before = steps[at - 1].scan;
	const panel = (
		title: string,
		scan: Scan,
		vectors: readonly Vector[],
	): Panel => ({
		...{ title, field: spectrumOf(scan), colours: sequential },
		...{
			range: [-3, 0],
			unit: "log10",
			axes: "1/Å",
			marks: both(vectors, true),
		},
		notes: [`rings: ${vectors.map((q) => `${num(length(q))} 1/Å`).join(", ")}`],
	});
	const panels = [
		panel("|FFT| as scanned", before, distortion.measured),
		panel("|FFT| as extracted from", last, distortion.peaks),
	];
	const { field } = distortion;
	if (field) {
		const [x, y] = [field.x, field.y].map((f) =>
			atPixels(f, field.nodes, before),
		);
		const far = {
			...before,
			image: Float32Array.from(x, (v, p) => Math.hypot(v, y[p])),
		};
		panels.push({
			title: "How far places moved",
			field: scanField(far),
			...{ colours: sequential, range: [0, maxOf(far.image) || 1] },
			...{ unit: "Å", axes: "Å" },
			notes: [
				`${num(distortion.rms)} Å (root mean square), ${num(distortion.most)} Å at most`,
			],
		});
	}
	return [
		"lattice",
		"The atomic lattice",
		`Bragg peaks by ${reference ?? "the image"}, before and after.${warp ? " All places in these results are those of the corrected scan, but for scatterers.csv, which has the scan's own." : " Nothing was moved."}${distortion.dislocations ? ` At ${distortion.dislocations} places its phases do not close: dislocations, or a tip that slipped; the correction is not to be trusted there.` : ""}`,
		panelGrid(panels, { size: 300 }),
	];
}
