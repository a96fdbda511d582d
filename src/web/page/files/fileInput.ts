/** The ways in which a file comes: chosen, dropped on the page, or the built-in sample. */
import { download } from "../../fetchWeights.ts";
import { byId, input } from "../basics/dom.ts";

/** Milliseconds in which a line is read. */
const READ = 15_000;
const SAMPLE = "sample.3ds";

/** @param open is told the files' name, and how to get them */
export function onFile(
	open: (
		name: string,
		get: () => readonly File[] | Promise<readonly File[]>,
	) => void,
): void {
	const drop = byId("drop");
	const dropped = byId("dropped");
	input("file").addEventListener("change", () => {
		const chosen = [...(input("file").files ?? [])];
		dropped.hidden = true;
		if (chosen.length > 0) open(nameOf(chosen), () => chosen);
		input("file").value = ""; // so that the same file can be chosen again
	});
	document.addEventListener("dragover", (event) => {
		// A browser that opens the file in place of the page would end a training.
		event.preventDefault();
		drop.classList.add("over");
	});
	document.addEventListener("dragleave", () => drop.classList.remove("over"));
	document.addEventListener("drop", (event) => {
		event.preventDefault();
		drop.classList.remove("over");
		const chosen = [...(event.dataTransfer?.files ?? [])];
		if (chosen.length === 0) return;
		// A file is to be extracted from, wherever it is dropped.
		const onTrain = byId("extract").hidden;
		if (onTrain) byId("tab-extract").click();
		dropped.textContent = `Train takes no file, it makes its own data: ${nameOf(chosen)} is opened here, to extract from.`;
		dropped.hidden = !onTrain;
		setTimeout(() => {
			dropped.hidden = true;
		}, READ);
		open(nameOf(chosen), () => chosen);
	});
	byId("sample").addEventListener("click", () => {
		dropped.hidden = true;
		open(SAMPLE, async () => [
			new File([await download(SAMPLE, () => {})], SAMPLE),
		]);
	});
}

const nameOf = ([first, ...more]: readonly File[]) =>
	more.length > 0 ? `${more.length + 1} files` : first.name;
