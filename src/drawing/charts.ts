/** Line charts, by chart.js. */
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
	Ticks,
	Title,
} from "chart.js";
import { FONT, type Picture, paletteOf } from "./picture.ts";

Chart.register(
	Legend,
	LinearScale,
	LineController,
	LineElement,
	LogarithmicScale,
	PointElement,
	Title,
);

/** Text, in the palette of the chart that is being drawn: each is drawn in one go. */
const ink = () => String(Chart.defaults.color);

type Point = { x: number; y: number };
export type LineSet = ChartDataset<"line", Point[]>;
type LineConfig = ChartConfiguration<"line", Point[]>;
type LineOptions = NonNullable<LineConfig["options"]>;
export type Scale = NonNullable<LineOptions["scales"]>[string];

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
			const { ink, lines } = paletteOf(ctx);
			[Chart.defaults.color, Chart.defaults.borderColor] = [ink, lines];
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
		title: { display: true, text: title, font: font(12) },
		ticks: {
			font: font(11),
			precision,
			// With a minus sign.
			callback(...[value, index, ticks]) {
				const { numeric } = Ticks.formatters;
				return numeric
					.call(this, Number(value), index, ticks)
					.replace("-", "−");
			},
		},
		border: { color: ink },
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
				title: { display: true, text: title, font: font(14, true) },
				legend: {
					position: "bottom",
					labels: {
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
		fontColor: ink(),
	};
}
