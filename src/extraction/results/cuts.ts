/** Line cuts E(q) of the kernels' |F|, peaks fitted along them, and branches. */

import { OKABE_ITO, sequential } from "../../drawing/colour.ts";
import type { HeatRow } from "../../drawing/heat.ts";
import {
	edgesOf,
	type HeatLayer,
	type HeatPanel,
	heatGrid,
} from "../../drawing/heat.ts";
import { HBAR2_2M } from "../../qpi/generator/bands.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import { type Branch, branchesOf } from "../findings/branches.ts";
import {
	type FittedPeak,
	fitPeaks,
	type PeakShape,
} from "../findings/peakFit.ts";
import { type Profile, profile, withError } from "../findings/spectrum.ts";
import { profileChart } from "./charts.ts";
import { csv } from "./csv.ts";
import { errorsOf, type Item } from "./item.ts";
import type { Analysis } from "./items.ts";
import { qLimitLayer, qLimitOf } from "./qLimit.ts";
import type { Supplement } from "./supplement.ts";

/** A theory's |F| along one direction. */
export interface TheoryCut {
	readonly degrees: number;
	/** Each over its largest value beyond the disk about q = 0, as measured cuts are drawn. */
	readonly rows: readonly HeatRow[];
}

/** The cut of one kernel along one direction. */
export interface Cut {
	readonly item: Item;
	/** Degrees from the x axis. */
	readonly degrees: number;
	readonly outgoing: Profile;
	readonly plain: Profile;
	/** Those that hold: significant, and known to a quarter of what the window resolves. */
	readonly peaks: readonly FittedPeak[];
}

/** All energies of one kind along one direction. */
export interface CutSeries {
	readonly kind: number;
	readonly degrees: number;
	readonly cuts: readonly Cut[];
	/** Empty where there are no three energies. */
	readonly branches: readonly Branch<FittedPeak>[];
}

/** Of the resolution: what is known no better is no peak. */
const VAGUE = 0.25;

/** @param directions degrees from the x axis; each stands for itself and its opposite, 15 degrees to either side */
export function cutSeries(
	{ items, kinds, taken }: Analysis,
	directions: readonly number[],
	shape: PeakShape = "gaussian",
): CutSeries[] {
	return kinds.flatMap((kind) => {
		const mine = items.filter((item) => item.kind === kind);
		return directions.map((degrees): CutSeries => {
			const cuts = mine.map((item): Cut => {
				const direction = (degrees * Math.PI) / 180;
				const options = { spacing: taken.pixel, direction };
				const outgoing = profile(item.kernel, {
					...options,
					...errorsOf(item),
				});
				return {
					...{ item, degrees, outgoing },
					plain: profile(item.kernel, { ...options, waves: "full" }),
					peaks: item.failed
						? []
						: fitPeaks(outgoing, { shape }).filter(
								(p) => p.statistical <= VAGUE * outgoing.resolution,
							),
				};
			});
			const energies = mine.flatMap(({ task }) => task.energy ?? []);
			const stack = energies.length === mine.length && mine.length > 2;
			const draws = mine.map(({ samples }) => samples.length);
			return {
				...{ kind, degrees, cuts },
				branches: stack
					? branchesOf(
							energies,
							cuts.map(({ peaks }) => peaks),
							draws.every((n) => n > 2) ? draws : undefined,
						)
					: [],
			};
		});
	});
}

const COLOURS = [
	OKABE_ITO.vermilion,
	OKABE_ITO.purple,
	OKABE_ITO.blue,
	OKABE_ITO.orange,
	OKABE_ITO.green,
	OKABE_ITO.grey,
];
const colourOf = (b: number) => COLOURS[b % COLOURS.length];
/** Values with their errors, as people write them. */
const plusMinus = (value: number, error: number) =>
	withError(value, error).replace("+-", "±").replace(/^-/, "−");

