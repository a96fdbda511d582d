/** The measured image with its scatterers, and what the pointer does on it: mark, crop, mask, or move. */
import { diverging } from "../../drawing/colour.ts";
import type { Rectangle } from "../../extraction/scan/resample.ts";
import { cropTool, edgesOf, outline } from "./cropTool.ts";
import { byId } from "./dom.ts";
import type { ShownImage } from "./extractTypes.ts";
import type { Tool } from "./fieldInput.ts";
import { FieldView } from "./fieldView.ts";
import { Link } from "./link.ts";
import { type Masks, maskTool } from "./maskTool.ts";
import { markTool, type Scatterers } from "./scatterers.ts";

export class PictureView {
	/** Scatterers are the file's own: nothing is edited. */
	fixed = false;
	readonly #link = new Link();
	readonly #view = new FieldView(byId("picture"), this.#link);
	#image: ShownImage | undefined;

	/**
	 * @param region what the image is cropped to
	 * @param crop is told what is drawn
	 */
	constructor(
		scatterers: Scatterers,
		region: () => Rectangle | null,
		crop: (region: Rectangle) => void,
		masks: Masks,
	) {
		const redraw = () => this.#link.changed();
		const marking = markTool(scatterers, redraw, () => this.fixed);
		const cropping = cropTool(
			region,
			() => this.#image?.field ?? { x: [0, 0], y: [0, 0] },
			crop,
			redraw,
		);
		const masking = maskTool(masks, redraw);
		const paint: Tool["paint"] = (ctx, place, room) => {
			const cropped = region();
			if (cropped) outline(ctx, place, edgesOf(cropped));
			masking.paint(ctx, place, room);
			marking.paint(ctx, place, room);
		};
		const tools: Readonly<Record<string, Tool>> = {
			mark: { ...marking, paint },
			crop: {
				...cropping,
				paint(ctx, place, room) {
					cropping.paint(ctx, place, room);
					marking.paint(ctx, place, room);
				},
			},
			mask: { ...masking, paint },
			move: { down: () => null, paint },
		};
		this.#view.tool = tools.mark;
		for (const radio of document.querySelectorAll<HTMLInputElement>(
			'input[name="tool"]',
		))
			radio.addEventListener("change", () => {
				this.#view.tool = tools[radio.value];
				redraw();
			});
		for (const button of document.querySelectorAll<HTMLElement>(
			'[data-zoom="picture"] button',
		))
			button.addEventListener("click", () =>
				this.#view.zoom(Number(button.dataset.factor)),
			);
	}

	/** Draws marks and region anew. */
	changed(): void {
		this.#link.changed();
	}

	show(image: ShownImage, label: string, unit: string): void {
		this.#image = image;
		const { field, range } = image;
		this.#view.show({
			...{ field, range, unit },
			colours: diverging,
			axes: "Å",
			summary: `The measured image, ${label}, ${field.nx} by ${field.ny} pixels`,
		});
	}
}
