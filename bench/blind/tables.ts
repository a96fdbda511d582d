/** The figures of `npm run bench:blind` as markdown. */
import type { BlindScore } from "../../src/node/evaluation/blindScores.ts";
import type { Level } from "./levels.ts";

/** Of one level and method: the scores of its maps, by name, and the time of one core that each took. */
export interface Row {
	readonly maps: Readonly<
		Record<string, BlindScore & { readonly cpuSeconds: number }>
	>;
	readonly mean: Readonly<Record<string, number | null>>;
}

/** By level, then method. */
export type Rows = Record<string, Record<string, Row>>;

const HEAD = [
	"",
	"level",
	"recall",
	"precision",
	"off by, Å",
	"NCC, worst kernel",
	"kinds",
	"s",
];

export function tablesOf(
	rows: Rows,
	levels: Readonly<Record<string, Level>>,
	methods: Readonly<Record<string, string>>,
): string {
	const parts = Object.entries(methods).flatMap(([method, title]) => {
		const body = Object.entries(levels).flatMap(([name, level]) => {
			const row = rows[name]?.[method];
			return row ? [[level.factor, level.level, ...figures(row)]] : [];
		});
		return body.length > 0 ? [`## ${title}\n\n${table([HEAD, ...body])}`] : [];
	});
	return parts.join("\n\n");
}

function figures({ maps, mean }: Row): string[] {
	const scores = Object.values(maps);
	const number = (v: number | null, digits: number) =>
		v?.toFixed(digits) ?? "-";
	const nccs = scores.flatMap(({ ncc }) => ncc);
	const kinds = scores.map((s) => `${s.kinds}`).join(" ");
	const truth = scores[0].trueKinds;
	const seconds =
		scores.reduce((sum, s) => sum + s.cpuSeconds, 0) / scores.length;
	return [
		number(mean.recall, 3),
		number(mean.precision, 3),
		number(mean.positionError, 2),
		nccs.length > 0
			? `${number(mean.ncc, 3)}, ${number(Math.min(...nccs), 3)}`
			: "-",
		`${kinds} of ${truth}`,
		number(seconds, 1),
	];
}

function table(rows: readonly (readonly string[])[]): string {
	const widths = rows[0].map((_, c) =>
		Math.max(3, ...rows.map((row) => row[c].length)),
	);
	const line = (cells: readonly string[]) =>
		`| ${cells.map((cell, c) => cell.padEnd(widths[c])).join(" | ")} |`;
	const [head, ...body] = rows;
	const rule = widths.map((w) => "-".repeat(w));
	return [head, rule, ...body].map(line).join("\n");
}
