/** How well scatterers were found, as a table for people. */
import { columns } from "../../text.ts";
import type {
	BlindEvaluation,
	BlindGroup,
	BlindMeans,
	BlindScore,
	Factor,
} from "./blindScores.ts";

/** The evaluation as a table for people. */
export function blindTable({ maps, mean, by }: BlindEvaluation): string {
	const number = (v: number | null, digits: number) =>
		v?.toFixed(digits) ?? "-";
	const figures = (s: BlindScore | BlindMeans) => [
		number(s.recall, 3),
		number(s.precision, 3),
		number(s.positionError, 2),
		number(s.angle, 3),
		number(s.overlap, 3),
		number(s.fft, 3),
		number(s.seconds, 1),
	];
	const rows = [
		["map", "noise", "kinds", "marks", "recall", "precision", "off by, A"],
		...Object.entries(maps).map(([name, map]) => [
			...[name, number(map.noise, 2), `${map.kinds} of ${map.trueKinds}`],
			...[`${map.marks} of ${map.trueMarks}`, ...figures(map)],
			map.ncc.map((v) => number(v, 4)).join(" ") || "-",
		]),
		["mean", "", number(mean.kinds, 2), "", ...figures(mean)],
	];
	rows[0].push("angle", "overlap", "|FFT|", "seconds", "NCC");
	rows[rows.length - 1].push(number(mean.ncc, 4));
	const words: Record<Factor, string> = {
		...{ density: "on 100 x 100 A", noise: "noise", trueKinds: "kinds" },
		...{ spread: "spread", background: "background" },
	};
	for (const [factor, groups] of Object.entries(by))
		for (const group of groups)
			rows.push([
				`${words[factor as Factor]} ${levelOf(group)}`,
				...["", number(group.kinds, 2), "", ...figures(group)],
				number(group.ncc, 4),
			]);
	return columns(rows);
}

/** "0.5", or "0.31 to 0.52". */
function levelOf({ from, to }: BlindGroup): string {
	const [a, b] = [from, to].map((v) => String(Number(v.toPrecision(2))));
	return a === b ? a : `${a} to ${b}`;
}
