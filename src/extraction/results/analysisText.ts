/** What people type for a search, and for the analyses of kernels: windows, and lists of directions, rings and point groups. Each throws RangeError with what was expected. */
import type { SeedWindow } from "../blind/windows.ts";
import { POINT_GROUPS, type PointGroup } from "../findings/pointGroups.ts";

/** So many directions or rings at most: each is a panel. */
const MOST = 12;

const numbers = (
	text: string,
	what: string,
	fits: (v: number) => boolean,
): number[] => {
	const list = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	if (list.length > MOST || !list.every((v) => Number.isFinite(v) && fits(v)))
		throw new RangeError(`Expected 1 to ${MOST} ${what}, with commas between.`);
	return list;
};

/** "0,45": degrees from the x axis. */
export const cutsOf = (text: string): number[] =>
	numbers(text, "angles in degrees", (v) => Math.abs(v) <= 360);

/** "0.12,0.2": 1/Angstrom. */
export const ringsOf = (text: string): number[] =>
	numbers(text, "wave vectors above zero", (v) => v > 0);

/** "4,4mm" */
export const groupsOf = (text: string): PointGroup[] =>
	text.split(",").map((part) => {
		const group = POINT_GROUPS.find((name) => name === part.trim());
		if (!group)
			throw new RangeError(
				`Expected some of ${POINT_GROUPS.join(", ")}, with commas between.`,
			);
		return group;
	});

/** "20,-35,40": Angstrom from the image's centre. */
export function seedWindowOf(text: string): SeedWindow {
	const numbers = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	const [x, y, size] = numbers;
	if (numbers.length !== 3 || !numbers.every(Number.isFinite) || !(size > 0))
		throw new RangeError(
			"Expected the centre and the side of a square in Angstrom from the image's centre: x,y,size.",
		);
	return { x, y, size };
}
