/** The form that says which image of a file is meant, and how it is prepared. */

import type { Crop, Order } from "../../../extraction/preprocess.ts";
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import type { Rectangle } from "../../../extraction/scan/resample.ts";
import { byId, input, make, numberOf, select } from "../basics/dom.ts";
import type { Source } from "../basics/source.ts";
import { Masks } from "../picture/maskTool.ts";
import type { Opened } from "../worker/extractTypes.ts";
import type { LatticeForm } from "./latticeForm.ts";
import { layoutOf, offerLayout, restoreLayout } from "./layoutForm.ts";

/** Changed settings count when nothing has changed for so long, milliseconds. */
const CALM = 250;

const CROP = ["crop-x", "crop-y", "crop-width", "crop-height"] as const;

const NUMBERS = ["field", "low-pass", "clip", ...CROP];

const CHECKS = ["repair", "step-edges", "clusters"];

export class ImageForm {
	readonly masks = new Masks(() => {
		const { length } = this.masks.list;
		byId("mask-count").textContent =
			length === 0
				? "nothing masked by hand"
				: `${length} ${length === 1 ? "area" : "areas"} masked by hand`;
		this.change();
	});
	#opened: Opened | undefined;
	/** Of a session, what has no field. */
	#besides: Pick<PrepareOptions, "pixel" | "max"> = {};
	#timer: ReturnType<typeof setTimeout> | undefined;
	readonly #changing: () => void;
	readonly #changed: () => void;
	readonly #lattice: Pick<LatticeForm, "correction">;

	/** @param changing at every change; @param changed when the form is valid and has come to rest */
	constructor(
		lattice: Pick<LatticeForm, "correction">,
		changing: () => void,
		changed: () => void,
	) {
		this.#lattice = lattice;
		this.#changing = changing;
		this.#changed = changed;
		const form = byId("image-form");
		form.addEventListener("input", () => this.change());
		form.addEventListener("change", () => this.isValid());
		form.addEventListener("submit", (event) => event.preventDefault());
		byId("crop-clear").addEventListener("click", () => this.crop(null));
		byId("mask-clear").addEventListener("click", () => {
			if (this.masks.list.length > 0) this.masks.replace([]);
		});
		const drawn = select("mask-shape");
		const showBrush = () => {
			byId("brush-label").hidden = !/brush|eraser/.test(drawn.value);
		};
		drawn.addEventListener("change", showBrush);
		showBrush(); // the browser may have kept a choice
		byId("mask-undo").addEventListener("click", () =>
			this.masks.replace(this.masks.list.slice(0, -1)),
		);
	}

