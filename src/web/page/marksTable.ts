/** The scatterers as a table, for keyboards and for exact places. */
import type { DetectedScatterer } from "../../extraction/scatterers.ts";
import { byId, make, rowOf } from "./dom.ts";
import type { Scatterers } from "./scatterers.ts";

export class MarksTable {
	readonly #body: HTMLElement;
	readonly #scatterers: Scatterers;
	#rows: HTMLTableRowElement[] = [];

	constructor(scatterers: Scatterers) {
		this.#scatterers = scatterers;
		this.#body = byId("marks-table").querySelector("tbody") as HTMLElement;
	}

	show(list: readonly DetectedScatterer[], chosen: number): void {
		// The field that is being edited must not go away under the fingers.
		const focused = this.#focused();
		this.#rows = list.map((scatterer, i) => this.#row(scatterer, i));
		this.#body.replaceChildren(...this.#rows);
		this.#rows[chosen]?.classList.add("chosen");
		this.#rows[chosen]?.scrollIntoView({ block: "nearest" });
		if (focused) this.#field(focused.row, focused.column)?.focus();
	}

	focusLast(): void {
		this.#field(this.#rows.length - 1, 0)?.focus();
	}

	#fields(row: number): HTMLElement[] {
		return [...(this.#rows[row]?.querySelectorAll("input, button") ?? [])].map(
			(element) => element as HTMLElement,
		);
	}

	#field(row: number, column: number): HTMLElement | undefined {
		return this.#fields(Math.min(row, this.#rows.length - 1))[column];
	}

	#focused(): { row: number; column: number } | null {
		for (const row of this.#rows.keys()) {
			const column = this.#fields(row).indexOf(
				document.activeElement as HTMLElement,
			);
			if (column >= 0) return { row, column };
		}
		return null;
	}

	#row(scatterer: DetectedScatterer, i: number): HTMLTableRowElement {
		const number = (key: "x" | "y" | "weight", digits: number) => {
			const field = make("input", {
				type: "number",
				step: "any",
				value: String(Number(scatterer[key].toFixed(digits))),
				ariaLabel: `${key} of scatterer ${i + 1}`,
			});
			field.addEventListener("change", () => {
				if (Number.isFinite(field.valueAsNumber))
					this.#scatterers.change(i, { [key]: field.valueAsNumber });
				else field.value = String(scatterer[key]);
			});
			return field;
		};
		const keep = make("input", {
			type: "checkbox",
			checked: scatterer.keep,
			ariaLabel: `use scatterer ${i + 1}`,
		});
		keep.addEventListener("change", () =>
			this.#scatterers.change(i, { keep: keep.checked }),
		);
		const remove = make(
			"button",
			{ type: "button", ariaLabel: `remove scatterer ${i + 1}` },
			"×",
		);
		remove.addEventListener("click", () => this.#scatterers.remove(i));
		return rowOf(
			String(i + 1),
			number("x", 1),
			number("y", 1),
			number("weight", 2),
			keep,
			remove,
		);
	}
}
