import type { Picture } from "../../drawing/picture.ts";
import { PIXELS } from "../../qpi/dataset/format.ts";
import { activationMap } from "../../qpi/dataset/preprocess.ts";
import {
	type MethodName,
	type Metrics,
	SPLITS,
	type SplitName,
} from "../../training/metrics.ts";
import { lossCurves, metricCurves } from "../../training/report/charts.ts";
import {
	type ComparisonRow,
	comparisonGrid,
	kernelGrid,
} from "../../training/report/grids.ts";
import { reportHtml } from "../../training/report/html.ts";
import { latentMap } from "../../training/report/latents.ts";
import type { FigureName } from "../../training/report/types.ts";
import type { TrainedRun } from "../../training/run.ts";
import { renderPng } from "../drawing/canvas.ts";
import type { RunFolder } from "../files/runFolder.ts";

/** Methods of the picture grid, in its columns' order, by short names. */
const SHOWN: readonly (readonly [MethodName, string])[] = [
	["nearest", "nearest kernel"],
	["ridge", "ridge"],
	["projected", "ridge, projected"],
	["oneStep", "one-step"],
	["twoStep", "two-step"],
];

/** Draws a run's pictures and writes metrics.json, the PNGs and report.html into its folder. */
export async function writeReport(
	folder: RunFolder,
	run: TrainedRun,
	metrics: Metrics,
	{
		field,
		...about
	}: {
		command: string;
		parameters: readonly (readonly [string, string | number])[];
		/** Of the images, Angstrom; 400 when not given. */
		field?: number;
	},
): Promise<void> {
	await folder.write(
		"metrics.json",
		`${JSON.stringify(metrics, null, "\t")}\n`,
	);
	const pictures: Record<FigureName, Picture> = {
		comparison: comparisonGrid(comparisonRows(run), field),
		curves: metricCurves(metrics.byNoise ?? {}, metrics.byScatterers ?? {}),
		losses: lossCurves(
			(
				[
					["vae", "kernel VAE", "not trained on, MSE alone"],
					["aligner", "aligner", "not trained on"],
					["oneStep", "one-step", "not trained on"],
				] as const
			)
				// A kernel VAE that was taken from another training has none.
				.filter(([name]) => run.histories[name].train.length > 0)
				.map(([name, title, held]) => ({
					title,
					series: [
						{ name: "training", points: run.histories[name].train },
						{ name: held, points: run.histories[name].validation },
					],
				})),
		),
		latents: latentMap(
			run.data.kernels.map((k, i) => ({
				latent: run.latents.subarray(2 * i * 256, (2 * i + 1) * 256),
				image: k.image,
				label: String(k.number),
				fold: k.symmetry,
				unseen: !k.trained,
			})),
			metrics.seed,
		),
		kernels: kernelGrid(run.data.kernels, field),
	};
	const figures = [];
	for (const [name, picture] of Object.entries(pictures)) {
		const png = renderPng(picture);
		await folder.write(`${name}.png`, png);
		figures.push({ name: name as FigureName, png });
	}
	await folder.write(
		"report.html",
		reportHtml({
			title: `QPI Lens: ${metrics.preset} run, ${metrics.inputs} inputs, seed ${metrics.seed}`,
			metrics,
			figures,
			...about,
		}),
	);
}

/** Two observations of each part of the split: few scatterers and many, and so little and much noise as there are. */
function comparisonRows({
	data,
	estimates,
	scores,
}: TrainedRun): ComparisonRow[] {
	const { evaluated, kernels } = data;
	const rows: ComparisonRow[] = [];
	for (const part of Object.keys(SPLITS) as SplitName[]) {
		const places = evaluated
			.map((o, i) => ({ i, count: o.scatterers.length, kernel: o.kernel }))
			.filter(({ i }) => evaluated[i].part === part)
			.sort((a, b) => a.count - b.count);
		const low = places[Math.floor(places.length / 4)];
		const high = places
			.slice(Math.floor((3 * places.length) / 4))
			.find(({ kernel }) => kernel !== low?.kernel);
		for (const place of [low, high]) {
			if (!place) continue;
			const o = evaluated[place.i];
			const noise = o.noise === undefined ? "" : `, noise ${o.noise}`;
			rows.push({
				title: `${SPLITS[part]}: kernel ${kernels[o.kernel].label.replace("\n", ", ")}; ${o.scatterers.length} scatterers${noise}`,
				observation: withoutMean(o.image),
				scatterers: o.scatterers,
				activation: activationMap(o.scatterers, "bilinear"),
				kernels: [
					...SHOWN.map(([method, name]) => ({
						name,
						image: estimates[method]?.[place.i] ?? null,
						ncc: scores[method]?.[place.i].ncc,
						mae: scores[method]?.[place.i].mae,
					})),
					{ name: "truth", image: kernels[o.kernel].image },
				],
			});
		}
	}
	return rows;
}

function withoutMean(image: Float32Array): Float32Array {
	const mean = image.reduce((sum, v) => sum + v, 0) / PIXELS;
	return image.map((v) => v - mean);
}
