/** The measured image with its scatterers, and what the pointer does on it: mark, crop, mask, or move. */
import { diverging } from "../../drawing/colour.ts";
import { byId } from "./dom.ts";
import type { ShownImage } from "./extractTypes.ts";
import type { Tool } from "./fieldInput.ts";
import { FieldView } from "./fieldView.ts";
import { Link } from "./link.ts";
import { type Masks, maskTool } from "./maskTool.ts";
import {
	cropTool,
	markTool,
	outline,
	type Scatterers,
	type Square,
} from "./scatterers.ts";

export class PictureView {
	/** Scatterers are the file's own: nothing is edited. */
	fixed = false;
	readonly #link = new Link();
	readonly #view = new FieldView(byId("picture"), this.#link);
	readonly #choose: () => void;
	#image: ShownImage | undefined;
	#sized = true;

	/**
	 * @param square what the image is cropped to
	 * @param crop is told what is drawn
	 */
	constructor(
		scatterers: Scatterers,
		square: () => Square | null,
		crop: (square: Square) => void,
		masks: Masks,
	) {
		const redraw = () => this.#link.changed();
		const marking = markTool(scatterers, redraw, () => this.fixed);
		const cropping = cropTool(
			square,
			() => this.#image?.field ?? { x: [0, 0], y: [0, 0] },
			crop,
			redraw,
		);
		const masking = maskTool(masks, redraw);
		const paint: Tool["paint"] = (ctx, place) => {
			const cropped = square();
			if (cropped) outline(ctx, place, cropped);
			masking.paint(ctx, place);
			marking.paint(ctx, place);
		};
		const tools: Readonly<Record<string, Tool>> = {
			mark: { ...marking, paint },
			crop: {
				...cropping,
				paint(ctx, place) {
					cropping.paint(ctx, place);
					marking.paint(ctx, place);
				},
			},
			mask: { ...masking, paint },
			move: { down: () => null, paint },
		};
		const radios = [
			...document.querySelectorAll<HTMLInputElement>('input[name="tool"]'),
		];
		this.#choose = () => {
			const chosen = radios.find(({ checked }) => checked)?.value ?? "mark";
			this.#view.tool = tools[this.#sized ? chosen : "move"];
			for (const radio of radios) radio.disabled = !this.#sized;
		};
		this.#choose();
		for (const radio of radios)
			radio.addEventListener("change", () => {
				this.#choose();
				redraw();
			});
		for (const button of document.querySelectorAll<HTMLElement>(
			'[data-zoom="picture"] button',
		))
			button.addEventListener("click", () =>
				this.#view.zoom(Number(button.dataset.factor)),
			);
	}

	/** Draws marks and square anew. */
	changed(): void {
		this.#link.changed();
	}

	/** @param axes pixels, where the size is not known: then nothing can be marked, cropped or masked */
	show(
		image: ShownImage,
		label: string,
		unit: string,
		axes: "Å" | "pixels" = "Å",
	): void {
		this.#image = image;
		this.#sized = axes === "Å";
		this.#choose();
		const { field, range } = image;
		this.#view.show({
			...{ field, range, unit },
			colours: diverging,
			axes,
			summary: `The measured image, ${label}, ${field.nx} by ${field.ny} pixels`,
		});
	}
}
