/** What a theory's point scatterer shows along the cuts, to lie beside what was measured. */
import type { HeatRow } from "../../drawing/heat.ts";
import { outgoingAlong } from "../../qpi/theory/along.ts";
import { type TheoryEnergy, tMatrixPattern } from "../../qpi/theory/green.ts";
import type { TheoryBand } from "../../qpi/theory/model.ts";
import { directions } from "../findings/profile.ts";
import { csv } from "./csv.ts";
import { type CutSeries, greatest, type TheoryCut } from "./cuts.ts";

/** Energies at most, evenly: each takes a second. */
const MOST = 25;

/** Of each direction once, on the q of the measured cuts and under their windows. */
export function theoryCuts(
	band: TheoryBand,
	series: readonly CutSeries[],
	at: Omit<TheoryEnergy, "energy">,
	potential: number,
): TheoryCut[] {
	const once = series.filter(
		({ degrees }, i) => series.findIndex((s) => s.degrees === degrees) === i,
	);
	const cuts = once[0]?.cuts ?? [];
	if (cuts.length < 2 || cuts.some((c) => c.item.task.energy === undefined))
		return [];
	const every = Math.ceil(cuts.length / MOST);
	const rows = once.map((): HeatRow[] => []);
	for (let e = 0; e < cuts.length; e += every) {
		const energy = cuts[e].item.task.energy ?? 0;
		const pattern = tMatrixPattern(band, { ...at, energy }, potential);
		once.forEach(({ degrees, cuts }, d) => {
			const { outgoing } = cuts[e];
			const { q, reach } = outgoing;
			const along = directions({ direction: (degrees * Math.PI) / 180 });
			const value = outgoingAlong(pattern, band.cell, along, q, reach);
			const most = greatest({ ...outgoing, value });
			rows[d].push({ y: 1000 * energy, values: value.map((v) => v / most) });
		});
	}
	return once.map(({ degrees }, d) => ({ degrees, rows: rows[d] }));
}

export const theoryCutTable = (
	cuts: readonly TheoryCut[],
	q: ArrayLike<number>,
): string =>
	csv([
		[
			...["direction (degrees)", "energy (eV)", "q (1/Angstrom)"],
			"|F| of the waves that go out, over its largest value",
		],
		...cuts.flatMap(({ degrees, rows }) =>
			rows.flatMap(({ y, values }) =>
				Array.from(values, (v, k) => [degrees, y / 1000, q[k], v]),
			),
		),
	]);
