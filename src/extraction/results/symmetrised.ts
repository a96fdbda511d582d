/** Symmetrised kernels beside the one as it was extracted, never in its place. */
import { encodeNpy } from "../../formats/npy.ts";
import {
	type PointGroup,
	type Symmetrised,
	symmetriseGroup,
} from "../findings/pointGroups.ts";
import { withAxes } from "./csv.ts";
import { kernelsPicture } from "./drawPictures.ts";
import type { Analysis } from "./items.ts";
import type { Supplement } from "./supplement.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

const said = ({ lost, noise }: Symmetrised) =>
	`leaves out ${percent(lost)} of the power${noise === null ? "" : `; errors alone: ${percent(noise)}`}`;

/** Of the kernel that is shown; mirrors lie along the axis that its symmetry's verdict found, else along x. */
export function symmetrisedSupplement(
	{ shown, taken }: Analysis,
	groups: readonly PointGroup[],
): Supplement {
	const { kernel, samples, symmetry, extraction } = shown;
	const axis = symmetry?.mirror?.axis ?? 0;
	const all = groups.map((group) =>
		symmetriseGroup(kernel, group, { axis, samples }),
	);
	const { size } = extraction;
	const places = Array.from(
		{ length: size },
		(_, i) => (i - (size - 1) / 2) * taken.pixel,
	);
	const where = (of: Symmetrised) =>
		of.axis === null
			? of.group
			: `${of.group}, mirror at ${((of.axis * 180) / Math.PI).toFixed(0)}°`;
	return {
		pictures: [
			[
				"symmetrised",
				"Symmetrised kernels",
				"Left: the kernel as it was extracted, on which all other numbers rest. Beside it the means over a point group's operations, and the share of the kernel's power that they leave out; where that is more than errors alone would lose, the kernel does not have the group's symmetry.",
				kernelsPicture(
					[
						{ label: "as extracted", kernel },
						...all.map((of) => ({
							label: where(of),
							kernel: of.kernel,
							notes: said(of).split("; "),
						})),
					],
					taken.pixel,
					taken.unit,
					4,
				),
			],
		],
		files: all.flatMap(({ group, kernel: mean }) => [
			[`symmetrised-${group}.npy`, encodeNpy(mean, [size, size])] as const,
			[
				`symmetrised-${group}.csv`,
				withAxes(mean, places, "x \\ y (Angstrom)"),
			] as const,
		]),
		result: {
			symmetrised: all.map(({ group, axis: of, lost, noise }) => ({
				...{ group, axis: of, lost, noise },
				file: `symmetrised-${group}.npy`,
			})),
		},
		findings: all.map((of) => `symmetrised by ${where(of)}: ${said(of)}`),
	};
}
