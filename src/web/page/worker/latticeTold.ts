/** What was found of the atomic lattice, and done by it, as rows for people. */
import type { LatticeCorrection } from "../../../extraction/lattice/correction.ts";
import { type Lattice, length } from "../../../extraction/lattice/lattice.ts";

export type LatticeRow = readonly [name: string, value: string];

export function latticeTold({
	distortion,
	notch,
	reference,
}: LatticeCorrection): LatticeRow[] {
	const { lattice, known, peaks, field, matrix, calibrated } = distortion;
	const { most, rms, dislocations } = distortion;
	const rows: LatticeRow[] = [
		[
			"Measured",
			`${latticeIn(lattice)}${reference ? `, in ${reference}` : ""}`,
		],
	];
	if (known) rows.push(["Given", latticeIn(known)]);
	if (calibrated)
		rows.push(
			["Scaled", `x × ${matrix.xx.toFixed(4)}, y × ${matrix.yy.toFixed(4)}`],
			["Sheared", `by ${matrix.xy.toFixed(4)}`],
		);
	rows.push([
		"Drift",
		`${rms.toFixed(2)} Å rms, ${most.toFixed(2)} Å at most, ${field ? "taken out" : "left"}`,
	]);
	if (dislocations > 0)
		rows.push([
			"Dislocations",
			`${dislocations}: places about which the phases do not close`,
		]);
	for (const [i, q] of peaks.entries())
		rows.push([
			`Bragg peak ${i + 1}`,
			`${length(q).toFixed(3)} 1/Å, ${((Math.atan2(q.y, q.x) * 180) / Math.PI).toFixed(1)}° from x`,
		]);
	if (notch)
		rows.push([
			"Removed",
			`${notch.vectors.length} reciprocal lattice vectors, by notches of ${notch.width.toPrecision(2)} 1/Å (half depth)`,
		]);
	return rows.map(([name, value]) => [name, value.replaceAll("-", "−")]);
}

/** "3.809 × 3.785 Å, 92.2°" */
export const latticeIn = ({ a, b, angle }: Lattice): string =>
	`${a.toFixed(3)} × ${b.toFixed(3)} Å, ${angle.toFixed(1)}°`;
