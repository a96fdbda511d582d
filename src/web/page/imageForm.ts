/** The form that says which image of a file is meant, and how it is prepared. */

import type { PrepareOptions } from "../../extraction/results/take.ts";
import type { Order, Shape } from "../../extraction/scan/preprocess.ts";
import { byId, input, make, numberOf, select } from "./dom.ts";
import type { Opened } from "./extractTypes.ts";
import { Masks } from "./maskTool.ts";
import type { Square } from "./scatterers.ts";

/** Changed settings count when nothing has changed for so long, milliseconds. */
const CALM = 250;

const NUMBERS = ["field", "low-pass", "clip", "crop-x", "crop-y", "crop-size"];

const CHECKS = ["repair", "step-edges", "clusters"];

/** All fields, the channel first: what energies there are follows from it. */
const FIELDS = [
	"channel",
	"energies",
	"energy",
	"flatten",
	"background",
	...NUMBERS,
	...CHECKS,
];

/** What people chose, by the fields' ids. */
export interface FormValues {
	readonly fields: Readonly<Record<string, string | boolean>>;
	readonly masks: readonly Shape[];
}

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
	#timer: ReturnType<typeof setTimeout> | undefined;
	readonly #changing: () => void;
	readonly #changed: () => void;

	/** @param changing at every change; @param changed when the form is valid and has come to rest */
	constructor(changing: () => void, changed: () => void) {
		this.#changing = changing;
		this.#changed = changed;
		const form = byId("image-form");
		form.addEventListener("input", () => this.change());
		form.addEventListener("change", () => this.isValid());
		form.addEventListener("submit", (event) => event.preventDefault());
		byId("crop-clear").addEventListener("click", () => this.crop(null));
		byId("mask-clear").addEventListener("click", () => this.masks.replace([]));
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

	crop(square: Square | null): void {
		const values = square && [square.x, square.y, square.size];
		for (const [i, id] of ["crop-x", "crop-y", "crop-size"].entries())
			input(id).value = values ? String(Number(values[i].toFixed(1))) : "";
		this.change();
	}

	/** Fills in what a file has, all else at its default. Returns whether its size has to be given before anything can be prepared. */
	fill(file: File, opened: Opened): boolean {
		this.#opened = opened;
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
		for (const id of ["flatten", "background", "energies"])
			select(id).selectedIndex = 0;
		for (const id of CHECKS) input(id).checked = true;
		if (this.masks.list.length > 0) this.masks.replace([]);
		input("energy").value = "0";
		// A dataset's file has images as they are, and their scatterers.
		for (const element of byId("image-form").querySelectorAll("input, select"))
			(element as HTMLInputElement).disabled = dataset;
		byId("file-about").textContent = about(file, opened);
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

	/** All that people chose. */
	get values(): FormValues {
		const fields = FIELDS.map((id) => {
			const field = input(id);
			return [id, field.type === "checkbox" ? field.checked : field.value];
		});
		return { fields: Object.fromEntries(fields), masks: this.masks.list };
	}

	/** Chooses what was chosen before, of the same file; to be called after fill(). */
	restore({ fields, masks }: FormValues): void {
		for (const [id, value] of Object.entries(fields))
			if (typeof value === "boolean") input(id).checked = value;
			else {
				if (id === "energy") input(id).max = String(this.energies.length);
				input(id).value = value;
			}
		if (masks.length > 0) this.masks.replace(masks);
	}

	/** eV, of the channel that is chosen. */
	get energies(): readonly number[] {
		const { value } = select("channel");
		return (
			this.#opened?.channels.find(({ name }) => name === value)?.energies ?? []
		);
	}

	/** As the command line's options; what is left at its default is not there. */
	get settings(): PrepareOptions & { readonly crop?: Square } {
		const opened = this.#opened;
		if (!opened) return {};
		// A dataset's images are taken as they are; "repair" is the command line's default.
		if (opened.dataset) return { repair: true };
		const channel = select("channel").value;
		const { energies } = this;
		const one = energies.length > 1 && select("energies").value === "one";
		const [x, y, size] = ["crop-x", "crop-y", "crop-size"].map((id) =>
			numberOf(input(id)),
		);
		const order = select("background").value;
		return {
			channel: channel === opened.chosen ? undefined : channel,
			energy: one ? energies[input("energy").valueAsNumber] : undefined,
			field: opened.size ? undefined : numberOf(input("field")),
			flatten: (select("flatten").value ||
				undefined) as PrepareOptions["flatten"],
			background: order === "" ? undefined : (Number(order) as Order),
			repair: input("repair").checked,
			stepEdges: input("step-edges").checked ? undefined : false,
			clusters: input("clusters").checked ? undefined : false,
			mask: this.masks.list.length > 0 ? this.masks.list : undefined,
			clip: numberOf(input("clip")),
			lowPass: numberOf(input("low-pass")),
			crop: size === undefined ? undefined : { x: x ?? 0, y: y ?? 0, size },
		};
	}
}

function about({ size: bytes, name }: File, o: Opened): string {
	const energies = o.channels[0].energies.length;
	return [
		`${name}, ${bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`}: ${o.format}, ${o.nx} × ${o.ny} pixels`,
		o.size &&
			`${[o.size.x, o.size.y].map((v) => Number(v.toPrecision(4))).join(" × ")} Å`,
		energies > 1 && `${energies} energies`,
		// Other programs write images line by line.
		/^(npy|csv)$/.test(o.format) && "first index along x",
	]
		.filter(Boolean)
		.join(", ");
}
