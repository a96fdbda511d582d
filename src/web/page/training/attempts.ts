/** Kernels beside what the networks make of them. */

import { clipLimit, diverging } from "../../../drawing/colour.ts";
import { drawImage } from "../../../drawing/picture.ts";
import type { NetworkName } from "../../../models/networks.ts";
import type { Attempt } from "../../../training/run.ts";
import { make } from "../basics/dom.ts";

/** Pixels a side. */
const SIDE = 128;

export class Attempts {
	readonly #parent: HTMLElement;
	readonly #rows = new Map<NetworkName, HTMLElement>();
	/** The newest of each network: what was being drawn of older ones stops. */
	readonly #newest = new Map<NetworkName, readonly Attempt[]>();

	constructor(parent: HTMLElement) {
		this.#parent = parent;
	}

	clear(): void {
		this.#rows.clear();
		this.#newest.clear();
		this.#parent.replaceChildren();
	}

	show(network: NetworkName, title: string, list: readonly Attempt[]): void {
		let row = this.#rows.get(network);
		if (!row) {
			row = make("div", { className: "attempts" });
			this.#parent.append(row);
			this.#rows.set(network, row);
		}
		this.#newest.set(network, list);
		const canvases: [HTMLCanvasElement, Float32Array, number][] = [];
		const line = (name: string, of: (a: Attempt) => Float32Array) => [
			make("span", {}, name),
			...list.map((attempt, i) => {
				const canvas = make("canvas", {
					width: SIDE,
					height: SIDE,
					role: "img",
					ariaLabel: `${name}, kernel ${i + 1}`,
				});
				// One scale for a kernel and what is made of it.
				canvases.push([canvas, of(attempt), clipLimit(attempt.truth)]);
				return canvas;
			}),
		];
		const cells = [
			...line("truth", (a) => a.truth),
			...line(title, (a) => a.found),
		];
		const into = row;
		// One at a time: all together would hold up the page.
		const next = () => {
			if (this.#newest.get(network) !== list) return;
			const [canvas, image, limit] = canvases.shift() ?? [];
			if (!canvas || !image || !limit) return into.replaceChildren(...cells);
			const ctx = canvas.getContext("2d");
			if (ctx)
				drawImage(ctx, image, [0, 0, SIDE], diverging, [-limit, limit], true);
			setTimeout(next);
		};
		next();
	}
}
