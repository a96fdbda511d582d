/** |FFT| of map and kernel beside each other, what lies under the pointer, and the pictures of the analyses that were asked for. */
import { sequential } from "../../../drawing/colour.ts";
import type { Field } from "../../../drawing/panels.ts";
import { inReciprocal } from "../../../extraction/lattice/correction.ts";
import { length } from "../../../extraction/lattice/lattice.ts";
import {
	DECADES,
	kernelNote,
	reachOf,
	spectrumPanel,
} from "../../../extraction/results/spectrumPanel.ts";
import { maxOf } from "../../../qpi/maths/extremes.ts";
import { typeset } from "../../../text.ts";
import { byId, make, select, sentences } from "../basics/dom.ts";
import { type Point, valueAt } from "../picture/fieldDrawing.ts";
import { FieldView } from "../picture/fieldView.ts";
import { Link } from "../picture/link.ts";
import { aboutZero, asLinear } from "../worker/aboutZero.ts";
import type {
	AnalysisChoice,
	AnalysisPicture,
	MapFft,
	MapFftWanted,
} from "../worker/analysisTypes.ts";
import type { Outcome, ShownItem } from "../worker/extractTypes.ts";
import { fourierTool } from "./fourierTool.ts";

interface Needs {
	/** Of the item of that number, of so many; null where the worker no longer has its map. */
	mapFft(wanted: MapFftWanted): Promise<MapFft | null>;
	/** What was asked for with the results that are shown. */
	choice(): AnalysisChoice;
	/** A direction (degrees) or |q| (1/Angstrom) was pointed at. */
	choose(what: "cut" | "ring", value: string, besides: boolean): void;
	/** The map's transform is there, or gone. */
	known(fft: MapFft | null): void;
}

type OfOutcome = { readonly outcome: Outcome; readonly index: number } | null;

/** Beyond a lattice's vectors, times the longest of them. */
const ROOM = 1.2;

export class Fourier {
	readonly #needs: Needs;
	readonly #link = new Link();
	readonly #kernel = new FieldView(byId("view-spectrum"), this.#link);
	readonly #map = new FieldView(byId("view-map-spectrum"), this.#link);
	#shown: OfOutcome = null;
	#fft: MapFft | null = null;
	/** As they are drawn. */
	#fields: { kernel?: Field; map?: Field } = {};
	#asking = false;
	#pictures: Outcome["pictures"];
	/** The scale of q that the views were last set to. */
	#scaled = "";

