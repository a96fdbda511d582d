/** Wave vectors in units of the reciprocal lattice, wherever results have them in 1/Angstrom. */

import type { Profile } from "../findings/profile.ts";
import type { Peak } from "../findings/spectrum.ts";
import {
	inReciprocal,
	type LatticeCorrection,
	unitOf,
} from "../lattice/correction.ts";
import { length, type Vector } from "../lattice/lattice.ts";
import { vectorsWithin } from "../lattice/notch.ts";

/** A profile along one direction and its opposite. */
export interface Sector {
	/** Radians from the x axis. */
	readonly direction: number;
	readonly profile: Profile;
	readonly peak: Peak | null;
	/** Why there is no peak that holds; empty where there is one. */
	readonly missing: readonly string[];
}

/** Of a kernel: its q*, and along the mirror axes. */
interface Waves {
	readonly peak: Peak | null;
	readonly sectors: readonly Sector[];
}

type Correction = LatticeCorrection | undefined;

/** A further column of a table: its head, or a value of it; none without a lattice. */
export function inUnits(
	correction: Correction,
	value: string | number,
): (string | number)[] {
	if (!correction) return [];
	if (typeof value === "number") return [value / unitOf(correction)];
	return [value && `${value} (|b1|)`];
}

/** What result.json adds to a kernel's q. */
export function reciprocalEntry(
	{ peak, sectors }: Waves,
	correction: Correction,
): Record<string, unknown> {
	if (!correction) return {};
	const unit = unitOf(correction);
	return {
		qReciprocal: peak && { q: peak.q / unit, error: peak.error / unit },
		sectorsReciprocal: sectors.map(({ direction, peak: of }) => ({
			direction,
			...(of ? inReciprocal(correction, along(direction, of.q)) : {}),
		})),
	};
}

const along = (direction: number, q: number): Vector => ({
	x: q * Math.cos(direction),
	y: q * Math.sin(direction),
});

/** Lines for people; none without a lattice. */
export function reciprocalLines(
	{ peak, sectors }: Waves,
	correction: Correction,
): string[] {
	if (!correction) return [];
	const unit = unitOf(correction);
	const short = (v: number) => v.toFixed(4);
	const lines = peak
		? [
				`q* in units of the reciprocal lattice: ${short(peak.q / unit)} ± ${short(peak.error / unit)} |b1| (|b1| = ${short(unit)} 1/A)`,
			]
		: [];
	const held = sectors.flatMap(({ direction, peak: of }) =>
		of ? [inReciprocal(correction, along(direction, of.q))] : [],
	);
	if (held.length > 0)
		lines.push(
			`along the axes of symmetry (h, k) = ${held.map(({ h, k }) => `(${h.toFixed(3)}, ${k.toFixed(3)})`).join(" and ")}`,
		);
	return lines;
}

/** The table lattice.csv: reciprocal lattice vectors that the pixels show. */
export function latticeRows(
	{ distortion, notch }: LatticeCorrection,
	pixel: number,
): (string | number)[][] {
	return [
		[
			"h",
			"k",
			"qx (1/Angstrom)",
			"qy (1/Angstrom)",
			"|q| (1/Angstrom)",
			"removed",
		],
		...vectorsWithin(distortion.peaks, { x: pixel, y: pixel }).map((g) => [
			...[g.h, g.k, g.x, g.y, length(g)],
			notch?.vectors.some((v) => length({ x: v.x - g.x, y: v.y - g.y }) < 1e-6)
				? 1
				: 0,
		]),
	];
}
