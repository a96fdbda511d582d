/** The kinds of scatterers: all marks of one are accepted, rejected or given to another kind at once, and marks that are selected become a new one. */

import { kindColour } from "../../../drawing/colour.ts";
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import { byId, make } from "../basics/dom.ts";
import type { Scatterers } from "../picture/scatterers.ts";

/** What no kind explains has a kind only where people use it. */
const belongs = (s: DetectedScatterer, kind: number) =>
	s.kind === kind && (s.keep || s.quality > 0);

/** A patch in the kind's colour. */
export function swatch(kind: number): HTMLElement {
	const patch = make("span", { className: "swatch" });
	patch.style.background = kindColour(kind);
	return patch;
}

export class KindsList {
	readonly #scatterers: Scatterers;

	constructor(scatterers: Scatterers) {
		this.#scatterers = scatterers;
		byId("split").addEventListener("click", () => scatterers.split());
		byId("remove-selected").addEventListener("click", () =>
			scatterers.removeSelected(),
		);
	}

	/** Draws it anew. */
	show(): void {
		const { list, selected, kinds } = this.#scatterers;
		for (const id of ["split", "remove-selected"])
			byId<HTMLButtonElement>(id).disabled = selected.size === 0;
		byId("kinds-list").replaceChildren(
			...kinds
				.filter((kind) => list.some((s) => belongs(s, kind)))
				.map((kind) => this.#row(kind, kinds)),
		);
	}

	#row(kind: number, kinds: readonly number[]): HTMLElement {
		const scatterers = this.#scatterers;
		const of = scatterers.list.filter((s) => belongs(s, kind));
		const used = of.filter(({ keep }) => keep).length;
		const use = make(
			"button",
			{
				type: "button",
				ariaLabel: `${used ? "reject" : "use"} all of kind ${kind}`,
			},
			used ? "Reject all" : "Use all",
		);
		use.addEventListener("click", () =>
			scatterers.changeAll((s) => belongs(s, kind), { keep: !used }),
		);
		const into = make(
			"select",
			{ ariaLabel: `merge kind ${kind} into` },
			make("option", { value: "" }, "merge into…"),
			...kinds
				.filter((other) => other !== kind)
				.map((other) =>
					make("option", { value: String(other) }, `kind ${other}`),
				),
		);
		into.hidden = kinds.length < 2;
		into.addEventListener("change", () =>
			scatterers.changeAll((s) => s.kind === kind, {
				kind: Number(into.value),
			}),
		);
		return make(
			"li",
			{ className: "row" },
			swatch(kind),
			`kind ${kind}: ${used} of ${of.length} used`,
			use,
			into,
		);
	}
}
