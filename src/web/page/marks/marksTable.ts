/** The scatterers as a table, for keyboards and for exact places. */
import { byId, make, rowOf } from "../basics/dom.ts";
import type { Scatterers } from "../picture/scatterers.ts";
import { swatch } from "./kindsList.ts";

const NUMBERS = [
	["x", 1],
	["y", 1],
	["weight", 2],
] as const;

/** The column that says the kind. */
const KIND = 4;

export class MarksTable {
	readonly #body: HTMLElement;
	readonly #scatterers: Scatterers;
	#rows: HTMLTableRowElement[] = [];

	constructor(scatterers: Scatterers) {
		this.#scatterers = scatterers;
		this.#body = byId("marks-table").querySelector("tbody") as HTMLElement;
	}

	/** Draws it anew. */
	show(): void {
		const { list, chosen, selected } = this.#scatterers;
		// Rows stay as long as they can: the field that the Tab key goes to next must still be there.
		if (list.length !== this.#rows.length) this.#makeRows(list.length);
		for (const [i, row] of this.#rows.entries()) {
			const fields = [...row.querySelectorAll("input")];
			for (const [k, [key, digits]] of NUMBERS.entries())
				fields[k].value = String(Number(list[i][key].toFixed(digits)));
			fields[NUMBERS.length].checked = list[i].keep;
			fields[NUMBERS.length + 1].checked = selected.has(i);
			const { kind } = list[i];
			row.cells[KIND].replaceChildren(swatch(kind), String(kind));
			row.classList.toggle("chosen", i === chosen);
		}
		if (chosen >= 0) this.#reveal(this.#rows[chosen]);
	}

	focusLast(): void {
		this.#field(this.#rows.length - 1, 0)?.focus();
	}

	#makeRows(count: number): void {
		const focused = this.#focused();
		this.#rows = Array.from({ length: count }, (_, i) => this.#row(i));
		this.#body.replaceChildren(...this.#rows);
		if (!focused) return;
		const { row, column } = focused;
		const next = this.#field(Math.min(row, count - 1), column);
		(next ?? byId("add-mark")).focus({ preventScroll: true });
	}

	/** Scrolls the table alone: the page must not move while people click on the picture. */
	#reveal(row: HTMLElement): void {
		const scroller = this.#body.closest(".scroll") as HTMLElement;
		const [at, inside] = [row, scroller].map((e) => e.getBoundingClientRect());
		scroller.scrollTop +=
			Math.max(0, at.bottom - inside.bottom) - Math.max(0, inside.top - at.top);
	}

	#fields(row: number): HTMLElement[] {
		return [
			...(this.#rows[row]?.querySelectorAll<HTMLElement>("input, button") ??
				[]),
		];
	}

	#field(row: number, column: number): HTMLElement | undefined {
		return this.#fields(row)[column];
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

	#row(i: number): HTMLTableRowElement {
		const numbers = NUMBERS.map(([key]) => {
			const field = make("input", {
				type: "number",
				step: "any",
				ariaLabel: `${key} of scatterer ${i + 1}`,
			});
			field.addEventListener("change", () => {
				if (Number.isFinite(field.valueAsNumber))
					this.#scatterers.change(i, { [key]: field.valueAsNumber });
				// What is no number is put back.
				else this.#scatterers.choose(i);
			});
			return field;
		});
		const keep = make("input", {
			type: "checkbox",
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
		const select = make("input", {
			type: "checkbox",
			ariaLabel: `select scatterer ${i + 1}`,
		});
		select.addEventListener("change", () =>
			this.#scatterers.select(i, select.checked),
		);
		return rowOf(String(i + 1), ...numbers, "", keep, remove, select);
	}
}
