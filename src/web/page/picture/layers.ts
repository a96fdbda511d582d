/** What of the last extraction is laid over the picture, in the data's place: its model, its residual; and how sure each mark is. */

import { byId, input, select } from "../basics/dom.ts";
import type {
	LayerName,
	LayerRequest,
	Outcome,
	ShownImage,
	ShownItem,
} from "../worker/extractTypes.ts";
import type { PictureView } from "./pictureView.ts";
import { paintSure, showScale } from "./sureMarks.ts";

/** What the picture shows where no layer is chosen. */
interface Base {
	readonly image: ShownImage;
	readonly channel: string;
	readonly label: string;
	readonly unit: string;
	/** Of so many images the number. */
	readonly at: number;
	readonly of: number;
}

export class Layers {
	readonly #picture: PictureView;
	readonly #make: (wanted: LayerRequest) => Promise<ShownImage>;
	#outcome: Outcome | null = null;
	#base: Base | null = null;

	constructor(
		picture: PictureView,
		make: (wanted: LayerRequest) => Promise<ShownImage>,
	) {
		this.#picture = picture;
		this.#make = make;
		picture.overlays.push((ctx, place) => {
			const item = this.#item;
			if (item && input("sure").checked)
				paintSure(ctx, place, item, select("layer").value === "residual");
		});
		for (const id of ["layer", "sure"])
			byId(id).addEventListener("change", () => void this.#draw());
	}

	/** Results are there, or gone. */
	of(outcome: Outcome | null): void {
		this.#outcome = outcome;
		if (!outcome) {
			this.#base = null;
			this.reset();
		}
		void this.#draw();
	}

	/** Back to the data. */
	reset(): void {
		select("layer").value = "";
	}

	/** The picture's own image. */
	async show(base: Base): Promise<void> {
		this.#base = base;
		await this.#draw();
	}

	/** Of the image that is shown; undefined where the results are of other images. */
	get #item(): ShownItem | undefined {
		const { items = [] } = this.#outcome ?? {};
		const { at, of } = this.#base ?? { at: 0, of: 1 };
		const kinds = items.length / of;
		return Number.isInteger(kinds) ? items[at * kinds] : undefined;
	}

	async #draw(): Promise<void> {
		const { base, item } = { base: this.#base, item: this.#item };
		byId("layers").hidden = !item;
		showScale(item && input("sure").checked ? item : undefined);
		if (!base) return;
		const name = item ? select("layer").value : "";
		const { image, label, unit } = base;
		if (!item || !this.#outcome || name === "") {
			this.#show(image, base, label, unit);
			return;
		}
		const { spacing, centre } = this.#outcome;
		const { nx, ny } = item;
		const layer = name as LayerName;
		const made = this.#make({
			...{ name: layer, image: item.image, values: item[layer] },
			...{ nx, ny, spacing, centre },
		});
		// Where the worker is stopped the data stay.
		const shown = await made.catch(() => image);
		// Another may have been chosen meanwhile.
		if (base !== this.#base || name !== select("layer").value) return;
		const what = name === "model" ? "re-convolution" : "residual";
		this.#show(shown, base, `${label}, ${what}`, this.#outcome.unit);
	}

	/** The picture and its title together: neither is ever that of another image. */
	#show(
		image: ShownImage,
		{ channel }: Base,
		label: string,
		unit: string,
	): void {
		this.#picture.show(image, label, unit);
		byId("picture-title").textContent = `${channel}, ${label}`;
	}
}
