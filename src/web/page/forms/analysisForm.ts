/** The form that says what is asked of the kernels besides: nothing in it changes them. */
import type { PeakShape } from "../../../extraction/findings/peakFit.ts";
import {
	cutsOf,
	groupsOf,
	ringsOf,
} from "../../../extraction/results/analysisText.ts";
import { byId, input, select } from "../basics/dom.ts";
import type { AnalysisChoice } from "../worker/analysisTypes.ts";
import type { LatticeForm } from "./latticeForm.ts";

/** Changed settings count when nothing has changed for so long, milliseconds. */
const CALM = 400;

/** Fields, by their ids, that are kept with the work on a file. */
export const ANALYSIS = ["cuts", "peak-shape", "rings", "symmetrised"];

/** Lists of numbers may have spaces; rings may be that of q*. */
const ringOf = (text: string) =>
	text.trim() === "q*" ? (true as const) : ringsOf(text);

export class AnalysisForm {
	#timer: ReturnType<typeof setTimeout> | undefined;
	readonly #changed: () => void;
	readonly #changing: () => void;
	readonly #lattice: Pick<LatticeForm, "forUnits">;

	/** @param changing at every change; @param changed when the form is valid and has come to rest */
	constructor(
		lattice: Pick<LatticeForm, "forUnits">,
		changing: () => void,
		changed: () => void,
	) {
		this.#lattice = lattice;
		this.#changing = changing;
		this.#changed = changed;
		const form = byId<HTMLFormElement>("analysis-form");
		form.addEventListener("submit", (event) => event.preventDefault());
		form.addEventListener("input", () => this.change());
		form.addEventListener("change", () => form.reportValidity());
	}

	/** Of another file nothing is known. */
	clear(): void {
		for (const id of ANALYSIS) input(id).value = "";
	}

	/** A direction (degrees) or a |q| (1/Angstrom) that was pointed at; else it takes the place of the others. */
	add(what: "cut" | "ring", value: string, besides: boolean): void {
		const field = input(what === "cut" ? "cuts" : "rings");
		const before = field.value.trim();
		const more = besides && before !== "" && before !== "q*";
		field.value = more ? `${before}, ${value}` : value;
		this.change();
	}

	/** Undefined where nothing is asked for; throws nothing: what cannot be read is not asked for. */
	get choice(): AnalysisChoice | undefined {
		const read = <T>(id: string, of: (text: string) => T): T | undefined => {
			const field = input(id);
			field.setCustomValidity("");
			if (field.value.trim() === "") return undefined;
			try {
				return of(field.value);
			} catch (error) {
				field.setCustomValidity((error as Error).message);
				return undefined;
			}
		};
		const cut = read("cuts", cutsOf);
		const shape = select("peak-shape").value as PeakShape | "";
		const choice = {
			cut,
			peakShape: (cut && shape) || undefined,
			ring: read("rings", ringOf),
			symmetrised: read("symmetrised", groupsOf),
			lattice: this.#lattice.forUnits,
		};
		return Object.values(choice).some((v) => v !== undefined)
			? choice
			: undefined;
	}

	/** Something was changed, by people or by the page. */
	change(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			if (byId<HTMLFormElement>("analysis-form").checkValidity())
				this.#changed();
		}, CALM);
		this.#changing();
	}
}
