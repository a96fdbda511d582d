/** Line charts, by chart.js: losses by epoch, and the methods' scores by noise and by the number of scatterers. */
import {
	BasicPlatform,
	Chart,
	type ChartConfiguration,
	type ChartDataset,
	Legend,
	type LegendItem,
	LinearScale,
	LineController,
	LineElement,
	LogarithmicScale,
	PointElement,
	Title,
} from "chart.js";
import { maxOf, minOf } from "../qpi/extremes.ts";
import { OKABE_ITO } from "./colour.ts";
import { FONT, INK, type Picture, short, superscript } from "./picture.ts";
import { type Curves, METHODS, type MethodName } from "./types.ts";

Chart.register(
	Legend,
	LinearScale,
	LineController,
	LineElement,
	LogarithmicScale,
	PointElement,
	Title,
);

type Point = { x: number; y: number };
export type LineSet = ChartDataset<"line", Point[]>;
type LineConfig = ChartConfiguration<"line", Point[]>;
type LineOptions = NonNullable<LineConfig["options"]>;
export type Scale = NonNullable<LineOptions["scales"]>[string];

/** A panel of loss curves: training, held-out, or whatever else runs over the epochs. */
export interface LossPanel {
	title: string;
	series: readonly {
		name: string;
		points: readonly (readonly [epoch: number, value: number])[];
	}[];
}

/** Panels side by side. chart.js owns its whole canvas, so that each is drawn on one of its own and copied. */
export function panels(
	configs: readonly LineConfig[],
	width: number,
	height: number,
): Picture {
	return {
		width: Math.max(1, configs.length) * width,
		height,
		draw(ctx, newCanvas) {
			const scale = ctx.getTransform().a;
			configs.forEach((config, i) => {
				// chart.js enlarges the canvas by the ratio; its basic platform asks nothing of a DOM.
				const canvas = newCanvas(width, height);
				const chart = new Chart(
					canvas.getContext("2d") as CanvasRenderingContext2D,
					{
						...config,
						platform: BasicPlatform,
						options: { ...config.options, devicePixelRatio: scale },
					},
				);
				ctx.drawImage(canvas, i * width, 0, width, height);
				chart.destroy();
			});
		},
	};
}

const font = (size: number, bold = false) => ({
	family: FONT,
	size,
	weight: bold ? ("bold" as const) : ("normal" as const),
});

export function axisOptions(title: string, precision?: number): Scale {
	return {
		title: { display: true, text: title, color: INK, font: font(12) },
		ticks: { color: INK, font: font(11), precision },
		grid: { color: "#e4e4e4" },
		border: { color: INK },
	} as Scale;
}

export function lineConfig(
	title: string,
	datasets: LineSet[],
	x: Scale,
	y: Scale,
): LineConfig {
	return {
		type: "line",
		data: { datasets },
		options: {
			animation: false,
			responsive: false,
			layout: { padding: 12 },
			scales: { x: { type: "linear", ...x } as Scale, y },
			plugins: {
				title: { display: true, text: title, color: INK, font: font(14, true) },
				legend: {
					position: "bottom",
					labels: {
						color: INK,
						font: font(11),
						usePointStyle: true,
						boxHeight: legendHeight(datasets),
						// A series without a name belongs to the one before it.
						generateLabels: ({ data }) =>
							data.datasets
								.filter((set) => set.label)
								.map((set) => legendItem(set as LineSet)),
					},
				},
			},
		},
	};
}

/** That of points as large in the legend as in the chart (chart.js draws them with a radius of 1/√2 of it); as usual where there are none. */
function legendHeight(datasets: readonly LineSet[]): number | undefined {
	const points = datasets.find((set) => set.label && set.showLine === false);
	return points && Number(points.pointRadius) * Math.SQRT2;
}

/** The legend shows a series as it is drawn: its point, or its line (of which chart.js would drop the dashes). */
function legendItem(set: LineSet): LegendItem {
	return {
		text: set.label ?? "",
		fillStyle: set.backgroundColor as string,
		strokeStyle: set.borderColor as string,
		lineWidth: set.borderWidth as number,
		lineDash: set.borderDash as number[],
		pointStyle: set.borderDash
			? "line"
			: (set.pointStyle as LegendItem["pointStyle"]),
		fontColor: INK,
	};
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
				label: METHODS[method as MethodName],
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