const mergedIn = (points: Branch["points"]) => {
	const { length } = points.filter(({ merged }) => merged);
	return length > 0
		? `, ${length} of them hollow: another branch is nearer than 1.4 of the line's widths, not in the fit`
		: "";
};

const named = ({ fit, points, reason }: Branch, b: number) =>
	`branch ${b + 1}, ${points.length} energies${mergedIn(points)}: ${fit ? `m* = ${plusMinus(fit.mass, fit.massError)} mₑ, E₀ = ${plusMinus(1000 * fit.bottom, 1000 * fit.bottomError)} meV` : reason}`;

/** The branches' parabolas. */
const curvesOf = (branches: readonly Branch[]): HeatLayer[] =>
	branches.flatMap(({ points, fit }, b) => {
		if (!fit) return [];
		const energies = points.map(({ energy }) => energy);
		const low = minOf(energies);
		const curve = Array.from({ length: 61 }, (_, i) => {
			const energy = low + (i / 60) * (maxOf(energies) - low);
			const k2 = ((energy - fit.bottom) * fit.mass) / HBAR2_2M;
			return { x: 2 * Math.sqrt(Math.max(0, k2)), y: 1000 * energy };
		});
		return [{ name: "", colour: colourOf(b), points: curve, line: true }];
	});

const pointsOf = (branches: readonly Branch[]): HeatLayer[] =>
	branches.map((branch, b) => ({
		name: named(branch, b),
		colour: colourOf(b),
		points: branch.points.map(({ energy, peak, merged }) => ({
			...{ x: peak.q, y: 1000 * energy, error: peak.error },
			hollow: merged,
		})),
	}));

/** Times the greatest q of a peak that pictures reach to. */
const REACH = 1.8;

/** Largest value beyond what the window's disk about q = 0 fills. */
export const greatest = ({ q, value, resolution }: Profile): number =>
	maxOf(value.filter((_, k) => q[k] > 1.25 * resolution)) || 1;

/**
 * E(q) pictures, or of single images line charts; tables; fits.
 * @param lines of a theory, of each series
 * @param theory what a theory's scatterer shows along each direction
 * @param notes lines below it
 */
