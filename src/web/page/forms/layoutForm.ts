/** How an array's indices are taken: the file does not say, people see it. */
import type { ArrayLayout, Axes, Orientation } from "../../../formats/axes.ts";
import { byId, make, select } from "../basics/dom.ts";
import type { Opened } from "../worker/extractTypes.ts";

const WORDS: Readonly<Record<string, string>> = {
	e: "image",
	x: "x",
	y: "y",
};

/** "first x, then y" */
const said = (axes: Axes): string =>
	[...axes].map((axis) => WORDS[axis]).join(", ");

/** Offers what an array can be; of a file that says it itself nothing. The first of its axes are those that are usual. */
export function offerLayout({ axes }: Opened): void {
	byId("layout").hidden = axes.length === 0;
	select("axes").replaceChildren(
		...axes.map((each, i) =>
			make("option", { value: i === 0 ? "" : each }, said(each)),
		),
	);
	select("orientation").value = "";
}

export function restoreLayout({ axes, orientation }: ArrayLayout): void {
	select("axes").value = axes ?? "";
	select("orientation").value = orientation === "top" ? "top" : "";
}

/** What is chosen; what is usual is left out. */
export const layoutOf = (): ArrayLayout => ({
	axes: (select("axes").value || undefined) as Axes | undefined,
	orientation: (select("orientation").value || undefined) as
		| Orientation
		| undefined,
});
