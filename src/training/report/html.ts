/** report.html of a training. */
import { base64, escapeHtml, page } from "../../drawing/html.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import {
	METHOD_TITLES,
	type MethodName,
	type Metrics,
	type Scores,
	SPLITS,
	type SplitName,
} from "../metrics.ts";
import type { Figure, FigureName, RunSummary } from "./types.ts";

const FIGURES: Record<FigureName, { title: string; caption: string }> = {
	comparison: {
		title: "What each method makes of an observation",
		caption:
			"From left to right: the measured image with its scatterers (open circles), the activation map that says where they are, the kernel that each method extracts, and the true one. Red is above zero, blue below; every panel has its own scale, clipped at the 99th percentile, and is interpolated between its 64×64 pixels. Under each kernel: its normalised cross-correlation with the truth.",
	},
	curves: {
		title: "Where each method holds",
		caption:
			"Kernels that were not trained on. Mean normalised cross-correlation of the extracted with the true kernel, by the noise added (standard deviation, in units of the signal's) and by how many scatterers overlap in the image. A method that uses the measurement falls with the noise; one that ignores it is flat.",
	},
	losses: {
		title: "Training",
		caption:
			"Loss by epoch, on a logarithmic axis. Solid: the data trained on. Dashed: data not trained on (of the VAE's three losses only the MSE). They part where a kernel that was not trained on leaves the span of those that were.",
	},
	latents: {
		title: "The latent space",
		caption:
			"Every kernel at its place in the latent space of the kernel VAE, after UMAP to two dimensions. Frames are coloured by rotational symmetry. Kernels of one family at neighbouring energies should lie side by side; only neighbourhoods mean something, not distances across the map.",
	},
	kernels: {
		title: "All kernels",
		caption:
			"The single-scatterer patterns of the data set: change of the local density of states around one scatterer at the centre of the field. Each has its own zero-centred scale, clipped at the 99th percentile, and is interpolated between its 64×64 pixels.",
	},
};

const SPLIT_NOTES: Record<SplitName, string> = {
	seen: "kernels of the training set, in observations that were held out",
	unseenEnergy: "known families at energies that were held out",
	unseenFamily: "families of which no kernel was trained on",
};

const COLUMNS = ["mae", "mse", "rmse", "ncc"] as const;

const number = (value: number | null | undefined, digits = 4): string =>
	typeof value === "number" && Number.isFinite(value)
		? value.toFixed(digits).replace("-", "−")
		: "–";

/** Rows of one split, in the order of METHODS. */
function rowsOf(
	{ methods }: Metrics,
	split: SplitName,
): [MethodName, Scores][] {
	return (Object.keys(METHOD_TITLES) as MethodName[]).flatMap((method) => {
		const scores = methods[method]?.[split];
		return scores && scores.n > 0 ? [[method, scores]] : [];
	});
}

function best(rows: [MethodName, Scores][], column: (typeof COLUMNS)[number]) {
	const values = rows
		.map(([, scores]) => scores[column])
		.filter((v): v is number => typeof v === "number" && Number.isFinite(v));
	return column === "ncc" ? maxOf(values) : minOf(values);
}

function metricsTable(metrics: Metrics, split: SplitName): string {
	const rows = rowsOf(metrics, split);
	if (rows.length === 0) return "";
	const cells = (scores: Scores) =>
		COLUMNS.map((column) => {
			const shown = number(scores[column]);
			// By what is printed, so that equal figures are bold together.
			const wins = shown !== "–" && shown === number(best(rows, column));
			return `<td>${wins ? `<strong>${shown}</strong>` : shown}</td>`;
		}).join("");
	const body = rows
		.map(
			([method, scores]) =>
				`<tr><th scope="row">${METHOD_TITLES[method]}</th>${cells(scores)}<td>${escapeHtml(scores.n)}</td></tr>`,
		)
		.join("\n");
	return `<div class="wide"><table>
<caption><b>${SPLITS[split]}</b>: ${SPLIT_NOTES[split]}</caption>
<thead><tr><th scope="col">method</th><th scope="col">MAE</th><th scope="col">MSE</th><th scope="col">RMSE</th><th scope="col">NCC</th><th scope="col">n</th></tr></thead>
<tbody>
${body}
</tbody></table></div>`;
}

/** A sentence a split: who has the best NCC, and who comes next. */
function verdict(metrics: Metrics): string {
	const sentences = (Object.keys(SPLITS) as SplitName[]).flatMap((split) => {
		const [first, second] = rowsOf(metrics, split)
			.filter(([, { ncc }]) => Number.isFinite(ncc ?? NaN))
			.toSorted(([, a], [, b]) => Number(b.ncc) - Number(a.ncc));
		if (!second) return [];
		return [
			`<li>${SPLITS[split]}: <strong>${METHOD_TITLES[first[0]]}</strong> has the best NCC, ${number(first[1].ncc, 3)}, before ${METHOD_TITLES[second[0]]}, ${number(second[1].ncc, 3)}.</li>`,
		];
	});
	return sentences.length ? `<ul>\n${sentences.join("\n")}\n</ul>` : "";
}

function figure({ name, png, caption }: Figure): string {
	const { title, caption: usual } = FIGURES[name];
	return `<section><h2>${title}</h2>
<figure><div class="wide"><img class="${name}" alt="${title}" src="data:image/png;base64,${base64(png)}"></div>
<figcaption>${escapeHtml(caption ?? usual)}</figcaption></figure></section>`;
}

function duration(seconds: number): string {
	const s = Math.round(seconds);
	return s < 120 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}

/** The whole page as text. All that comes from the run is escaped; pictures are held as data URIs. */
export function reportHtml(run: RunSummary): string {
	const { metrics } = run;
	const order = Object.keys(FIGURES);
	const figures = run.figures.toSorted(
		(a, b) => order.indexOf(a.name) - order.indexOf(b.name),
	);
	const parameters: (readonly [string, string | number])[] = [
		["preset", metrics.preset],
		[
			"inputs of the networks",
			metrics.inputs === "physics"
				? "physics: image, activation map, backprojection, overlap, early-stopped ridge kernel"
				: metrics.inputs === "paper"
					? "paper: image, activation map"
					: metrics.inputs,
		],
		["seed", metrics.seed],
		["adapter", metrics.adapter],
		["time", duration(metrics.seconds)],
		...(run.parameters ?? []),
	];
	return page(
		run.title,
		"A scanning tunnelling microscope's image of a surface with many scatterers is, to first order, one single-scatterer interference pattern, the kernel, repeated at every scatterer. This run extracted kernels from such images in several ways and compared them with the truth.",
		`<section><h2>Results</h2>
${verdict(metrics)}
<div class="tables">
${(Object.keys(SPLITS) as SplitName[]).map((split) => metricsTable(metrics, split)).join("\n")}
</div>
<p class="faint">MAE, MSE and RMSE: mean absolute, mean squared and root mean squared error on a [−1, 1] scale, after min-max of both images, as the reference quotes them; smaller is better. NCC: normalised cross-correlation, blind to amplitude; 1 is perfect. n: observations averaged. Bold: best of its column.</p>
</section>
${figures.map(figure).join("\n")}
<section><h2>The run</h2>
<div class="wide"><table class="run"><tbody>
${parameters.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join("\n")}
</tbody></table></div>
<p>To do it again:</p>
<pre><code>${escapeHtml(run.command)}</code></pre>
</section>`,
	);
}
