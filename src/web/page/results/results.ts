/** The kernel and all that belongs to it, in linked views. */

import { clipLimit, diverging, sequential } from "../../../drawing/colour.ts";
import { short } from "../../../drawing/picture.ts";
import {
	mapField,
	squareField,
} from "../../../extraction/results/drawPictures.ts";
import { maxOf, minOf } from "../../../qpi/maths/extremes.ts";
import { byId, folded, rowOf, sentences } from "../basics/dom.ts";
import { inTurn } from "../basics/inTurn.ts";
import { withAnalysed } from "../files/withAnalysed.ts";
import { FieldView, type Shown } from "../picture/fieldView.ts";
import { Link } from "../picture/link.ts";
import type {
	Analysed,
	Charts,
	Outcome,
	ShownItem,
} from "../worker/extractTypes.ts";
import { onCommandFiles, showCommand } from "./commandFiles.ts";
import type { Fourier } from "./fourier.ts";
import { headlineOf } from "./headline.ts";

const NAMES = ["kernel", "uncertainty", "image", "model", "residual"] as const;
type Name = (typeof NAMES)[number];

export class Results {
	readonly #space = new Link();
	readonly #fourier: Fourier;
	readonly #views: Record<Name, FieldView>;
	readonly #charts: (index: number) => Promise<Charts | null>;
	#outcome: Outcome | null = null;
	#shown = 0;
	/** Whose rows the table of the dispersion has. */
	#rowsOf: Outcome["items"] | null = null;
	#drawing = false;

