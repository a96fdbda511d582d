/** The measured image with its scatterers, and what the pointer does on it: mark, crop, mask, or move. */
import type { Rectangle } from "../../../extraction/scan/resample.ts";
import { byId, input, numberOf, select } from "../basics/dom.ts";
import type { Pixels, ShownImage } from "../worker/extractTypes.ts";
import { ColourRange } from "./colourRange.ts";
import { cropTool, edgesOf, outline } from "./cropTool.ts";
import type { Point } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";
import { FieldView } from "./fieldView.ts";
import type { Frame } from "./frame.ts";
import { Link } from "./link.ts";
import { type MaskChoice, type Masks, maskTool } from "./maskTool.ts";
import { profileTool } from "./profileTool.ts";
import { markTool, type Scatterers } from "./scatterers.ts";
import { selectTool } from "./selectTool.ts";

export class PictureView {
	/** Scatterers are the file's own: nothing is edited. */
	fixed = false;
	/** Painted over the image, under the marks, in the picture's frame. */
	readonly overlays: Tool["paint"][] = [];
	readonly #frame: Frame;
	readonly #link = new Link();
	readonly #view = new FieldView(byId("picture"), this.#link);
	readonly #choose: () => void;
	readonly #colours = new ColourRange(() => this.#draw());
	readonly #profile: ReturnType<typeof profileTool>;
	#image: ShownImage | undefined;
	#said = { label: "", unit: "" };
	#axes: "Å" | "pixels" = "Å";
	/** Whether anything can be marked, cropped or masked. */
	#usable = true;

	/**
	 * @param region what the image is cropped to
	 * @param crop is told what is drawn
	 */
	constructor(
		scatterers: Scatterers,
		region: () => Rectangle | null,
		crop: (region: Rectangle) => void,
		masks: Masks,
		frame: Frame,
	) {
		this.#frame = frame;
		const redraw = () => this.#link.changed();
		const marking = frame.tool(markTool(scatterers, redraw, () => this.fixed));
		const cropping = cropTool(
			region,
			() => this.#image?.field ?? { x: [0, 0], y: [0, 0] },
			crop,
			redraw,
		);
		const masking = frame.tool(
			maskTool(
				masks,
				() => this.#maskChoice(),
				() => this.#cursor(),
				redraw,
			),
		);
		const paintBrush = frame.painted(masking.paintBrush);
		const selecting = frame.tool(selectTool(scatterers, redraw));
		this.#profile = profileTool(
			() => ({ image: this.#image, unit: this.#said.unit }),
			redraw,
		);
		const { paint: paintLine } = this.#profile;
		const paint: Tool["paint"] = (ctx, place, room) => {
			const cropped = region();
			if (cropped) outline(ctx, place, edgesOf(cropped));
			for (const over of this.overlays) over(ctx, place, room);
			masking.paint(ctx, place, room);
			marking.paint(ctx, place, room);
			selecting.paint(ctx, place, room);
			paintLine(ctx, place, room);
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
			mask: {
				...masking,
				paint(ctx, place, room) {
					paint(ctx, place, room);
					paintBrush(ctx, place, room);
				},
			},
			select: { ...selecting, paint },
			profile: { ...this.#profile, paint },
			move: { down: () => null, paint },
		};
		const radios = [
			...document.querySelectorAll<HTMLInputElement>('input[name="tool"]'),
		];
		this.#choose = () => {
			const chosen = radios.find(({ checked }) => checked)?.value ?? "mark";
			this.#view.tool = tools[this.#usable ? chosen : "move"];
			for (const radio of radios) radio.disabled = !this.#usable;
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

	#maskChoice(): MaskChoice {
		const { x, y } = this.#image?.field ?? { x: [0, 0], y: [0, 0] };
		const side = Math.max(x[1] - x[0], y[1] - y[0]);
		return {
			shape: select("mask-shape").value as MaskChoice["shape"],
			radius: (numberOf(input("brush-size")) || side / 20) / 2,
		};
	}

	/** Where the pointer is, in the scan's frame. */
	#cursor(): Point | null {
		const { cursor } = this.#link;
		const { x, y } = this.#view.middle();
		return cursor && this.#frame.toScan({ x: cursor.x + x, y: cursor.y + y });
	}

	/** Has something painted over the image, under the marks, at places of the scan. */
	overlayInScan(paint: Tool["paint"]): void {
		this.overlays.push(this.#frame.painted(paint));
	}

	/** Draws marks and region anew. */
	changed(): void {
		this.#link.changed();
	}

	/** An image to be looked at, in which nothing can be marked, cropped or masked: in pixels where its size is not known. */
	look(image: Pixels, axes: "Å" | "pixels"): void {
		this.#show(image, image.label, image.unit, axes, false);
	}

	show(image: ShownImage, label: string, unit: string): void {
		this.#show(image, label, unit, "Å", true);
	}

	#show(
		image: ShownImage,
		label: string,
		unit: string,
		axes: "Å" | "pixels",
		usable: boolean,
	): void {
		const before = this.#image?.field;
		const same =
			this.#said.unit === unit &&
			before?.nx === image.field.nx &&
			before.ny === image.field.ny;
		this.#image = image;
		[this.#axes, this.#usable] = [axes, usable];
		this.#choose();
		this.#said = { label, unit };
		this.#colours.show(image.field.values, image.range, unit, same);
		this.#profile.show();
		this.#draw();
	}

	#draw(): void {
		if (!this.#image) return;
		const { field } = this.#image;
		const { range, colours } = this.#colours;
		const { label, unit } = this.#said;
		this.#view.show({
			...{ field, range, unit, colours },
			axes: this.#axes,
			summary: `The measured image, ${label}, ${field.nx} by ${field.ny} pixels`,
		});
	}
}