export function cutSupplement(
	analysis: Analysis,
	series: readonly CutSeries[],
	lines: readonly (readonly HeatLayer[])[] = [],
	theory: readonly TheoryCut[] = [],
	notes: readonly string[] = [],
): Supplement {
	const { kinds } = analysis;
	const name = ({ kind, degrees }: CutSeries) =>
		`${degrees}°${kinds.length > 1 ? `, kind ${kind}` : ""}`;
	const [{ cuts: first }] = series;
	const stack =
		first.length > 1 && first.every((c) => c.item.task.energy !== undefined);
	const far = maxOf(
		series.flatMap((s) => s.cuts.flatMap((c) => c.peaks.map((p) => p.q))),
	);
	const { q } = first[0].outgoing;
	const nyquist = q[q.length - 1];
	const reach = far > 0 ? Math.min(nyquist, REACH * far) : nyquist;
	const limit = ({ cuts }: CutSeries) => {
		const [first = 0, ...rest] = edgesOf(
			cuts.map(({ item }) => item.task.energy ?? 0).sort((a, b) => a - b),
		);
		return qLimitLayer(qLimitOf(analysis), reach, [first, rest.at(-1) ?? 0]);
	};
	const picture = stack
		? heatGrid(
				series.flatMap((s, i): HeatPanel[] => {
					const common = {
						x: [0, nyquist] as const,
						shown: [0, reach] as const,
						names: ["q (1/Å)", "energy (meV)"] as const,
						colours: sequential,
						range: [0, 1] as const,
						unit: "|F| / largest",
					};
					const over = lines[i] ?? [];
					const beside = theory.find(({ degrees }) => degrees === s.degrees);
					return [
						{
							...common,
							title: `Measured, E(q) along ${name(s)}`,
							rows: s.cuts.map(({ item, outgoing }) => ({
								y: 1000 * (item.task.energy ?? 0),
								values: outgoing.value.map((v) => v / greatest(outgoing)),
							})),
							layers: [
								...curvesOf(s.branches),
								...over,
								...pointsOf(s.branches),
								...limit(s),
							],
							notes: [
								"bars: ± one standard deviation, where they are longer than the dot",
							],
						},
						...(beside
							? [
									{
										...common,
										title: `Theory, point scatterer (T matrix), along ${name(s)}`,
										rows: beside.rows,
										...{ layers: over, notes },
									},
								]
							: []),
					];
				}),
			)
		: profileChart(
				series.map((s) => {
					const { outgoing } = s.cuts[0];
					return {
						name: `along ${name(s)}`,
						q: outgoing.q,
						value: outgoing.value,
						error: outgoing.error,
					};
				}),
				series.flatMap((s) =>
					s.cuts[0].peaks.map((p) => ({
						...p,
						name: `${name(s)}: q = ${plusMinus(p.q, p.error)} 1/Å`,
					})),
				),
			);
	return {
		pictures: [
			[
				"line-cuts",
				stack ? "Line cuts E(q)" : "Line cuts",
				`|F| of the waves that go out along each direction and its opposite, 15° to either side${stack ? `; each energy over its largest value beyond the disk about q = 0${theory.length ? ", theory's too, on the same axes and under the same window" : ""}. Points are fitted lines, with one standard deviation; curves are parabolas where they fit` : ""}.`,
				picture,
			],
		],
		files: [
			["line-cuts.csv", cutTable(series)],
			["line-peaks.csv", peakTable(series)],
		],
		result: {
			lineCuts: series.map(({ kind, degrees, cuts, branches }) => ({
				...{ kind, degrees },
				shape: cuts.flatMap(({ peaks }) => peaks)[0]?.shape ?? null,
				peaks: cuts.map(({ item, peaks }) => ({
					energy: item.task.energy ?? null,
					peaks,
				})),
				branches: branches.map(({ points, fit, reason }) => ({
					points: points.map(({ energy, peak, merged }) => ({
						...{ energy, q: peak.q, error: peak.error, width: peak.width },
						merged,
					})),
					fit,
					reason,
				})),
			})),
		},
		findings: series.flatMap((s) =>
			s.branches.map((branch, b) => `along ${name(s)}: ${named(branch, b)}`),
		),
	};
}

function cutTable(series: readonly CutSeries[]): string {
	return csv([
		[
			...["kind", "energy (eV)", "direction (degrees)", "q (1/Angstrom)"],
			...["outgoing waves", "its standard deviation", "plain |FFT|"],
		],
		...series.flatMap(({ kind, degrees, cuts }) =>
			cuts.flatMap(({ item, outgoing, plain }) =>
				Array.from(outgoing.q, (q, k) => [
					...[kind, item.task.energy ?? "", degrees, q],
					...[outgoing.value[k], outgoing.error?.[k] ?? "", plain.value[k]],
				]),
			),
		),
	]);
}

function peakTable(series: readonly CutSeries[]): string {
	return csv([
		[
			...["kind", "energy (eV)", "direction (degrees)", "branch"],
			...["q (1/Angstrom)", "its standard deviation", "statistical"],
			...["systematic", "width (1/Angstrom)", "amplitude", "shape"],
			"merged with another branch",
		],
		...series.flatMap(({ kind, degrees, cuts, branches }) =>
			cuts.flatMap(({ item, peaks }) =>
				peaks.map((peak) => {
					const branch = branches.findIndex(({ points }) =>
						points.some((p) => p.peak === peak),
					);
					return [
						...[kind, item.task.energy ?? "", degrees],
						...[branch < 0 ? "" : branch + 1, peak.q, peak.error],
						...[peak.statistical, peak.systematic, peak.width],
						...[peak.amplitude, peak.shape],
						branches[branch]?.points.some((p) => p.peak === peak && p.merged)
							? 1
							: 0,
					];
				}),
			),
		),
	]);
}
