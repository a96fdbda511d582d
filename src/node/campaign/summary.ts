/** summary.csv and summary.html: one table over many inputs, a row a kind of scatterers, a row a failure. */
import { join } from "node:path";
import { escapeHtml, page } from "../../drawing/html.ts";
import { writeFileAtomic } from "../files/files.ts";
import { PAGE, TABLE } from "./folders.ts";
import { type Campaign, type Entry, writeCampaign } from "./record.ts";
import type { Row } from "./rows.ts";

type Cell = string | number | null | undefined;

/** Heads, and what stands below them; seconds are the one thing that differs from run to run. */
const COLUMNS: readonly (readonly [
	string,
	(entry: Entry, row?: Row) => Cell,
])[] = [
	["file", ({ file }) => file],
	["folder", ({ folder, done }) => done && folder],
	["channel", (_, row) => row?.channel],
	["lowest energy (eV)", (_, row) => row?.energies?.[0]],
	["highest energy (eV)", (_, row) => row?.energies?.[1]],
	["method", (_, row) => row?.method],
	["kind", (_, row) => row?.kind],
	["kinds", (_, row) => row?.kinds],
	["scatterers", (_, row) => row?.scatterers],
	["held-out explained variance", (_, row) => row?.explained],
	["q* (1/Angstrom)", (_, row) => row?.q?.value],
	["error of q*", (_, row) => row?.q?.error],
	["m* (electron masses)", (_, row) => row?.mass?.value],
	["error of m*", (_, row) => row?.mass?.error],
	["E0 (eV)", (_, row) => row?.bottom?.value],
	["error of E0", (_, row) => row?.bottom?.error],
	["symmetry", (_, row) => row?.symmetry],
	["seconds", ({ seconds }) => Number(seconds.toFixed(1))],
	["error", ({ error }) => error],
];

/** The rows of this run's inputs in their order, then those of earlier runs. */
const rowsOf = ({ entries, others }: Campaign) =>
	[...entries, ...others].flatMap((entry) =>
		(entry.done?.rows ?? [undefined]).map((row) => ({ entry, row })),
	);

/** The table for other programs: 7 digits, quotes where a cell needs them, empty where nothing is known. */
export const summaryCsv = (campaign: Campaign): string =>
	[
		COLUMNS.map(([head]) => head),
		...rowsOf(campaign).map(({ entry, row }) =>
			COLUMNS.map(([, cell]) => csvCell(cell(entry, row))),
		),
	]
		.map((cells) => `${cells.join(",")}\n`)
		.join("");

function csvCell(value: Cell): string {
	if (typeof value === "number") return String(Number(value.toPrecision(7)));
	const text = value ?? "";
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The table for people, with links to the reports. */
export function summaryHtml(campaign: Campaign): string {
	const rows = rowsOf(campaign);
	const used = COLUMNS.filter(
		([head, cell]) =>
			head !== "folder" &&
			rows.some(({ entry, row }) => (cell(entry, row) ?? "") !== ""),
	);
	const all = [...campaign.entries, ...campaign.others];
	const failed = all.filter(({ done }) => !done).length;
	const heads = used.map(
		([head]) => `<th scope="col">${escapeHtml(head)}</th>`,
	);
	const lines = rows.map(({ entry, row }) => {
		const cells = used.map(([head, cell]) => {
			const text = escapeHtml(htmlCell(cell(entry, row)));
			if (head !== "file") return `<td>${text}</td>`;
			const link = `${encodeURIComponent(entry.folder)}/report.html`;
			return `<th scope="row">${entry.done ? `<a href="${escapeHtml(link)}">${text}</a>` : text}</th>`;
		});
		return `<tr>${cells.join("")}</tr>`;
	});
	return page(
		"Kernels of many files",
		`${all.length - failed} of ${all.length} files are done${failed > 0 ? `, ${failed} failed` : ""}; ${TABLE} has the same table for other programs.`,
		`<div class="wide"><table>\n<thead><tr>${heads.join("")}</tr></thead>\n<tbody>\n${lines.join("\n")}\n</tbody></table></div>`,
	);
}

const htmlCell = (value: Cell): string =>
	typeof value === "number"
		? String(Number(value.toPrecision(4)))
		: (value ?? "");

/** Writes campaign.json, and both tables, into the campaign's folder. */
export async function saveCampaign(
	out: string,
	campaign: Campaign,
): Promise<void> {
	await writeCampaign(out, campaign);
	await writeFileAtomic(join(out, TABLE), summaryCsv(campaign));
	await writeFileAtomic(join(out, PAGE), summaryHtml(campaign));
}