	/** Something was changed, by people or by the page. */
	change(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			if (byId<HTMLFormElement>("image-form").checkValidity()) this.#changed();
		}, CALM);
		this.#changing();
	}

	/** Whether all fields hold what they should; shows the first that does not. */
	isValid(): boolean {
		return byId<HTMLFormElement>("image-form").reportValidity();
	}

	crop(region: Rectangle | null): void {
		const { x, y, width, height } = region ?? {};
		for (const [i, value] of [x, y, width, height].entries())
			input(CROP[i]).value = value === undefined ? "" : String(value);
		this.change();
	}

	/** What is cropped to, where anything is: of one side alone a square. */
	get region(): Rectangle | null {
		const [x = 0, y = 0, wide, high] = CROP.map((id) => numberOf(input(id)));
		const [width = high, height = wide] = [wide, high];
		return width === undefined || height === undefined
			? null
			: { x, y, width, height };
	}

	/** Fills in what a file has, all else at its default. Returns whether its size has to be given before anything can be prepared. */
	fill(file: Source, opened: Opened): boolean {
		this.laid(file, opened);
		this.#besides = {};
		offerLayout(opened);
		const { channels, chosen, size, nx, ny, dataset } = opened;
		select("channel").replaceChildren(
			...channels.map(({ name, unit }) =>
				make(
					"option",
					{ value: name, selected: name === chosen },
					unit ? `${name} (${unit})` : name,
				),
			),
		);
		const sizeless = !size && !(nx === 64 && ny === 64);
		byId("field-label").hidden = size !== undefined;
		input("field").required = sizeless;
		for (const id of NUMBERS) input(id).value = "";
		byId("normalise-label").hidden = channels.every((c) => c.images < 2);
		for (const id of ["flatten", "background", "energies", "normalise"])
			select(id).selectedIndex = 0;
		for (const id of CHECKS) input(id).checked = true;
		this.masks.reset([]);
		input("energy").value = "0";
		// A dataset's file has images as they are, and their scatterers.
		for (const element of byId("image-form").querySelectorAll("input, select"))
			(element as HTMLInputElement).disabled = dataset;
		byId("header").hidden = opened.details.length === 0;
		byId("header-lines").replaceChildren(
			...opened.details.map(([name, value]) =>
				make("li", {}, `${name}: ${value}`),
			),
		);
		byId("image-form").hidden = false;
		if (sizeless) input("field").focus();
		return sizeless;
	}

	/** The file's indices are taken otherwise. */
	laid(file: Source, opened: Opened): void {
		this.#opened = opened;
		byId("file-about").textContent = about(file, opened);
	}

	/** Chooses what was chosen before, of the same file; to be called after fill(). */
	restore(settings: PrepareOptions): void {
		const {
			channel,
			energy,
			image,
			flatten,
			background,
			crop,
			mask = [],
			pixel,
			max,
		} = settings;
		this.#besides = { pixel, max };
		restoreLayout(settings);
		if (channel) select("channel").value = channel;
		if (energy !== undefined || image !== undefined) {
			select("energies").value = "one";
			const at = image ? image - 1 : this.#energies.indexOf(energy ?? NaN);
			input("energy").max = String(this.images - 1);
			input("energy").value = String(at);
		}
		select("flatten").value = flatten ?? "";
		select("background").value = String(background ?? "");
		select("normalise").value = settings.normalise ?? "";
		for (const [id, value] of [
			["field", settings.field],
			["clip", settings.clip],
			["low-pass", settings.lowPass],
		] as const)
			input(id).value = String(value ?? "");
		for (const [id, value] of [
			["repair", settings.repair],
			["step-edges", settings.stepEdges],
			["clusters", settings.clusters],
		] as const)
			input(id).checked = value ?? true;
		if (crop && "size" in crop)
			this.crop({ ...crop, width: crop.size, height: crop.size });
		else if (crop) this.crop(crop);
		this.masks.reset(mask);
	}

	get #channel() {
		const { value } = select("channel");
		return this.#opened?.channels.find(({ name }) => name === value);
	}

	/** eV, of the channel that is chosen. */
	get #energies(): readonly number[] {
		return this.#channel?.energies ?? [];
	}

	/** How many images the chosen channel has. */
	get images(): number {
		return this.#channel?.images ?? 0;
	}

	/** As the command line's options; what is left at its default is not there. */
	get settings(): PrepareOptions {
		const opened = this.#opened;
		if (!opened) return {};
		// A dataset's images are taken as they are; "repair" is the command line's default.
		if (opened.dataset) return { repair: true };
		const channel = select("channel").value;
		const energies = this.#energies;
		const one = this.images > 1 && select("energies").value === "one";
		const at = input("energy").valueAsNumber;
		// A loop has its energies twice, other stacks none.
		const known = energies.filter((e) => e === energies[at]).length === 1;
		const { region } = this;
		const order = select("background").value;
		return {
			channel: channel === opened.chosen ? undefined : channel,
			energy: one && known ? energies[at] : undefined,
			image: one && !known ? at + 1 : undefined,
			field: opened.size ? undefined : numberOf(input("field")),
			...(opened.axes.length > 0 && layoutOf()),
			flatten: (select("flatten").value ||
				undefined) as PrepareOptions["flatten"],
			background: order === "" ? undefined : (Number(order) as Order),
			normalise: (select("normalise").value ||
				undefined) as PrepareOptions["normalise"],
			repair: input("repair").checked,
			stepEdges: input("step-edges").checked ? undefined : false,
			clusters: input("clusters").checked ? undefined : false,
			mask: this.masks.list.length > 0 ? this.masks.list : undefined,
			clip: numberOf(input("clip")),
			lowPass: numberOf(input("low-pass")),
			crop: region ? cropOf(region) : undefined,
			...this.#besides,
			...this.#lattice.correction,
		};
	}
}

/** Squares as the command line has them: by one side. */
const cropOf = ({ x, y, width, height }: Rectangle): Crop =>
	width === height ? { x, y, size: width } : { x, y, width, height };

function about({ size: bytes, name }: Source, o: Opened): string {
	const [{ images, energies }] = o.channels;
	return [
		`${name}, ${bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`}: ${o.format}, ${o.nx} × ${o.ny} pixels`,
		o.size &&
			`${[o.size.x, o.size.y].map((v) => Number(v.toPrecision(4))).join(" × ")} Å`,
		images > 1 && `${images} ${energies.length > 1 ? "energies" : "images"}`,
		// Other programs write images line by line.
		o.layout,
	]
		.filter(Boolean)
		.join(", ");
}
