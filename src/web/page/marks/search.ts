/** The search for scatterers as people see it: what is known beforehand, marks and kernel while they grow, and what was found. */

import { clipLimit, diverging, putColour } from "../../../drawing/colour.ts";
import type { BlindTurn } from "../../../extraction/blind/blind.ts";
import type {
	FindOptions,
	Found,
} from "../../../extraction/results/findScatterers.ts";
import type { Report } from "../../rpc.ts";
import { byId, input, select } from "../basics/dom.ts";
import { paintBitmap } from "../picture/fieldDrawing.ts";
import type { Frame } from "../picture/frame.ts";
import type { Scatterers } from "../picture/scatterers.ts";
import type { FoundWith, Turn } from "../worker/extractTypes.ts";
import { seedWindows } from "./seedWindows.ts";

/** What a search found, and in the image of what settings. */
export type FoundInImage = FoundWith & { readonly settings: string };

export class Search {
	/** Of the last one. */
	found: FoundInImage | undefined;
	/** While one goes on, the settings of its image. */
	running: string | undefined;
	readonly #scatterers: Scatterers;
	readonly #frame: Frame;
	readonly #redraw: () => void;

	/** @param redraw draws the picture's marks anew */
	constructor(scatterers: Scatterers, frame: Frame, redraw: () => void) {
		this.#scatterers = scatterers;
		this.#frame = frame;
		this.#redraw = redraw;
	}

	/**
	 * Looks for scatterers, shows how far it is, and makes them the list.
	 * @param settings of the image, as text
	 * @param find makes the search; its progress is a Turn each
	 * @param fresh whether nothing of before is to come back
	 */
	async run(
		settings: string,
		find: (options: FindOptions, report: Report) => Promise<Found>,
		report: Report,
		fresh: boolean,
	): Promise<void> {
		const scatterers = this.#scatterers;
		const before = scatterers.list;
		const seeds = seedWindows();
		const wrong = input("seed-windows").validationMessage;
		if (wrong) throw new Error(`windows to start from: ${wrong}`);
		const options: FindOptions = {
			kinds: Number(select("kinds").value) || undefined,
			signed: input("signed").checked || undefined,
			seeds,
		};
		this.running = settings;
		report({ done: 0, total: 0, what: "looking for scatterers" });
		try {
			const result = await find(options, (progress) => {
				report(progress);
				this.#show((progress as Turn).turn);
			});
			this.found = { options, result, settings };
		} finally {
			this.running = undefined;
			this.#show({});
		}
		const list = this.found.result.scatterers.map((s) => this.#frame.toScan(s));
		// What people marked meanwhile can be had back.
		if (fresh && scatterers.list === before)
			return scatterers.reset(list, true);
		scatterers.settle();
		scatterers.replace(list, true);
	}

	/** The marks on the picture, the kernel beside the progress line; nothing hides them. */
	#show({ kernel, size, marks = [] }: Partial<BlindTurn>): void {
		this.#scatterers.growing = marks.map((m) => this.#frame.toScan(m));
		this.#redraw();
		const canvas = byId<HTMLCanvasElement>("growing");
		canvas.hidden = !kernel || !size;
		if (!kernel || !size) return;
		const limit = clipLimit(kernel);
		const bitmap = paintBitmap(size, size, (ix, up, data, at) => {
			putColour(data, at, diverging, (kernel[ix * size + up] / limit + 1) / 2);
		});
		const { width, height } = canvas;
		canvas.getContext("2d")?.drawImage(bitmap, 0, 0, width, height);
	}
}
