/** What people type for the analyses of kernels: lists of directions, rings and point groups. Each throws RangeError with what was expected. */
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
