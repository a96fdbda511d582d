/** Charts of a training: losses by epoch, and the methods' scores by noise and by the number of scatterers. */
import {
	axisOptions,
	lineConfig,
	panels,
	type Scale,
} from "../../drawing/charts.ts";
import { OKABE_ITO } from "../../drawing/colour.ts";
import { type Picture, short, superscript } from "../../drawing/picture.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import { type Curves, METHOD_TITLES, type MethodName } from "../metrics.ts";

/** A panel of loss curves: training, held-out, or whatever else runs over the epochs. */
export interface LossPanel {
	title: string;
	series: readonly {
		name: string;
		points: readonly (readonly [epoch: number, value: number])[];
	}[];
}

/** Powers of ten, and round numbers between them the more the less the axis spans. */
function logTick(value: number, decades: number): string | null {
	const exponent = Math.floor(Math.log10(value) + 1e-9);
	const digit = Number((value / 10 ** exponent).toPrecision(6));
	const narrow = decades < 1.3;
	const shown = narrow ? [1, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
	if (
		decades < 0.4
			? digit * 10 !== Math.round(digit * 10)
			: !shown.includes(digit)
	)
		return null;
	if (narrow) return short(value);
	return `${digit === 1 ? "" : `${digit}×`}10${superscript(exponent)}`;
}

/** One panel a network, losses on a logarithmic axis. What has no logarithm is left out. */
export function lossCurves(losses: readonly LossPanel[]): Picture {
	const colours = [OKABE_ITO.blue, OKABE_ITO.vermilion, OKABE_ITO.green];
	return panels(
		losses.map(({ title, series }) => {
			const datasets = series.map(({ name, points }, i) => {
				const data = points
					.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && y > 0)
					.map(([x, y]) => ({ x, y }));
				return {
					label: name,
					data,
					borderColor: colours[i % colours.length],
					backgroundColor: colours[i % colours.length],
					borderWidth: 1.8,
					borderDash: i ? [6, 3] : [],
					pointRadius: data.length > 20 ? 0 : 2.5,
					pointStyle:
						data.length > 20 ? ("line" as const) : ("circle" as const),
				};
			});
			const values = datasets.flatMap(({ data }) => data.map(({ y }) => y));
			const [low, high] = [minOf(values), maxOf(values)];
			const decades = Math.log10(high / low);
			const margin = 10 ** (0.04 * decades + 0.005);
			const y = axisOptions("loss") ?? {};
			return lineConfig(title, datasets, axisOptions("epoch", 0), {
				...y,
				type: "logarithmic",
				min: low / margin,
				max: high * margin,
				ticks: {
					...y.ticks,
					autoSkip: decades < 0.4,
					callback: (value: number | string) => logTick(Number(value), decades),
				},
			} as Scale);
		}),
		400,
		330,
	);
}

const STYLES: Record<
	MethodName,
	{
		colour: string;
		point: "circle" | "rect" | "triangle" | "rectRot" | "cross";
	}
> = {
	ridge: { colour: OKABE_ITO.vermilion, point: "rect" },
	oneStep: { colour: OKABE_ITO.orange, point: "triangle" },
	twoStep: { colour: OKABE_ITO.blue, point: "circle" },
	projected: { colour: OKABE_ITO.purple, point: "rectRot" },
	meanKernel: { colour: OKABE_ITO.grey, point: "cross" },
	nearest: { colour: OKABE_ITO.green, point: "rectRot" },
};

/** NCC of each method by the noise and by the number of scatterers. */
export function metricCurves(byNoise: Curves, byScatterers: Curves): Picture {
	const panel = (title: string, xTitle: string, curves: Curves) => {
		const values = Object.values(curves)
			.flat()
			.flatMap(({ ncc }) => (ncc === null ? [] : [ncc]));
		const datasets = Object.entries(curves).map(([method, points]) => {
			const { colour, point } = STYLES[method as MethodName];
			return {
				label: METHOD_TITLES[method as MethodName],
				data: points.flatMap(({ value, ncc }) =>
					ncc === null ? [] : [{ x: value, y: ncc }],
				),
				borderColor: colour,
				backgroundColor: colour,
				borderWidth: method === "twoStep" ? 2.6 : 1.6,
				pointStyle: point,
				pointRadius: 4,
			};
		});
		return lineConfig(title, datasets, axisOptions(xTitle), {
			...axisOptions("NCC with the true kernel"),
			max: 1,
			min: Math.floor((Math.min(0.5, minOf(values)) - 0.04) * 10) / 10,
		} as Scale);
	};
	return panels(
		[
			panel("By noise", "noise σ / signal σ", byNoise),
			panel("By number of scatterers", "scatterers in the image", byScatterers),
		],
		500,
		360,
	);
}