	constructor(needs: Needs) {
		this.#needs = needs;
		const tool = fourierTool(
			() => this.#marks(),
			(at, besides) => this.#choose(at, besides),
		);
		this.#kernel.tool = this.#map.tool = tool;
		byId("fft-reach").addEventListener("change", () => this.#draw());
		byId("fft-scale").addEventListener("change", () => void this.#ask());
		byId("fft-marks").addEventListener("change", () => this.#link.changed());
		byId("offer-cut").addEventListener("click", () =>
			needs.choose("cut", "0", false),
		);
		this.#link.subscribe(() => this.#tell());
	}

	zoom(factor: number): void {
		this.#kernel.zoom(factor);
	}

	/** The spectra of an item of the results. */
	show(outcome: Outcome, index: number): void {
		const other =
			this.#shown?.outcome.items[this.#shown.index] !== outcome.items[index];
		this.#shown = { outcome, index };
		// That of another energy must not stay.
		if (other) this.#fft = null;
		void this.#ask();
		this.#draw();
		const fresh = this.#showPictures(outcome);
		if (!other) void intoView(fresh);
	}

	hide(): void {
		this.#shown = null;
		this.#fft = null;
		this.#pictures = undefined;
		this.#scaled = "";
	}

	/** One at a time, and of those asked for meanwhile the last. */
	async #ask(): Promise<void> {
		if (this.#asking) return;
		this.#asking = true;
		let of: OfOutcome = null;
		let fft: MapFft | null = null;
		let linear = isLinear();
		while ((of !== this.#shown || linear !== isLinear()) && this.#shown) {
			of = this.#shown;
			linear = isLinear();
			fft = await this.#needs.mapFft({
				...{ index: of.index, linear },
				items: of.outcome.items.length,
			});
		}
		this.#asking = false;
		this.#fft = this.#shown && fft;
		this.#needs.known(this.#fft);
		if (this.#shown) this.#draw();
	}

	get #item(): ShownItem | undefined {
		return this.#shown?.outcome.items[this.#shown.index];
	}

	#draw(): void {
		const item = this.#item;
		if (!item || !this.#shown) return;
		const { spacing } = this.#shown.outcome;
		const nyquist = Math.PI / spacing;
		const linear = this.#fft?.linear ?? isLinear();
		const kernel = aboutZero(spectrumPanel("", item.spectrum, nyquist, []));
		const lattice = this.#fft?.lattice;
		const far = Math.min(
			kernel.x[1],
			select("fft-reach").value === "all"
				? nyquist
				: Math.max(
						reachOf({ shown: item, taken: { pixel: spacing } }),
						lattice ? ROOM * maxOf(lattice.peaks.map(length)) : 0,
					),
			this.#fft?.field.x[1] ?? nyquist,
		);
		const edges = { x: [-far, far], y: [-far, far] } as const;
		const common = {
			colours: sequential,
			range: linear ? ([0, 1] as const) : ([-DECADES, 0] as const),
			unit: linear ? "" : "log₁₀",
			axes: "1/Å" as const,
			edges,
		};
		this.#fields = {
			kernel: linear ? asLinear(kernel) : kernel,
			map: this.#fft?.field,
		};
		const { q } = item;
		this.#kernel.show({
			...common,
			field: this.#fields.kernel as Field,
			smooth: "linear",
			summary: q
				? `The kernel's Fourier transform; its strongest wave vector is ${q.q.toFixed(4)} per Angstrom`
				: "The kernel's Fourier transform; no wave vector stands out",
		});
		const { map } = this.#fields;
		byId("view-map-spectrum").hidden = !map;
		byId("no-map-spectrum").hidden = Boolean(map) || this.#asking;
		// A task of its own: each takes as long as it has pixels.
		if (map)
			setTimeout(() => {
				if (map === this.#fields.map)
					this.#map.show({
						...{ ...common, field: map },
						summary: "The measured map's Fourier transform",
					});
			});
		const scale = [far, spacing].join();
		if (scale !== this.#scaled) this.#link.part = null;
		this.#scaled = scale;
		const said = [
			this.#fft && `Map: ${this.#fft.note}`,
			`Kernel: ${kernelNote(item.size, item.spectrum)}`,
			`Each over the value that one pixel in a thousand exceeds, ${linear ? "linear" : `log₁₀, ${DECADES} decades`}`,
			lattice?.told,
		];
		byId("fft-caption").textContent = typeset(
			said.filter(Boolean).join(". ").concat("."),
		);
		this.#link.changed();
	}

	#marks() {
		if (!byId<HTMLInputElement>("fft-marks").checked) return null;
		return {
			lattice: this.#fft?.lattice ?? null,
			star: this.#item?.q?.q ?? null,
			choice: this.#needs.choice(),
		};
	}

	#choose({ x, y }: Point, besides: boolean): void {
		const what = select("fft-click").value;
		const q = Math.hypot(x, y);
		// Next to q = 0 there is no direction.
		if (q === 0) return;
		if (what === "cut") {
			const turn = Math.round((Math.atan2(y, x) * 180) / Math.PI);
			this.#needs.choose("cut", String((turn + 180) % 180), besides);
		} else if (what === "ring")
			this.#needs.choose("ring", String(Number(q.toPrecision(4))), besides);
	}

	/** What lies under the pointer, in both. */
	#tell(): void {
		const at = this.#link.cursor;
		const line = byId("fft-readout");
		if (!at) {
			line.textContent = POINT;
			return;
		}
		const { x, y } = at;
		const q = Math.hypot(x, y);
		const said = (v: number, digits: number) => v.toFixed(digits);
		const { kernel, map } = this.#fields;
		const values = [
			["map", map],
			["kernel", kernel],
		] as const;
		const lattice = this.#fft?.lattice;
		const units = lattice && inReciprocal({ distortion: lattice }, at);
		line.textContent = [
			`q = (${said(x, 4)}, ${said(y, 4)}) 1/Å`,
			`|q| = ${said(q, 4)} 1/Å`,
			q > 0 && `${said((Math.atan2(y, x) * 180) / Math.PI, 1)}° from x`,
			q > 0 && `2π/q = ${Number(((2 * Math.PI) / q).toPrecision(4))} Å`,
			units && `(h, k) = (${said(units.h, 3)}, ${said(units.k, 3)})`,
			`${(this.#fft?.linear ?? isLinear()) ? "" : "log₁₀ "}|FFT|: ${values
				.flatMap(([name, field]) => {
					const value = field && valueAt(field, at);
					return value === undefined ? [] : `${name} ${said(value, 2)}`;
				})
				.join(", ")}`,
		]
			.filter(Boolean)
			.join(" · ")
			.replaceAll(/-(?=\d)/g, "−");
	}

	/** @returns the first that was not there before */
	#showPictures({ pictures = [], told = [], items }: Outcome): Element | null {
		// Of another energy they are the same.
		if (pictures === this.#pictures) return null;
		this.#pictures = pictures;
		const box = byId("analysis-charts");
		const before = new Set(Array.from(box.children, ({ id }) => id));
		const offer = byId("offer-cut");
		offer.hidden = pictures.some(({ name }) => name === "line-cuts");
		offer.textContent = `${items.length > 1 ? "E(q)" : "Line cut"} along 0°`;
		for (const image of box.querySelectorAll("img"))
			URL.revokeObjectURL(image.src);
		box.replaceChildren(
			...pictures.map((drawn) =>
				make(
					"figure",
					{ id: `picture-${drawn.name}` },
					picture(drawn),
					make(
						"figcaption",
						{},
						make("b", {}, drawn.title),
						` ${drawn.caption}`,
					),
				),
			),
		);
		byId("analysis-told").replaceChildren(...sentences(told));
		return [...box.children].find(({ id }) => !before.has(id)) ?? null;
	}
}

/** What people asked for they see, once it has its size. */
async function intoView(figure: Element | null): Promise<void> {
	if (!figure) return;
	const images = [...figure.querySelectorAll("img")];
	// A picture that cannot be shown has a size too.
	await Promise.allSettled(images.map((image) => image.decode()));
	figure.scrollIntoView({ block: "nearest" });
}

const isLinear = () => select("fft-scale").value === "linear";

/** What is wider than this part of what was drawn is scrolled. */
const LEAST = 0.6;

/** As large as it was drawn, or a little smaller where it fits then; for light and dark themes. */
function picture({ png, dark, title }: AnalysisPicture): HTMLElement {
	const images = [png, dark].flatMap((blob, i) => {
		if (!blob) return [];
		const image = make("img", { src: URL.createObjectURL(blob), alt: title });
		image.className = i ? "on-dark" : "on-light";
		image.addEventListener("load", () => {
			image.width = image.naturalWidth / 2;
			image.style.minWidth = `${LEAST * image.width}px`;
		});
		return [image];
	});
	return make("div", { className: "wide", tabIndex: 0 }, ...images);
}

const POINT =
	"Point at a spectrum for q, its direction, its wavelength and the values there.";
