/** What every part of the page needs of the document. */
import { typeset } from "../../../text.ts";

/** The element of that id. Throws where there is none: the page and its script do not belong together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
	const found = document.getElementById(id);
	if (!found) throw new Error(`the page has no element "${id}"`);
	return found as T;
}

export const input = (id: string) => byId<HTMLInputElement>(id);
export const select = (id: string) => byId<HTMLSelectElement>(id);

/** Makes an element with properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	properties: Partial<HTMLElementTagNameMap[K]> = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

/** Sentences as items of a list. */
export const sentences = (lines: readonly string[]): HTMLLIElement[] =>
	lines.map((line) => make("li", {}, typeset(line)));

/** More lines than this are folded: of sixty energies each may have one. */
const MOST_LINES = 4;

/** The same, all but the first few folded away. */
export function folded(lines: readonly string[]): HTMLLIElement[] {
	if (lines.length <= MOST_LINES + 1) return sentences(lines);
	const rest = lines.slice(MOST_LINES);
	return [
		...sentences(lines.slice(0, MOST_LINES)),
		make(
			"li",
			{},
			make(
				"details",
				{},
				make("summary", {}, `and ${rest.length} more`),
				make("ul", {}, ...sentences(rest)),
			),
		),
	];
}

/** Gives a file to the user. */
export function save(blob: Blob, name: string): void {
	const href = URL.createObjectURL(blob);
	make("a", { href, download: name }).click();
	// The browser reads it after the click.
	setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** The number in a field, or undefined where it is empty. */
export function numberOf(input: HTMLInputElement): number | undefined {
	return input.value.trim() === "" ? undefined : input.valueAsNumber;
}

/** A row of cells, the first of them its head. */
export const rowOf = (...cells: (Node | string)[]): HTMLTableRowElement =>
	make(
		"tr",
		{},
		...cells.map((cell, i) =>
			i === 0 ? make("th", { scope: "row" }, cell) : make("td", {}, cell),
		),
	);

/** Asks by a dialog of the page. Resolves to whether it was closed by the button of value `yes`. */
export function confirmed(id: string, yes: string): Promise<boolean> {
	const dialog = byId<HTMLDialogElement>(id);
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener(
			"close",
			() => resolve(dialog.returnValue === yes),
			{ once: true },
		);
	});
}
