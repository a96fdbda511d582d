/** The form that says what is asked of the kernels besides: nothing in it changes them. */
import type { PeakShape } from "../../extraction/findings/peakFit.ts";
import { checkLattice } from "../../extraction/lattice/lattice.ts";
import {
	cutsOf,
	groupsOf,
	ringsOf,
} from "../../extraction/results/analysisText.ts";
import { typeset } from "../../text.ts";
import type { AnalysisChoice, ShownLattice } from "./analysisTypes.ts";
import { byId, input, numberOf, select } from "./dom.ts";

/** Changed settings count when nothing has changed for so long, milliseconds. */
const CALM = 400;

const SIDES = ["lattice-a", "lattice-b", "lattice-angle"];
/** Fields, by their ids, that are kept with the work on a file. */
export const ANALYSIS = [
	...["cuts", "peak-shape", "rings", "symmetrised"],
	...SIDES,
];

/** Lists of numbers may have spaces; rings may be that of q*. */
const ringOf = (text: string) =>
	text.trim() === "q*" ? (true as const) : ringsOf(text);

export class AnalysisForm {
	#timer: ReturnType<typeof setTimeout> | undefined;
	readonly #changed: () => void;
	readonly #changing: () => void;
	#seen: ShownLattice | null = null;

	/** @param changing at every change; @param changed when the form is valid and has come to rest */
	constructor(changing: () => void, changed: () => void) {
		this.#changing = changing;
		this.#changed = changed;
		const form = byId<HTMLFormElement>("analysis-form");
		form.addEventListener("submit", (event) => event.preventDefault());
		form.addEventListener("input", () => this.#change());
		form.addEventListener("change", () => form.reportValidity());
		byId("lattice-seen").addEventListener("click", () => {
			const { a, b, angle } = this.#seen?.lattice ?? {};
			for (const [i, v] of [a, b, angle].entries())
				input(SIDES[i]).value = String(Number(v?.toFixed(i === 2 ? 1 : 3)));
			this.#change();
		});
		byId("lattice-clear").addEventListener("click", () => {
			for (const id of SIDES) input(id).value = "";
			this.#change();
		});
	}

	/** Of another file nothing is known. */
	clear(): void {
		for (const id of ANALYSIS) input(id).value = "";
		this.offer(null);
	}

	/** What some image of the file shows. */
	offer(lattice: ShownLattice | null): void {
		this.#seen = lattice;
		byId("lattice-told").textContent = typeset(lattice?.told ?? "");
		byId("lattice-seen").hidden = !lattice || lattice.given;
	}

	/** A direction (degrees) or a |q| (1/Angstrom) that was pointed at; else it takes the place of the others. */
	add(what: "cut" | "ring", value: string, besides: boolean): void {
		const field = input(what === "cut" ? "cuts" : "rings");
		const before = field.value.trim();
		const more = besides && before !== "" && before !== "q*";
		field.value = more ? `${before}, ${value}` : value;
		this.#change();
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
			lattice: this.#lattice,
		};
		return Object.values(choice).some((v) => v !== undefined)
			? choice
			: undefined;
	}

	/** One side alone is a square lattice's. */
	get #lattice(): AnalysisChoice["lattice"] {
		const first = input(SIDES[0]);
		first.setCustomValidity("");
		const [a, b = a, angle = 90] = SIDES.map((id) => numberOf(input(id)));
		if (a === undefined) return undefined;
		const lattice = { a, b: b ?? a, angle };
		try {
			checkLattice(lattice);
		} catch (error) {
			first.setCustomValidity((error as Error).message);
			return undefined;
		}
		return lattice;
	}

	#change(): void {
		clearTimeout(this.#timer);
		const { choice } = this;
		byId<HTMLButtonElement>("lattice-clear").hidden = !choice?.lattice;
		this.#timer = setTimeout(() => {
			if (byId<HTMLFormElement>("analysis-form").checkValidity())
				this.#changed();
		}, CALM);
		this.#changing();
	}
}
