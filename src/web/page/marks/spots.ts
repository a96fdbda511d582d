/** Spots of a width, polarity and threshold on the picture, as these are chosen; they become marks when people take them. */
import type { SpotOptions } from "../../../extraction/blind/spots.ts";
import type { DetectedScatterer } from "../../../extraction/marks/scatterers.ts";
import { byId, input, select } from "../basics/dom.ts";
import type { PictureView } from "../picture/pictureView.ts";
import type { Scatterers } from "../picture/scatterers.ts";

/** Looked for when nothing has changed for so long, milliseconds. */
const CALM = 100;

export class LiveSpots {
	readonly #find: (
		options: SpotOptions,
	) => Promise<readonly DetectedScatterer[]>;
	readonly #picture: PictureView;
	readonly #scatterers: Scatterers;
	#found: readonly DetectedScatterer[] = [];
	#width = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#asking = false;
	#again = false;

	constructor(
		picture: PictureView,
		scatterers: Scatterers,
		find: (options: SpotOptions) => Promise<readonly DetectedScatterer[]>,
	) {
		this.#find = find;
		this.#picture = picture;
		this.#scatterers = scatterers;
		picture.overlayInScan((ctx, place) => {
			const [x0] = place({ x: 0, y: 0 });
			const [x1] = place({ x: this.#width, y: 0 });
			for (const spot of this.#found) ring(ctx, place(spot), x1 - x0);
		});
		const panel = byId<HTMLDetailsElement>("spots");
		panel.addEventListener("toggle", () => this.changed());
		panel.addEventListener("input", () => this.changed());
		byId("take-spots").addEventListener("click", () => {
			const left = new Set(this.#found);
			scatterers.replace(
				ofMarks()
					? scatterers.list.map((s) => ({ ...s, keep: left.has(s) }))
					: this.#found,
			);
			panel.open = false;
		});
	}

	/** Of the controls, or the image. */
	changed(): void {
		clearTimeout(this.#timer);
		byId("spot-about").textContent = ABOUT[ofMarks() ? "marks" : "spots"];
		input("spot-width").disabled = ofMarks();
		byId("spot-width-value").textContent = `${input("spot-width").value} Å`;
		byId("spot-least-value").textContent = `${input("spot-least").value} σ`;
		if (byId<HTMLDetailsElement>("spots").open)
			this.#timer = setTimeout(() => void this.#look(), CALM);
		else this.#show([]);
	}

	/** One at a time, and of those asked for meanwhile the last. */
	async #look(): Promise<void> {
		this.#again = true;
		if (this.#asking) return;
		this.#asking = true;
		while (this.#again) {
			this.#again = false;
			const options: SpotOptions = {
				width: input("spot-width").valueAsNumber,
				least: input("spot-least").valueAsNumber,
				polarity: select("spot-polarity").value as SpotOptions["polarity"],
			};
			this.#width = ofMarks() ? 0 : options.width;
			const found = ofMarks()
				? this.#scatterers.list.filter((mark) => passes(mark, options))
				: await this.#find(options).catch(() => []);
			// It may have been closed meanwhile.
			this.#show(byId<HTMLDetailsElement>("spots").open ? found : []);
		}
		this.#asking = false;
	}

	#show(found: readonly DetectedScatterer[]): void {
		this.#found = found;
		const { length } = found;
		byId("spots-told").textContent = ofMarks()
			? `${length} of ${this.#scatterers.list.length} marks`
			: length === 1
				? "1 spot"
				: `${length} spots`;
		byId<HTMLButtonElement>("take-spots").disabled = length === 0;
		this.#picture.changed();
	}
}

const ofMarks = () => select("spot-source").value === "marks";

const ABOUT = {
	spots:
		"What a search starts from: places that stand out of what is around them by so many robust standard deviations of the image, after a Gaussian of that width. A search tries widths of 3, 5, 8 and 12 Å, both polarities, from 4 σ.",
	marks:
		"Those of the list whose amplitude is so many of its standard deviations, by the search that found them; those without such a figure stay. Bright is a weight above zero. The others are left out, not removed.",
};

/** Whether a mark stays. */
const passes = (
	{ significance, weight }: DetectedScatterer,
	{ least, polarity }: SpotOptions,
): boolean =>
	(significance === undefined || Math.abs(significance) >= least) &&
	(polarity === "either" || (polarity === "bright") === weight > 0);

/** As wide as the spots that are looked for, dashed: it is no mark yet. */
function ring(
	ctx: CanvasRenderingContext2D,
	[x, y]: readonly [number, number],
	radius: number,
): void {
	for (const [colour, pen, dash] of [
		["#ffffff", 4, []],
		["#a03c00", 2, [4, 3]],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = pen;
		ctx.setLineDash([...dash]);
		ctx.beginPath();
		ctx.arc(x, y, Math.max(10, radius), 0, 2 * Math.PI);
		ctx.stroke();
	}
	ctx.setLineDash([]);
}