	/**
	 * @param fourier shows what belongs to Fourier space
	 * @param charts gives those of a kernel, where they can be had
	 * @param download is asked for a file of the results by its name, "zip" for all
	 */
	constructor(
		fourier: Fourier,
		charts: (index: number) => Promise<Charts | null>,
		download: (name: string, index: number) => void,
	) {
		this.#fourier = fourier;
		this.#charts = charts;
		this.#views = Object.fromEntries(
			NAMES.map((name) => [
				name,
				new FieldView(byId(`view-${name}`), this.#space),
			]),
		) as Record<Name, FieldView>;
		for (const button of document.querySelectorAll<HTMLElement>(
			'[data-zoom="kernel"] button',
		))
			button.addEventListener("click", () => {
				const factor = Number(button.dataset.factor);
				this.#views.kernel.zoom(factor);
				this.#fourier.zoom(factor);
			});
		const contrast = byId<HTMLInputElement>("contrast");
		contrast.addEventListener("input", () => {
			this.#space.contrast = 2 ** contrast.valueAsNumber;
			this.#space.changed();
		});
		byId("same-scale").addEventListener("change", () => this.#draw());
		const energy = byId<HTMLInputElement>("result-energy");
		energy.addEventListener("input", () => this.choose(energy.valueAsNumber));
		byId("exports").addEventListener("click", (event) => {
			const { file } = (event.target as HTMLElement).dataset;
			if (file) download(this.#nameOf(file), this.#shown);
		});
		onCommandFiles((name) => download(name, this.#shown));
	}

	/** Of a stack the kernels are in one array, and each has a table of its own. */
	#nameOf(file: string): string {
		const names = this.#outcome?.names ?? [];
		const [stem, end] = file.split(".");
		const tables = names.filter((name) =>
			new RegExp(`^${stem}-\\d+\\.${end}$`).test(name),
		);
		if (names.includes(file)) return file;
		return (
			tables[this.#shown] ??
			(names.includes(`${stem}s.${end}`) ? `${stem}s.${end}` : file)
		);
	}

	hide(): void {
		this.#outcome = null;
		this.#fourier.hide();
		byId("results").hidden = true;
	}

	/** Whether what is shown no longer follows from what the page says. */
	stale(is: boolean): void {
		byId("stale").hidden = !is || !this.#outcome;
	}

	/** @param inPlace of the energy that is shown, without going there: a switch of methods */
	show(outcome: Outcome, inPlace = false): void {
		this.#outcome = outcome;
		byId("results").hidden = false;
		const several = outcome.items.length > 1;
		// One slider where the picture has the same energies.
		const { max } = byId<HTMLInputElement>("energy");
		byId("result-energy-row").hidden =
			!several ||
			(!byId("energy-row").hidden && Number(max) === outcome.items.length - 1);
		byId<HTMLInputElement>("result-energy").max = String(
			outcome.items.length - 1,
		);
		this.#said(outcome);
		this.#chart("dispersion-chart", outcome.dispersion);
		byId("adapter").textContent = outcome.adapter
			? `Networks ran on: ${outcome.adapter}`
			: "";
		byId("dispersion").hidden = !several;
		this.choose(inPlace ? this.#shown : outcome.shown);
		if (inPlace) return;
		byId("results-head").focus({ preventScroll: true });
		byId("results").scrollIntoView({ block: "nearest" });
	}

	/** The same kernels, with what is said of them anew. */
	tell(analysed: Analysed): void {
		if (!this.#outcome) return;
		this.#outcome = withAnalysed(this.#outcome, analysed);
		this.#said(this.#outcome);
		const { findings } = this.#outcome.items[this.#shown];
		byId("findings").replaceChildren(...sentences(findings));
		this.#fourier.show(this.#outcome, this.#shown);
		void this.#showCharts();
	}

	#said(outcome: Outcome): void {
		byId("warnings").replaceChildren(...folded(outcome.warnings));
		showCommand(outcome);
	}

	/** Whether another method's kernel can be had from these results. */
	compares(method: string): boolean {
		return this.#outcome?.methods.includes(method) ?? false;
	}

	/** Kernels that each of so many images has; 0 where the results are of others. */
	#kinds(images: number): number {
		const kinds = (this.#outcome?.items.length ?? 0) / images;
		return Number.isInteger(kinds) ? kinds : 0;
	}

	/** Shows the kernel of an image, by its number of so many: of the kind that is shown. */
	follow(image: number, images: number): void {
		const kinds = this.#kinds(images);
		if (kinds === 0) return;
		const index = image * kinds + (this.#shown % kinds);
		if (index !== this.#shown) this.choose(index);
	}

	/** The number of the image whose kernel is shown; undefined where the results are not of so many. */
	imageOf(images: number): number | undefined {
		const kinds = this.#kinds(images);
		return kinds === 0 ? undefined : Math.floor(this.#shown / kinds);
	}

	/** Shows the kernel of that energy, where there is one. */
	choose(index: number): void {
		const item = this.#outcome?.items[index];
		if (!this.#outcome || !item) return;
		this.#shown = index;
		byId<HTMLInputElement>("result-energy").value = String(index);
		byId("result-energy-value").textContent = withMinus(item.label);
		byId("results-head").textContent =
			`Kernel, ${withMinus(item.label)}, by ${item.method}`;
		byId("methods")
			.querySelector("tbody")
			?.replaceChildren(
				...item.explained.map(({ name, heldOut, inSample, chosen }) => {
					const row = rowOf(name, part(heldOut), part(inSample));
					row.classList.toggle("chosen", chosen);
					return row;
				}),
			);
		byId("findings").replaceChildren(...sentences(item.findings));
		byId("headline").textContent = headlineOf(item);
		this.#draw();
		void this.#showCharts();
	}

	/** A view at a time. */
	#draw(): void {
		const [outcome, index] = [this.#outcome, this.#shown];
		const item = outcome?.items[index];
		if (!outcome || !item) return;
		void inTurn(
			() => item === this.#outcome?.items[this.#shown],
			this.#steps(outcome, index),
		);
	}

	#steps(outcome: Outcome, index: number): (() => void)[] {
		const sameScale = byId<HTMLInputElement>("same-scale").checked;
		const item = outcome.items[index];
		const views = this.#views;
		const maps = mapsOf(outcome, item);
		return [
			() => views.kernel.show(kernelOf(outcome, item)),
			// More may have been asked of the kernels since.
			() => this.#fourier.show(this.#outcome ?? outcome, index),
			() => views.uncertainty.show(uncertaintyOf(outcome, item, sameScale)),
			() => this.#fillDispersion(outcome),
			() => views.image.show(maps.image()),
			() => views.model.show(maps.model()),
			() => views.residual.show(maps.residual()),
		];
	}

	/** One at a time, and of those asked for meanwhile the last: a slider asks faster than they are drawn. */
	async #showCharts(): Promise<void> {
		this.#chart("profile-chart", null); // that of another energy must not stay
		if (this.#drawing) return;
		this.#drawing = true;
		let of: readonly unknown[] = [];
		let charts: Charts | null = null;
		while (of[0] !== this.#outcome || of[1] !== this.#shown) {
			of = [this.#outcome, this.#shown];
			charts = await this.#charts(this.#shown);
		}
		this.#drawing = false;
		this.#chart("profile-chart", charts?.profile ?? null);
		// Without its energy marked where the worker is gone.
		const { dispersion = null } = this.#outcome ?? {};
		this.#chart("dispersion-chart", charts?.dispersion ?? dispersion);
	}

	#chart(id: string, blob: Blob | null): void {
		const image = byId<HTMLImageElement>(id);
		URL.revokeObjectURL(image.src);
		image.hidden = !blob;
		if (blob) image.src = URL.createObjectURL(blob);
	}

	/** Of a stack of many energies its rows are made once, and one of them chosen. */
	#fillDispersion({ items }: Outcome): void {
		const body = byId("dispersion-table").querySelector("tbody");
		if (this.#rowsOf !== items)
			body?.replaceChildren(
				...items.map(({ label, q, explained }) =>
					rowOf(
						withMinus(label),
						q ? `${q.q.toFixed(4)} ± ${q.error.toFixed(4)}` : "–",
						part(explained.find(({ chosen }) => chosen)?.heldOut ?? null),
					),
				),
			);
		this.#rowsOf = items;
		body?.querySelector(".chosen")?.classList.remove("chosen");
		body?.children[this.#shown]?.classList.add("chosen");
	}
}

/** "-20 meV" as it is set. */
const withMinus = (label: string) => label.replace(/^-(?=\d)/, "−");

const part = (value: number | null) =>
	value === null ? "–" : value.toFixed(3).replace("-", "−");

function kernelOf({ spacing, unit }: Outcome, item: ShownItem): Shown {
	const { kernel } = item;
	const peak = clipLimit(kernel);
	return {
		...onSpace(unit),
		field: squareField(kernel, spacing),
		colours: diverging,
		range: [-peak, peak],
		summary: `The kernel, ${withMinus(item.label)}, from ${short(minOf(kernel))} to ${short(maxOf(kernel))} ${unit}`,
	};
}

/** @param sameScale whether its colours are the kernel's */
function uncertaintyOf(
	{ spacing, unit }: Outcome,
	{ kernel, uncertainty }: ShownItem,
	sameScale: boolean,
): Shown {
	return {
		...onSpace(unit),
		field: squareField(uncertainty, spacing),
		colours: sequential,
		range: [0, clipLimit(sameScale ? kernel : uncertainty)],
		summary: `The kernel's uncertainty, at most ${short(maxOf(uncertainty))} ${unit}`,
	};
}

/** Data, re-convolution and residual, on one scale. */
function mapsOf(
	{ spacing, centre, unit }: Outcome,
	item: ShownItem,
): Record<"image" | "model" | "residual", () => Shown> {
	const { image, model, residual, places, median, limit } = item;
	const less = (values: Float32Array) => values.map((v) => v - median);
	const shown = (values: ArrayLike<number>, summary: string): Shown => ({
		...onSpace(unit),
		field: mapField(values, { ...item, spacing, centre }),
		colours: diverging,
		range: [-limit, limit],
		summary,
	});
	return {
		image: () =>
			shown(less(image), "The image that was fitted, less its median"),
		model: () => shown(less(model), "The kernel put back at all scatterers"),
		residual: () => ({
			...shown(residual, "What is left: data less re-convolution"),
			marks: places,
		}),
	};
}

const onSpace = (unit: string) =>
	({ unit, axes: "Å", smooth: true }) as const satisfies Partial<Shown>;
