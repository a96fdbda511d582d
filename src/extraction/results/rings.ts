/** |F| around rings of q, resolved by angle. */
import {
	axisOptions,
	lineConfig,
	panels,
	type Scale,
} from "../../drawing/charts.ts";
import { OKABE_ITO, sequential } from "../../drawing/colour.ts";
import { heatGrid } from "../../drawing/heat.ts";
import type { Picture } from "../../drawing/picture.ts";
import { HBAR2_2M } from "../../qpi/generator/bands.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import { type RingCut, ringCut } from "../findings/cuts.ts";
import { csv } from "./csv.ts";
import { errorsOf, type Item } from "./item.ts";
import type { Analysis } from "./items.ts";
import type { Supplement } from "./supplement.ts";

interface Ring {
	readonly item: Item;
	readonly cut: RingCut;
}

/** Around q* of each energy (of the fitted parabola where an energy has none that holds), or around the rings that are given (1/A). */
export function ringSupplement(
	analysis: Analysis,
	given: readonly number[] | "q*",
): Supplement {
	const { items, kinds, bands, taken } = analysis;
	const series = kinds.flatMap((kind, k) => {
		const mine = items.filter((item) => item.kind === kind);
		const fit = bands[k]?.fit;
		const starOf = ({ task, peak }: Item) => {
			if (peak) return peak.q;
			const k2 =
				fit && task.energy !== undefined
					? ((task.energy - fit.bottom) * fit.mass) / HBAR2_2M
					: 0;
			return k2 > 0 ? 2 * Math.sqrt(k2) : null;
		};
		return (given === "q*" ? [null] : given).map((fixed) => ({
			name: `|q| = ${fixed === null ? "q*" : `${fixed} 1/Å`}${kinds.length > 1 ? `, kind ${kind}` : ""}`,
			rings: mine.flatMap((item): Ring[] => {
				const q = fixed ?? starOf(item);
				return q
					? [
							{
								item,
								cut: ringCut(item.kernel, q, {
									spacing: taken.pixel,
									...errorsOf(item),
								}),
							},
						]
					: [];
			}),
		}));
	});
	const seen = series.filter(({ rings }) => rings.length > 0);
	if (seen.length === 0)
		return {
			...{ pictures: [], files: [], result: { ringCuts: [] } },
			findings: ["rings: no q* that holds, nothing to go around"],
		};
	return {
		pictures: [
			[
				"ring-cuts",
				"Around the rings",
				"|F| of the waves that go out, around the whole turn at the wave vectors given; each energy over its largest value.",
				pictureOf(seen),
			],
		],
		files: [["ring-cuts.csv", tableOf(seen.flatMap(({ rings }) => rings))]],
		result: {
			ringCuts: seen.flatMap(({ rings }) =>
				rings.map(({ item, cut: { q, value, error } }) => ({
					kind: item.kind,
					energy: item.task.energy ?? null,
					...{ q, value, error: error ?? null },
				})),
			),
		},
		findings: [],
	};
}

type Series = readonly {
	readonly name: string;
	readonly rings: readonly Ring[];
}[];

const degreesOf = (cut: RingCut) =>
	Float64Array.from(cut.angles, (a) => (a * 180) / Math.PI);

function pictureOf(series: Series): Picture {
	const stack = series.some(
		({ rings }) =>
			rings.length > 1 && rings.every((r) => r.item.task.energy !== undefined),
	);
	if (stack)
		return heatGrid(
			series.map(({ name, rings }) => ({
				title: `|F| around ${name}`,
				rows: rings.map(({ item, cut }) => ({
					y: 1000 * (item.task.energy ?? 0),
					values: [...cut.value, cut.value[0]].map(
						(v) => v / (maxOf(cut.value) || 1),
					),
				})),
				x: [0, 360] as const,
				step: 90,
				names: ["angle from x (degrees)", "energy (meV)"] as const,
				colours: sequential,
				range: [0, 1] as const,
				unit: "|F| / largest",
			})),
		);
	const colours = [OKABE_ITO.blue, OKABE_ITO.orange, OKABE_ITO.green];
	const most = maxOf(series.flatMap(({ rings: [r] }) => maxOf(r.cut.value)));
	const sets = series.flatMap(({ name, rings: [{ cut }] }, i) => {
		const colour = colours[i % colours.length];
		const x = degreesOf(cut);
		const set = (label: string, sign: number) => ({
			label,
			data: [...x].map((angle, a) => ({
				x: angle,
				y: (cut.value[a] + sign * (cut.error?.[a] ?? 0)) / most,
			})),
			...{ borderColor: colour, backgroundColor: colour, pointRadius: 0 },
			pointStyle: "line" as const,
			...(sign
				? { borderWidth: 0.9, borderDash: [3, 3] }
				: { borderWidth: 1.8 }),
		});
		return [
			set(name, 0),
			...(cut.error ? [set("± one standard deviation", 1), set("", -1)] : []),
		];
	});
	return panels(
		[
			lineConfig(
				"|F| around the ring",
				sets,
				{ ...axisOptions("angle from x (degrees)"), min: 0, max: 360 } as Scale,
				{ ...axisOptions("|F| over its largest value"), min: 0 } as Scale,
			),
		],
		640,
		380,
	);
}

function tableOf(rings: readonly Ring[]): string {
	return csv([
		[
			...["kind", "energy (eV)", "q (1/Angstrom)", "angle (degrees)"],
			...["outgoing waves", "its standard deviation"],
		],
		...rings.flatMap(({ item, cut }) =>
			[...degreesOf(cut)].map((angle, a) => [
				...[item.kind, item.task.energy ?? "", cut.q, angle],
				...[cut.value[a], cut.error?.[a] ?? ""],
			]),
		),
	]);
}
