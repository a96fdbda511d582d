/** How well kernels of maps were found, as a table for people. */
import { columns } from "../../text.ts";
import type { MapsEvaluation } from "./evaluateMaps.ts";

/** The evaluation as a table for people. */
export function mapsTable({ radius, maps, mean }: MapsEvaluation): string {
	const number = (v: number | null, digits: number) =>
		v?.toFixed(digits) ?? "-";
	const rows = [
		["map", "pixels", "marks", "noise", "method", "explained", "seconds"],
		...Object.entries(maps).map(([name, map]) => [
			name,
			map.pixels.join("x"),
			String(map.marks),
			number(map.noise, 2),
			map.method,
			number(map.explained, 3),
			number(map.seconds, 1),
		]),
		["mean", "", "", "", "", "", number(mean.seconds, 1)],
	];
	const nccs = [
		`NCC within ${radius} A`,
		...Object.values(maps).map(({ ncc }) =>
			ncc.map((v) => number(v, 4)).join(" "),
		),
		number(mean.ncc, 4),
	];
	return columns(rows.map((row, r) => [...row, nccs[r]]));
}
