/** The image that is worked on: what the worker has prepared of the file, and what of it the picture shows. */
import type { PrepareOptions } from "../../../extraction/results/prepareScans.ts";
import type { Remote, Report } from "../../rpc.ts";
import { byId, folded, input, select, sentences } from "../basics/dom.ts";
import type { Source } from "../basics/source.ts";
import type { Work } from "../basics/work.ts";
import type { ImageForm } from "../forms/imageForm.ts";
import type { LatticeForm } from "../forms/latticeForm.ts";
import type { Search } from "../marks/search.ts";
import type { LiveSpots } from "../marks/spots.ts";
import type { Frame } from "../picture/frame.ts";
import type { Layers } from "../picture/layers.ts";
import type { PictureView } from "../picture/pictureView.ts";
import type { Scatterers } from "../picture/scatterers.ts";
import type { Opened } from "../worker/extractTypes.ts";
import type { ExtractHandlers } from "../worker/extractWorker.ts";
import type { Now } from "./now.ts";

/** What there is to see once an image is prepared. */
const PREPARED = [
	"picture-section",
	"marks",
	"extract-form",
	"analysis-form",
	"run",
	"save-session",
];

/** Values of an image of all energies above which they are shown before they are prepared. */
const MANY = 200_000;

const pixelsOf = ({ nx, ny, channels, chosen }: Opened): number =>
	nx * ny * (channels.find(({ name }) => name === chosen)?.images ?? 1);

/** The kernels beside the picture: of one or more kinds for each of so many images. */
interface Beside {
	/** The number of the image whose kernel is shown; undefined where they are of others. */
	imageOf(images: number): number | undefined;
	/** Shows the kernel of an image by its number. */
	follow(image: number, images: number): void;
}

interface Needs {
	readonly remote: Remote<ExtractHandlers>;
	readonly work: Work;
	readonly now: Now;
	readonly form: ImageForm;
	readonly lattice: LatticeForm;
	readonly frame: Frame;
	readonly scatterers: Scatterers;
	readonly search: Search;
	readonly picture: PictureView;
	readonly layers: Layers;
	readonly spots: LiveSpots;
	/** Another image is shown. */
	shown(): void;
	/** A search has ended. */
	changed(): void;
}

/** Makes the worker prepare what the form says, shows it, and has it searched. */
export class MeasuredImage {
	readonly #needs: Needs;
	/** What the worker has prepared, to do it again when it was started anew. */
	#ready: { file?: Source; settings?: string } = {};
	/** What was wished for when the image that is shown was chosen. */
	#shown = "";
	/** How the indices of the file that is open are taken. */
	#laid = "";

	constructor(needs: Needs) {
		this.#needs = needs;
	}

	/** The worker is gone, with all that it knew. */
	workerEnded(): void {
		this.#ready = {};
	}

	/** The worker has this file, and of it what these settings prepare. */
	workerHas(file: Source, settings: string): void {
		this.#ready = { file, settings };
	}

	/** Nothing is open. */
	forget(): void {
		const { search, frame } = this.#needs;
		search.found = undefined;
		this.#ready = {};
		frame.moves = undefined;
		this.#shown = "";
		for (const id of PREPARED) byId(id).hidden = true;
		for (const id of ["told", "image-warnings"]) byId(id).replaceChildren();
	}

	/** The worker has opened another file. */
	take(file: Source, { dataset, own }: Opened): void {
		this.#ready = { file };
		this.#laid = JSON.stringify([undefined, undefined]);
		this.#needs.picture.fixed = dataset;
		byId("picture-head").textContent = own ? "Result" : "Measured image";
	}

	/** The first image of a file that was opened. @param sizeless whether its size has to be given */
	async first(
		opened: Opened,
		sizeless: boolean,
		report: Report,
	): Promise<void> {
		if (opened.own) await this.#showOwn(opened.own);
		else if (!sizeless || this.#needs.form.settings.field) {
			// Preparing many pixels takes a while: meanwhile they are seen as they are.
			if (!opened.dataset && pixelsOf(opened) > MANY) await this.showPixels();
			await this.prepare(report);
		} else await this.showPixels();
	}

