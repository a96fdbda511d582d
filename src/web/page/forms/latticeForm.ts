/** The atomic lattice: for q in its units alone, or to correct the scan by. */
import {
	checkLattice,
	type Lattice,
} from "../../../extraction/lattice/lattice.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import { typeset } from "../../../text.ts";
import { byId, input, numberOf, rowOf, select } from "../basics/dom.ts";
import type { Undoable } from "../basics/history.ts";
import type { ShownLattice } from "../worker/analysisTypes.ts";
import { type LatticeRow, latticeIn } from "../worker/latticeTold.ts";

const SIDES = ["lattice-a", "lattice-b", "lattice-angle"];
const CHOICES = ["calibrate", "drift", "bragg"];
/** Fields, by their ids, that are kept with the work on a file. */
export const LATTICE = [...SIDES, ...CHOICES, "bragg-width"];

type Values = Readonly<Record<string, string>>;
type Correction = Pick<
	PrepareOptions,
	"lattice" | "calibrate" | "drift" | "bragg" | "braggWidth"
>;
type Seen = Pick<ShownLattice, "lattice" | "told" | "given">;

export class LatticeForm implements Undoable {
	/** Told of each edit that can be undone. */
	onEdit: () => void = () => {};
	#seen: Seen | null = null;
	#last: Values = {};
	readonly #before: Values[] = [];
	readonly #after: Values[] = [];
	readonly #changed: () => void;
	readonly #ask: () => Promise<Seen | null>;
	/** How often it was asked what the scan shows: an answer for an earlier file is none. */
	#asked = 0;

	/**
	 * @param changed at every change
	 * @param ask what some image of the file shows
	 */
	constructor(changed: () => void, ask: () => Promise<Seen | null>) {
		this.#changed = changed;
		this.#ask = ask;
		const panel = byId("lattice-panel");
		panel.addEventListener("toggle", () => this.look());
		panel.addEventListener("input", () => this.#show());
		panel.addEventListener("change", () => this.#edited());
		byId("lattice-seen").addEventListener("click", () => {
			const { a, b, angle } = this.#seen?.lattice ?? {};
			for (const [i, v] of [a, b, angle].entries())
				input(SIDES[i]).value = String(Number(v?.toFixed(i === 2 ? 1 : 3)));
			this.#edited();
		});
		byId("lattice-clear").addEventListener("click", () => {
			for (const id of LATTICE) input(id).value = "";
			this.#edited();
		});
		this.#show();
	}

	/** Says what the scan shows, where that is seen. */
	look(): void {
		if (!byId<HTMLDetailsElement>("lattice-panel").open) return;
		const now = ++this.#asked;
		this.#ask().then(
			(seen) => {
				if (now === this.#asked) this.offer(seen);
			},
			() => {}, // nothing is open, or it was stopped
		);
	}

	/** Of another file nothing is known. */
	clear(): void {
		this.#asked++;
		for (const id of LATTICE) input(id).value = "";
		this.tell([]);
		this.offer(null);
		this.settle();
	}

	/** The fields were filled: nothing of before comes back. */
	settle(): void {
		this.#before.length = 0;
		this.#after.length = 0;
		this.#last = values();
		this.#show();
	}

	/** What some image of the file shows. */
	offer(seen: Seen | null): void {
		this.#seen = seen;
		byId("lattice-told").textContent = seen
			? seen.given
				? unitsOf(seen.told)
				: `The scan shows ${latticeIn(seen.lattice)}.`
			: "";
		this.#show();
	}

	/** What was found, and done. */
	tell(rows: readonly LatticeRow[]): void {
		byId("lattice-rows").replaceChildren(...rows.map((row) => rowOf(...row)));
		byId("lattice-found").hidden = rows.length === 0;
		// The rows say it better than what is seen beforehand.
		byId("lattice-told").hidden = rows.length > 0;
	}

	/** One side alone is a square lattice's. */
	get #lattice(): Lattice | undefined {
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

	/** What the scan is corrected by; nothing where it stays as it is. */
	get correction(): Correction {
		const lattice = this.#lattice;
		const calibrate = lattice !== undefined && isSet("calibrate");
		const drift = isSet("drift") || undefined;
		const bragg = isSet("bragg") ? ("remove" as const) : undefined;
		if (!calibrate && !drift && !bragg) return {};
		return {
			...{ lattice, drift, bragg },
			calibrate: lattice && !calibrate ? false : undefined,
			braggWidth: bragg && numberOf(input("bragg-width")),
		};
	}

	/** The lattice, where the scan stays as it is: for q in its units. */
	get forUnits(): Lattice | undefined {
		return Object.keys(this.correction).length > 0 ? undefined : this.#lattice;
	}

	get canUndo(): boolean {
		return this.#before.length > 0;
	}

	get canRedo(): boolean {
		return this.#after.length > 0;
	}

	undo(): void {
		this.#go(this.#before, this.#after);
	}

	redo(): void {
		this.#go(this.#after, this.#before);
	}

	#go(from: Values[], to: Values[]): void {
		const next = from.pop();
		if (!next) return;
		to.push(this.#last);
		for (const [id, value] of Object.entries(next)) input(id).value = value;
		this.#last = next;
		this.#show();
		this.#changed();
	}

	#edited(): void {
		const now = values();
		this.#show();
		if (JSON.stringify(now) === JSON.stringify(this.#last)) return;
		this.#before.push(this.#last);
		this.#after.length = 0;
		this.#last = now;
		this.onEdit();
		this.#changed();
	}

	#show(): void {
		const lattice = this.#lattice;
		const { drift, bragg } = this.correction;
		const done = [
			lattice && isSet("calibrate") && "calibrated",
			drift && "drift taken out",
			bragg && "Bragg peaks removed",
		].filter(Boolean);
		// What is folded away is not forgotten.
		byId("lattice-summary").textContent =
			`Atomic lattice: ${done.join(", ") || (lattice ? "the unit of q" : "calibration, drift, Bragg peaks")}`;
		byId("bragg-width-label").hidden = !isSet("bragg");
		select("calibrate").disabled = !lattice;
		const { value } = input(SIDES[0]);
		byId("lattice-seen").hidden =
			!this.#seen || this.#seen.given || value !== "";
		byId("lattice-clear").hidden = Object.values(values()).every((v) => !v);
	}
}

/** As the page spells them. */
const unitsOf = (told: string): string =>
	typeset(told).replaceAll(" degrees", "°");

const isSet = (id: string) => select(id).value !== "";

const values = (): Values =>
	Object.fromEntries(LATTICE.map((id) => [id, input(id).value]));
