/** What to do next, in one line, and short ways to the parts of the page: without them a long list of scatterers lies between form and picture. */
import { byId, make } from "./dom.ts";

/** Of the work on the file that is open. */
export interface Stand {
	readonly open: boolean;
	/** A result of this program, or of a size too small: only to be looked at. */
	readonly own: boolean;
	/** Whether its size is known; else it is asked for. */
	readonly sized: boolean;
	readonly prepared: boolean;
	/** Scatterers that are used. */
	readonly used: number;
	/** Whether they are as a search found them. */
	readonly asFound: boolean;
	readonly result: "none" | "stale" | "fresh";
}

export function nextStep(stand: Stand): string {
	const { open, own, sized, prepared, used, asFound, result } = stand;
	if (!open) return "Open a file or the sample, or drop one.";
	if (own) return "A result of this program: open a scan to extract from.";
	if (!prepared && sized) return "As measured, not yet prepared.";
	if (!prepared) return "How long is its longer side in Å? Type it at 2 Image.";
	if (used === 0)
		return "No scatterer is marked: click on each in the picture, or Detect.";
	const many = `${used} scatterer${used > 1 ? "s" : ""}`;
	if (result === "stale") return `Changed since: Extract again (${many}).`;
	if (result === "fresh")
		return "Extracted. A click in |FFT| sets a cut, of a stack E(q).";
	return `${many} ${asFound ? "found" : "marked"}: look at the rings, then Extract.`;
}

/** Where one can go, and what has to be seen for it. */
const PLACES = [
	["Picture", "picture-head"],
	["Scatterers", "marks-head"],
	["Kernel", "results-head"],
	["q space", "fourier-head"],
	["Findings", "findings-head"],
	["Files", "exports-head"],
] as const;

export class Guide {
	readonly #links = PLACES.map(([name, id]) => {
		const button = make("button", { type: "button" }, name);
		button.addEventListener("click", () => go(id));
		return [button, id] as const;
	});

	constructor() {
		byId("jump").append(...this.#links.map(([button]) => button));
	}

	tell(stand: Stand): void {
		byId("intro").hidden = stand.open;
		const line = byId("next");
		const said = nextStep(stand);
		// Read out when it changes.
		if (line.textContent !== said) line.textContent = said;
		for (const [button, id] of this.#links)
			button.hidden = byId(id).closest("[hidden]") !== null;
	}
}

function go(id: string): void {
	const head = byId(id);
	const panel = head.closest("details");
	if (panel) panel.open = true;
	const target = head.closest("summary") ?? head;
	target.scrollIntoView({ block: "start" });
	target.focus({ preventScroll: true });
}
