/** Scatterers and masks by buttons, files and keys. */
import {
	type DetectedScatterer,
	writeScatterers,
} from "../../../extraction/marks/scatterers.ts";
import { readMasks } from "../../../extraction/scan/masks.ts";
import { byId, input, save } from "../basics/dom.ts";
import { History } from "../basics/history.ts";
import type { LatticeForm } from "../forms/latticeForm.ts";
import type { Point } from "../picture/fieldDrawing.ts";
import type { Masks } from "../picture/maskTool.ts";
import type { Scatterers } from "../picture/scatterers.ts";
import type { MarksTable } from "./marksTable.ts";

/** What edits need of the page. */
interface Needs {
	/** Of the picture. */
	middle(): Point;
	/** Does what takes time, and shows what goes wrong. */
	read(file: File, take: () => Promise<void>): void;
	readScatterers(
		text: string,
		file: string,
	): Promise<readonly DetectedScatterer[]>;
}

export function onEdits(
	scatterers: Scatterers,
	table: MarksTable,
	masks: Masks,
	lattice: LatticeForm,
	needs: Needs,
): History {
	const history = new History();
	for (const list of [scatterers, masks, lattice])
		list.onEdit = () => history.did(list);
	byId("undo").addEventListener("click", () => history.undo());
	byId("redo").addEventListener("click", () => history.redo());
	byId("add-mark").addEventListener("click", () => {
		const { x, y } = needs.middle();
		scatterers.add({ x: Number(x.toFixed(1)), y: Number(y.toFixed(1)) });
		table.focusLast();
	});
	const onList = (id: string, take: (file: File) => Promise<void>) =>
		input(id).addEventListener("change", () => {
			const chosen = input(id).files?.[0];
			if (chosen) needs.read(chosen, () => take(chosen));
			input(id).value = ""; // so that the same file can be chosen again
		});
	onList("marks-file", async (file) => {
		const text = await file.text();
		scatterers.replace(await needs.readScatterers(text, file.name));
	});
	onList("mask-file", async (file) => {
		masks.replace(readMasks(await file.text(), file.name));
	});
	byId("save-marks").addEventListener("click", () =>
		save(
			new Blob([writeScatterers(scatterers.list)], { type: "text/csv" }),
			"scatterers.csv",
		),
	);
	document.addEventListener("keydown", (event) => {
		const typing =
			event.target instanceof HTMLInputElement || byId("extract").hidden;
		if (!(event.ctrlKey || event.metaKey) || typing) return;
		const key = event.key.toLowerCase();
		if (key !== "z" && key !== "y") return;
		event.preventDefault();
		if (key === "y" || event.shiftKey) history.redo();
		else history.undo();
	});
	return history;
}
