/** The command line that gives the same, and the files that it reads: each can be had here, so that it names none that is not there. */
import { LISTS } from "../../../extraction/results/session.ts";
import { byId, make } from "../basics/dom.ts";
import type { Outcome } from "../worker/extractTypes.ts";

/** What a button is asked for that gives the file that is open. */
export const OPEN_FILE = "open file";

/** @param ask is told the name of a file that is wanted, or OPEN_FILE */
export function onCommandFiles(ask: (name: string) => void): void {
	byId("command-files").addEventListener("click", ({ target }) => {
		const { reads } = (target as HTMLElement).dataset;
		if (reads) ask(reads);
	});
}

export function showCommand({ command, file, files, names }: Outcome): void {
	byId("command").textContent = command;
	const lists = Object.values(LISTS).filter(
		(name) => command.includes(`=${name}`) && names.includes(name),
	);
	const button = (name: string, reads: string) => {
		const made = make("button", { type: "button" }, name);
		made.dataset.reads = reads;
		made.dataset.waits = "";
		return made;
	};
	byId("command-files").replaceChildren(
		"It reads these, in the folder where it is typed: ",
		files ? `the ${files} files of the series` : button(file, OPEN_FILE),
		...(files && lists.length > 0 ? [", "] : []),
		...lists.map((name) => button(name, name)),
		...(command.includes("--weights=")
			? [
					" and the folder of weights: Train's .zip, or a saved session, unpacked",
				]
			: []),
	);
}