	/** Prepares what has changed, and shows the image of the energy that is chosen. */
	refresh(): void {
		const { work, now, form, search } = this.#needs;
		work.whenFree("image", () => {
			// What is shown already is not done again: that would hide an error that has just come.
			if (now.file && !now.opened?.own && this.#wish !== this.#shown)
				void work.act("preparing", (report) => this.prepare(report));
		});
		// A search in an image that is no longer wanted is not waited for.
		if (search.running && JSON.stringify(form.settings) !== search.running)
			work.stop();
	}

	/** Shows the image whose kernel is shown. */
	follow(results: Beside): void {
		const { labels = [] } = this.#needs.now.images ?? {};
		const at = results.imageOf(labels.length);
		const slider = input("energy");
		if (at === undefined || labels.length < 2 || slider.valueAsNumber === at)
			return;
		slider.value = String(at);
		this.refresh();
	}

	/** Has the kernel shown whose image is shown. */
	shownBeside(results: Beside): void {
		const { labels = [] } = this.#needs.now.images ?? {};
		const at = labels.length > 1 ? input("energy").valueAsNumber : 0;
		results.follow(at, labels.length);
	}

	get #wish(): string {
		return JSON.stringify([this.#needs.form.settings, input("energy").value]);
	}

	/**
	 * Makes the worker have what the form says, whatever it was doing before, and shows it. Resolves to the settings that it has: people may be changing
	 * them by then.
	 */
	async prepare(report: Report): Promise<PrepareOptions> {
		const { remote, now, form, lattice, frame } = this.#needs;
		const { scatterers, search, layers } = this.#needs;
		let wanted = form.settings;
		if (!now.file || !now.opened) return wanted;
		await this.#reopened(report);
		// Of an array whose indices are taken otherwise there are other images.
		if (await this.lay()) wanted = form.settings;
		const key = JSON.stringify(wanted);
		let unseen = false;
		if (this.#ready.settings !== key || !now.images) {
			// Settings that fail are no longer those of before: going back to them has to clear the error.
			this.#ready.settings = undefined;
			this.#shown = "";
			now.images = await remote.call("prepare", wanted, report);
			frame.moves = now.images.moves;
			lattice.tell(now.images.lattice ?? []);
			this.#ready.settings = key;
			layers.reset();
			if (!now.opened.dataset && scatterers.asFound)
				unseen = search.found?.settings !== key;
			else scatterers.settle();
			if (unseen) scatterers.reset([], true);
		}
		await this.#show(wanted);
		if (unseen) await this.#look(report, true);
		return wanted;
	}

	/** Makes the worker have the file. */
	async #reopened(report?: Report): Promise<void> {
		const { remote, now } = this.#needs;
		if (!now.file || this.#ready.file === now.file) return;
		await remote.call("open", now.file, report);
		this.#ready = { file: now.file };
	}

	/** Makes the page know the file as its indices are to be taken. Resolves to whether it knew it otherwise. */
	async lay(): Promise<boolean> {
		const { remote, now, form } = this.#needs;
		const { axes, orientation } = form.settings;
		const key = JSON.stringify([axes, orientation]);
		if (!now.file || key === this.#laid) return false;
		now.opened = await remote.call("arranged", { axes, orientation });
		this.#laid = key;
		form.laid(now.file, now.opened);
		this.#showSlider(1);
		if (input("energy").valueAsNumber >= form.images)
			input("energy").value = "0";
		return true;
	}

	/** A result of this program, to be looked at. */
	async #showOwn(what: string): Promise<void> {
		byId("image-form").hidden = true;
		await this.showPixels();
		byId("picture-title").textContent = what;
	}

	/** Prepares the image, and looks for scatterers in it. */
	async detect(report: Report): Promise<void> {
		const { search } = this.#needs;
		const before = search.found;
		await this.prepare(report);
		// A new image is searched when it is prepared.
		if (search.found === before) await this.#look(report);
	}

	/** In the image that the worker has. */
	async #look(report: Report, fresh = false): Promise<void> {
		const { remote, search, changed } = this.#needs;
		const { settings = "" } = this.#ready;
		// A search that fails is made again.
		this.#ready.settings = undefined;
		await search.run(
			settings,
			(options, turn) => remote.call("detect", options, turn),
			report,
			fresh,
		);
		this.#ready.settings = settings;
		changed();
	}

	/** @param prepared how many images there are that were prepared */
	#showSlider(prepared: number): void {
		const { form } = this.#needs;
		const count = Math.max(prepared, form.images);
		byId("energies-label").hidden = form.images < 2;
		byId("energy-row").hidden = count < 2;
		input("energy").max = String(count - 1);
	}

	/** The image in pixels, as long as its size is not known. */
	async showPixels(): Promise<void> {
		const { remote, now, form, picture, shown } = this.#needs;
		await this.#reopened();
		await this.lay();
		const channel = select("channel").value;
		const index = input("energy").valueAsNumber;
		const { axes, orientation } = form.settings;
		const image = await remote.call("pixels", {
			...{ channel, index, axes, orientation },
		});
		if (now.images) return;
		this.#showSlider(1);
		picture.fixed = true;
		picture.look(image, now.opened?.size ? "Å" : "pixels");
		byId("energy-value").textContent = image.label;
		byId("picture-title").textContent = now.opened?.size
			? `${channel}, ${image.label}, as measured`
			: `${channel}, ${image.label}, in pixels: how long is its longer side in Å?`;
		byId("picture-section").hidden = false;
		shown();
	}

	async #show(settings: PrepareOptions): Promise<void> {
		const { remote, now, scatterers, picture, layers, spots } = this.#needs;
		if (!now.images) return;
		const { labels, unit, warnings, told } = now.images;
		this.#showSlider(labels.length);
		const slider = input("energy");
		const at = labels.length > 1 ? slider.valueAsNumber : 0;
		const label = labels[at].replace("-", "−");
		const wish = JSON.stringify([settings, slider.value]);
		const image = await remote.call("image", at);
		this.#shown = wish;
		picture.fixed = now.opened?.dataset ?? false;
		// What was chosen when it was asked for: the form may say another by now.
		const { channel = now.opened?.chosen ?? "" } = settings;
		await layers.show({ image, channel, label, unit, at, of: labels.length });
		spots.changed();
		if (now.images.scatterers)
			scatterers.reset(now.images.scatterers[at], true);
		byId("energy-value").textContent = label;
		scatterers.choose(scatterers.chosen); // some may be outside by now
		byId("told").replaceChildren(...sentences(told));
		byId("image-warnings").replaceChildren(...folded(warnings));
		for (const id of PREPARED) byId(id).hidden = false;
		byId("marks").hidden = now.opened?.dataset ?? false;
		this.#needs.shown();
	}
}
