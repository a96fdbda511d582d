/** report.html of an extraction: one page that holds everything. */
import { base64, escapeHtml, page } from "../../drawing/html.ts";
import { typeset } from "../../text.ts";

export interface ExtractionFigure {
	readonly title: string;
	readonly caption: string;
	readonly png: Uint8Array;
}

/** A row a method: its name, the shares of variance explained (null: not known), and whether it is the one chosen. */
export interface MethodRow {
	readonly name: string;
	readonly heldOut: number | null;
	readonly inSample: number | null;
	readonly chosen: boolean;
}

export interface Table {
	readonly caption: string;
	/** Of the columns. */
	readonly heads: readonly string[];
	readonly rows: readonly (readonly string[])[];
}

export interface ExtractionSummary {
	readonly title: string;
	/** What was found, a sentence each. */
	readonly findings: readonly string[];
	/** What was read and done before, a line each. */
	readonly done: readonly string[];
	readonly warnings: readonly string[];
	readonly methods: readonly MethodRow[];
	/** Of scatterers that were looked for: what was found, a line each, and as tables. */
	readonly found?: {
		readonly told: readonly string[];
		readonly tables: readonly Table[];
	};
	readonly tables?: readonly Table[];
	readonly figures: readonly ExtractionFigure[];
	readonly parameters: readonly (readonly [string, string])[];
	/** The command line that does it again. */
	readonly command: string;
}

const share = (value: number | null) =>
	value === null || !Number.isFinite(value)
		? "–"
		: value.toFixed(3).replace("-", "−");

const list = (items: readonly string[]) =>
	`<ul>\n${items.map((item) => `<li>${escapeHtml(typeset(item))}</li>`).join("\n")}\n</ul>`;

function methodTable(methods: readonly MethodRow[]): string {
	const rows = methods.map(({ name, heldOut, inSample, chosen }) => {
		const cells = [name, share(heldOut), share(inSample)].map((cell) =>
			chosen ? `<strong>${escapeHtml(cell)}</strong>` : escapeHtml(cell),
		);
		return `<tr><th scope="row">${cells[0]}</th><td>${cells[1]}</td><td>${cells[2]}</td></tr>`;
	});
	return `<div class="wide"><table>
<caption>Share of the image's variance that each method's kernel explains; bold: the one shown here</caption>
<thead><tr><th scope="col">method</th><th scope="col">held-out pixels</th><th scope="col">fitted pixels</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>
<p class="faint">Held out: blocks of pixels that the fit did not see. Only that column can tell methods apart: a kernel has more values than the image has pixels, so that on the fitted pixels anything can be explained.</p>`;
}

function table({ caption, heads, rows }: Table): string {
	const cells = (row: readonly string[]) =>
		row
			.map((cell, i) =>
				i
					? `<td>${escapeHtml(cell)}</td>`
					: `<th scope="row">${escapeHtml(cell)}</th>`,
			)
			.join("");
	return `<div class="wide"><table>
<caption>${escapeHtml(caption)}</caption>
<thead><tr>${heads.map((head) => `<th scope="col">${escapeHtml(head)}</th>`).join("")}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}
</tbody></table></div>`;
}

/** A picture of several panels keeps a size at which they can be read, and scrolls on a narrow screen. */
const [NARROW, LEGIBLE] = [680, 704];

function figure({ title, caption, png }: ExtractionFigure): string {
	const width = widthOf(png) / 2;
	const least = width > NARROW ? Math.min(width, LEGIBLE) : 0;
	return `<section${width > NARROW ? ' class="row"' : ""}><h2>${escapeHtml(title)}</h2>
<figure><div class="wide"><img alt="${escapeHtml(title)}" style="width:${width}px;min-width:${least}px" src="data:image/png;base64,${base64(png)}"></div>
<figcaption>${escapeHtml(caption)}</figcaption></figure></section>`;
}

/** Pixels across, from the header (ISO/IEC 15948, 11.2.2); pictures have two for each of the page's. */
const widthOf = (png: Uint8Array) =>
	new DataView(png.buffer, png.byteOffset).getUint32(16);

/** The whole page as text. All that comes from the file is escaped; pictures are held as data URIs. */
export function extractionHtml(summary: ExtractionSummary): string {
	const { findings, done, warnings, methods, tables = [], figures } = summary;
	const { found } = summary;
	const rows = summary.parameters.map(
		([name, value]) =>
			`<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
	);
	const parts = [
		`<section><h2>Result</h2>\n${list(findings)}`,
		warnings.length ? `<h2>Warnings</h2>\n${list(warnings)}` : "",
		methods.length ? methodTable(methods) : "",
		...tables.map(table),
		found
			? `<h2>What was found</h2>\n${[...(found.told.length ? [list(found.told)] : []), ...found.tables.map(table)].join("\n")}`
			: "",
		`<h2>What was read and done</h2>\n${list(done)}\n</section>`,
		`<div class="figures">\n${figures.map(figure).join("\n")}\n</div>`,
		`<section><h2>How it was made</h2>
<div class="wide"><table class="run"><tbody>
${rows.join("\n")}
</tbody></table></div>
<p>To do it again:</p>
<pre><code>${escapeHtml(summary.command)}</code></pre>
</section>`,
	];
	return page(
		summary.title,
		"A scanning tunnelling microscope's image of a surface with many scatterers is, to first order, one pattern, the kernel, repeated at every scatterer. This page shows the kernel extracted from one measurement, how sure it is, and whether it explains the image when it is put back at the scatterers.",
		parts.filter(Boolean).join("\n"),
	);
}
