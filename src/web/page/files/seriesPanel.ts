/** Several files as one series, and back: what is offered, and where each map of a series was. */

import type { Series } from "../../../extraction/results/input.ts";
import { maxOf } from "../../../qpi/maths/extremes.ts";
import { typeset } from "../../../text.ts";
import { byId, rowOf } from "../basics/dom.ts";
import { type Candidate, mV, noSeries, offerOf } from "./seriesOffer.ts";

export class SeriesPanel<C extends Candidate> {
	#offered: readonly C[] = [];
	/** Of the files that were opened last: why they are no series, and which could not be read. */
	#said: readonly string[] = [];

	/** @param take is told the files of the series that is wanted; @param apart that its files are wanted side by side */
	constructor(take: (files: readonly C[]) => void, apart: () => void) {
		byId("series-take").addEventListener("click", () => take(this.#offered));
		byId("series-apart").addEventListener("click", apart);
	}

	/** Files were chosen or dropped together, or one by itself. @param unread what could not be read, a line each */
	opened(together: readonly C[], unread: readonly string[]): void {
		const offered = offerOf(together, together[0]?.id) !== null;
		this.#said = [
			noSeries(together, offered) ?? [],
			unread.map((line) => `Not opened: ${line}`),
		].flat();
	}

	/** @param series of what is shown, where it is one */
	show(
		open: readonly C[],
		shown: string | undefined,
		series: Series | undefined,
	): void {
		const offer = series ? null : offerOf(open, shown);
		this.#offered = offer?.files ?? [];
		const told = [series ? [] : (offer?.told ?? []), this.#said]
			.flat()
			.join("\n");
		byId("series-about").textContent = typeset(told);
		byId("series-take").hidden = !offer;
		byId("series-take").textContent = offer?.label ?? "";
		byId("series-offer").hidden = told === "";
		byId("series").hidden = !series;
		if (series) showShifts(series);
	}
}

function showShifts({ onto, by, unit, parts }: Series): void {
	const length = unit === "A" ? "Å" : unit;
	const most = maxOf(parts.map(({ x, y }) => Math.hypot(x, y)));
	const shift = (v: number) => v.toFixed(1).replace("-", "−");
	byId("series-head").textContent =
		`One series: ${parts.length} files, drift of ${most.toFixed(1)} ${length} at most`;
	byId("series-by").textContent =
		`Sorted by bias and moved onto ${onto} by ${by}.`;
	byId("series-unit").textContent = `drift x, y, ${length}`;
	byId("series-rows").replaceChildren(
		...parts.map(({ file, energy, x, y }) =>
			rowOf(
				mV(energy),
				file === onto ? "onto this one" : `${shift(x)}, ${shift(y)}`,
				file,
			),
		),
	);
}
