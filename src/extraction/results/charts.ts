/** Line charts of an extraction: |FFT| against q, and q against energy. */

import {
	axisOptions,
	type LineSet,
	lineConfig,
	panels,
	type Scale,
} from "../../drawing/charts.ts";
import { OKABE_ITO } from "../../drawing/colour.ts";
import type { Picture } from "../../drawing/picture.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";

export interface ProfileCurve {
	readonly name: string;
	/** 1/Angstrom. */
	readonly q: ArrayLike<number>;
	readonly value: ArrayLike<number>;
	/** One standard deviation of each value. */
	readonly error?: ArrayLike<number>;
}

/** A wave vector to be marked, with its standard deviation, in 1/Angstrom. */
export interface MarkedQ {
	readonly q: number;
	readonly error: number;
	readonly name: string;
}

/** An axis that ends where its data do, without a number there. */
const upTo = (title: string, max: number): Scale => {
	const axis = axisOptions(title);
	return {
		...axis,
		min: 0,
		max,
		ticks: { ...axis?.ticks, includeBounds: false },
	} as Scale;
};

const COLOURS = [
	OKABE_ITO.blue,
	OKABE_ITO.orange,
	OKABE_ITO.green,
	OKABE_ITO.purple,
] as const;

type Point = { x: number; y: number };

const plain = (
	data: Point[],
	colour: string,
	more: Partial<LineSet> = {},
): LineSet => ({
	data,
	borderColor: colour,
	backgroundColor: colour,
	borderWidth: 1.8,
	pointRadius: 0,
	pointStyle: "line",
	...more,
});

const pointsOf = (x: ArrayLike<number>, y: ArrayLike<number>): Point[] =>
	Array.from(x, (value, i) => ({ x: value, y: y[i] })).filter(
		(p) => Number.isFinite(p.x) && Number.isFinite(p.y),
	);

const clamp = (v: number) => Math.min(1, Math.max(0, v));

/** |FFT| against q with its errors (dashed) and the wave vectors found (vertical lines, their errors beside them). */
export function profileChart(
	curves: readonly ProfileCurve[],
	marked: readonly MarkedQ[],
): Picture {
	const last = Math.max(0, maxOf(curves.map(({ q }) => q[q.length - 1])));
	const sets = curves.flatMap(({ name, q, value, error }, i) => {
		const colour = COLOURS[i % COLOURS.length];
		const most = Math.max(1e-300, maxOf(value));
		const scaled = Array.from(value, (v) => v / most);
		const set = plain(pointsOf(q, scaled), colour, { label: name });
		if (!error) return [set];
		const edge = (sign: number) =>
			plain(
				pointsOf(
					q,
					scaled.map((v, k) => clamp(v + (sign * error[k]) / most)),
				),
				colour,
				{
					label: sign > 0 ? `${name}, ± one standard deviation` : "",
					borderWidth: 0.9,
					borderDash: [3, 3],
				},
			);
		return [set, edge(1), edge(-1)];
	});
	const lines = marked.flatMap(({ q, error, name }) => {
		const at = (x: number) => [
			{ x, y: 0 },
			{ x, y: 1 },
		];
		const colour = OKABE_ITO.vermilion;
		return [
			plain(at(q), colour, { label: name }),
			...[q - error, q + error].map((x) =>
				plain(at(x), colour, {
					label: "",
					borderWidth: 0.7,
					borderDash: [2, 3],
				}),
			),
		];
	});
	return panels(
		[
			lineConfig(
				"|FFT| of the kernel",
				[...sets, ...lines],
				upTo("q (1/Å)", last || 1),
				{
					...axisOptions("|FFT|, each over its largest value"),
					min: 0,
					max: 1,
				} as Scale,
			),
		],
		640,
		380,
	);
}

export interface DispersionPoint {
	/** eV. */
	readonly energy: number;
	/** 1/Angstrom, with its standard deviation. */
	readonly q: number;
	readonly error: number;
	/** Not used by the fit. */
	readonly outlier?: boolean;
}

/** From so many points on they are drawn smaller. */
const MANY = 40;

/** Energy against the wave vector, each with its error bar, and the fitted curve. */
export function dispersionChart(
	title: string,
	points: readonly DispersionPoint[],
	fit: {
		readonly name: string;
		readonly energyAt: (q: number) => number;
	} | null,
	/** An energy (eV) that a line is drawn at. */
	at?: number,
): Picture {
	const meV = (energy: number) => 1000 * energy;
	const dot = (outlier: boolean): LineSet =>
		plain(
			points
				.filter((p) => Boolean(p.outlier) === outlier)
				.map((p) => ({ x: p.q, y: meV(p.energy) })),
			outlier ? OKABE_ITO.grey : OKABE_ITO.blue,
			{
				label: outlier ? "not used by the fit" : "q* of each energy's kernel",
				showLine: false,
				pointRadius: points.length > MANY ? 2 : 4,
				pointStyle: outlier ? "cross" : "circle",
			},
		);
	const bars = points.map(({ energy, q, error, outlier }) =>
		plain(
			[
				{ x: q - error, y: meV(energy) },
				{ x: q + error, y: meV(energy) },
			],
			outlier ? OKABE_ITO.grey : OKABE_ITO.blue,
			{ label: "", borderWidth: 1.2 },
		),
	);
	const most = 1.1 * Math.max(0.01, maxOf(points.map((p) => p.q + p.error)));
	const curve = fit
		? [
				plain(
					Array.from({ length: 101 }, (_, i) => {
						const q = (i / 100) * most;
						return { x: q, y: meV(fit.energyAt(q)) };
					}),
					OKABE_ITO.vermilion,
					{ label: fit.name },
				),
			]
		: [];
	const line =
		at === undefined
			? []
			: [
					plain(
						[0, most].map((x) => ({ x, y: meV(at) })),
						OKABE_ITO.grey,
						{
							label: "the energy that is shown",
							borderDash: [5, 4],
							borderWidth: 1.2,
						},
					),
				];
	const outliers = points.some((p) => p.outlier) ? [dot(true)] : [];
	return panels(
		[
			lineConfig(
				title,
				[...curve, dot(false), ...outliers, ...line, ...bars],
				upTo("q (1/Å)", most),
				axisOptions("energy (meV)"),
			),
		],
		640,
		420,
	);
}
