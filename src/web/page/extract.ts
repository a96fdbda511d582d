/** The tab that extracts: from the file through image and scatterers to the kernel. */

import type { PrepareOptions } from "../../extraction/results/prepareScans.ts";
import type { Rectangle } from "../../extraction/scan/resample.ts";
import { Remote, type Report, StoppedError } from "../rpc.ts";
import { ANALYSIS, AnalysisForm } from "./analysisForm.ts";
import { OPEN_FILE } from "./commandFiles.ts";
import {
	byId,
	confirmed,
	folded,
	input,
	numberOf,
	save,
	select,
	sentences,
} from "./dom.ts";
import { onEdits } from "./edits.ts";
import type {
	ExtractRequest,
	Opened,
	Outcome,
	PreparedImages,
} from "./extractTypes.ts";
import type { ExtractHandlers } from "./extractWorker.ts";
import { onFile } from "./fileInput.ts";
import { Fourier } from "./fourier.ts";
import { Frame } from "./frame.ts";
import { Guide } from "./guide.ts";
import type { History } from "./history.ts";
import { ImageForm } from "./imageForm.ts";
import { KindsList } from "./kindsList.ts";
import { LATTICE, LatticeForm } from "./latticeForm.ts";
import { Layers } from "./layers.ts";
import { MarksTable } from "./marksTable.ts";
import { PictureView } from "./pictureView.ts";
import { startPlay } from "./play.ts";
import { Results } from "./results.ts";
import { Scatterers } from "./scatterers.ts";
import { Search } from "./search.ts";
import { showSeedWindows } from "./seedWindows.ts";
import { SeriesPanel } from "./seriesPanel.ts";
import { type Source, sourceOf, stemOf } from "./source.ts";
import { LiveSpots } from "./spots.ts";
import { chosenWeights, offerWeights } from "./weightsChoice.ts";
import { Work } from "./work.ts";
import {
	isTouched,
	type OpenFile,
	type WorkResults,
	type WorkState,
	Works,
} from "./works.ts";

/** Fields of what is chosen beside the image. */
const CHOICES = [
	...["method", "symmetry", "window", "seed", "kinds"],
	...["weights", "seed-windows"],
	...ANALYSIS,
	...LATTICE,
];
/** What there is to see once an image is prepared. */
const PREPARED = [
	"picture-section",
	"marks",
	"extract-form",
	"analysis-form",
	"run",
	"save-session",
];

export function startExtract(): void {
	const work = new Work(() => remote.stop());
	const remote = new Remote<ExtractHandlers>("extractWorker.js", () => {
		ready = {};
		held = false;
	});
	let file: Source | undefined;
	let opened: Opened | undefined;
	let images: PreparedImages | undefined;
	/** What the worker has prepared, to do it again when it was started anew. */
	let ready: { file?: Source; settings?: string } = {};
	/** What was wished for when the image that is shown was chosen. */
	let shown = "";
	/** How the indices of the file that is open are taken. */
	let laid = "";
	/** What the results that are shown were asked for with. */
	let extracted: ExtractRequest | undefined;
	/** Whether the worker has them still. */
	let held = false;
	let history: History | undefined;

	const frame = new Frame();
	const scatterers = new Scatterers(() => {
		table.show();
		kinds.show();
		const told = scatterers.asFound ? search.found?.result.told : undefined;
		byId("found-told").replaceChildren(...sentences(told ?? []));
		showUndo();
		const kept = scatterers.list.filter(({ keep }) => keep);
		const area = images?.area;
		const outside = area
			? kept.filter((s) => isOutside(frame.toPicture(s), area)).length
			: 0;
		const left = scatterers.list.length - kept.length;
		byId("marks-count").textContent = [
			`${kept.length - outside} used`,
			outside && `${outside} outside the image`,
			left && `${left} left out`,
		]
			.filter(Boolean)
			.join(", ");
		changed();
		picture.changed();
	});
	const showUndo = () => {
		byId<HTMLButtonElement>("undo").disabled = !history?.canUndo;
		byId<HTMLButtonElement>("redo").disabled = !history?.canRedo;
	};
	const guide = new Guide();
	const table = new MarksTable(scatterers);
	const kinds = new KindsList(scatterers);
	const search = new Search(scatterers, frame, () => picture.changed());
	const lattice = new LatticeForm(
		() => {
			form.change();
			analysis.change();
		},
		() => remote.call("seenLattice", undefined),
	);
	const form = new ImageForm(
		lattice,
		() => {
			showUndo();
			changed();
			picture.changed();
		},
		() => refresh(),
	);
	const works = new Works(
		(wanted) => void reopen(wanted),
		(unwanted) => void close(unwanted),
	);
	const state = (): WorkState => ({
		settings: form.settings,
		shown: input("energy").value,
		choices: Object.fromEntries(CHOICES.map((id) => [id, input(id).value])),
		scatterers: { list: scatterers.list, asFound: scatterers.asFound },
		found: search.found,
	});
	/** People, or a search, have done something. */
	const changed = () => {
		checkStale();
		if (file) works.changed(state);
	};
	/** Prepares what has changed, and shows the image of the energy that is chosen. */
	const refresh = () => {
		work.whenFree("image", () => {
			// What is shown already is not done again: that would hide an error that has just come.
			if (file && !opened?.own && wish() !== shown)
				void work.act("preparing", (report) => prepare(report));
		});
		// A search in an image that is no longer wanted is not waited for.
		if (search.running && JSON.stringify(form.settings) !== search.running)
			work.stop();
	};
	const wish = () => JSON.stringify([form.settings, input("energy").value]);
	const picture = new PictureView(
		scatterers,
		() => form.region,
		(region) => form.crop(region),
		form.masks,
		frame,
	);
	const layers = new Layers(picture, (wanted) => remote.call("layer", wanted));
	showSeedWindows(picture);
	const spots = new LiveSpots(picture, scatterers, (options) =>
		remote.call("spots", {
			index: images?.labels.length === 1 ? 0 : input("energy").valueAsNumber,
			options,
		}),
	);
	const analysis = new AnalysisForm(lattice, changed, () =>
		work.whenFree("analysis", analyse),
	);
	const fourier = new Fourier({
		// Before a restored result is made again, its map is that which was prepared.
		mapFft: (wanted) => remote.call("mapFft", wanted).catch(() => null),
		choice: () => analysis.choice ?? {},
		choose: (what, value, besides) => analysis.add(what, value, besides),
		known: (fft) => fft && lattice.offer(fft.lattice),
	});
	const results = new Results(fourier, profileOf, (name, index) => {
		if (name === OPEN_FILE) {
			if (file) save(file.files[0], file.files[0].name);
			return;
		}
		void work.act("making the files", async (report) => {
			// They were kept, the numbers behind them were not.
			if (!held && extracted) await remake(extracted, report);
			const blob =
				name === "zip"
					? await remote.call("files", null, report)
					: await remote.call("file", { name, index }, report);
			const stem = file ? stemOf(file) : "kernel";
			save(blob, name === "zip" ? `${stem}-kernel.zip` : name);
		});
	});

	async function profileOf(index: number): Promise<Blob | null> {
		// Where it is stopped there is none.
		return held ? remote.call("profile", index).catch(() => null) : null;
	}

	const open = (
		name: string,
		get: () => readonly File[] | Promise<readonly File[]>,
	) =>
		work.instead(`reading ${name}`, async (report) => {
			const [first, ...rest] = await get();
			const packed = await unpacked(first);
			const { source } = packed ?? { source: sourceOf([first]) };
			await load(source, report, packed, rest);
		});

	/** A session's files, and what was done with them; undefined for any other file. */
	async function unpacked(chosen: File) {
		const packed = await remote.call("unpack", chosen);
		if (!packed) return undefined;
		const { files, settings, choices, scatterers: list } = packed;
		const state: WorkState = {
			...{ settings, choices, shown: "0" },
			scatterers: { list: list ?? [], asFound: !list },
		};
		return { source: sourceOf(files), state };
	}

	/** Files stand beside the one that is shown until they are chosen; what cannot be read is told. */
	async function aside(files: readonly File[], report: Report): Promise<void> {
		const added: OpenFile[] = [];
		const unread: string[] = [];
		for (const [done, each] of files.entries()) {
			report({ done, total: files.length, what: `reading ${each.name}` });
			try {
				const { source, state } = (await unpacked(each)) ?? {
					source: sourceOf([each]),
				};
				const seat = state ? undefined : await remote.call("seat", each);
				added.push(await works.add(source, seat, { aside: true, state }));
			} catch (error) {
				if (error instanceof StoppedError) throw error;
				unread.push((error as Error).message);
			}
		}
		const { current } = works;
		seriesPanel.opened(current ? [current, ...added] : added, unread);
		showSeries();
	}

	/** Files that are open, as one series in their place; those that were worked on stay too. */
	const takeSeries = (files: readonly OpenFile[]) =>
		work.instead(`a series of ${files.length} files`, async (report) => {
			works.flush();
			const kept = await Promise.all(files.map((each) => works.read(each)));
			const parts = kept.flatMap((each) => each?.source.files ?? []);
			await load(sourceOf(parts), report);
			for (const [i, each] of files.entries())
				if (!isTouched(kept[i])) await works.remove(each);
			showSeries();
		});

	/** A series as files beside each other in its place; it stays too where it was worked on. */
	const takeApart = () =>
		work.instead("taking the series apart", async (report) => {
			const [series, from] = [works.current, file];
			if (!series || !from) return;
			works.flush();
			const kept = await works.read(series);
			const [first, ...rest] = from.files;
			await load(sourceOf([first]), report, undefined, rest);
			if (!isTouched(kept)) await works.remove(series);
			showSeries();
		});
	const seriesPanel = new SeriesPanel<OpenFile>(
		(files) => void takeSeries(files),
		() => void takeApart(),
	);
	const showSeries = () =>
		seriesPanel.show(works.list, works.current?.id, opened?.series);

	/** Opens a file anew, as it was left. */
	const reopen = (wanted: OpenFile) =>
		work.instead(`reading ${wanted.name}`, async (report) => {
			works.flush();
			const kept = await works.read(wanted);
			if (!kept) {
				await works.remove(wanted);
				throw new Error(
					`${wanted.name}: this browser no longer has it; choose the file again`,
				);
			}
			await load(kept.source, report, { ...kept, id: wanted });
		});

	/**
	 * @param before what was done with it when it was open last
	 * @param beside files that were chosen together with it, and stay beside it
	 */
	async function load(
		chosen: Source,
		report: Report,
		before?: { id?: OpenFile; state?: WorkState; results?: WorkResults },
		beside: readonly File[] = [],
	): Promise<void> {
		const what = await remote.call("open", chosen.files, report);
		works.flush();
		void (before?.id ? works.go(before.id) : works.add(chosen, what.seat));
		// What was known is of another file.
		forget();
		[file, opened] = [chosen, what];
		await aside(beside, report);
		ready = { file: chosen };
		laid = JSON.stringify([undefined, undefined]);
		picture.fixed = what.dataset;
		byId("steps").scrollTop = 0;
		const sizeless = form.fill(chosen, what);
		const left = before?.state;
		analysis.clear();
		lattice.clear();
		input("seed-windows").value = "";
		if (left) {
			form.restore(left.settings);
			await lay();
			input("energy").max = String(form.images - 1);
			input("energy").value = left.shown;
			for (const [id, value] of Object.entries(left.choices))
				input(id).value = value;
			lattice.settle();
			search.found = left.found;
			scatterers.reset(left.scatterers.list, left.scatterers.asFound);
		}
		lattice.look();
		if (what.own) await showOwn(what.own);
		else if (!sizeless || form.settings.field) {
			// Preparing many pixels takes a while: meanwhile they are seen as they are.
			if (!what.dataset && pixelsOf(what) > MANY) await showPixels();
			await prepare(report);
		} else await showPixels();
		if (!before?.results) return;
		show(before.results.request, before.results.outcome);
		held = false; // the worker that had them is gone
	}

	/** Nothing is open. */
	function forget(): void {
		[file, opened, images] = [undefined, undefined, undefined];
		search.found = undefined;
		ready = {};
		frame.moves = undefined;
		[shown, extracted, held] = ["", undefined, false];
		for (const id of PREPARED) byId(id).hidden = true;
		results.hide();
		layers.of(null);
		for (const id of ["told", "image-warnings"]) byId(id).replaceChildren();
		scatterers.reset([], true);
	}

	/** Closes a file; what was done with it is given up only when people say so. */
	async function close(unwanted: OpenFile): Promise<void> {
		works.flush();
		const kept = await works.read(unwanted);
		if (isTouched(kept) && !(await confirmed("close-file", "close"))) return;
		const isShown = works.current?.id === unwanted.id;
		await works.remove(unwanted);
		if (!isShown) return showSeries();
		if (works.current) return void reopen(works.current);
		work.stop();
		forget();
		byId("image-form").hidden = true;
		byId("file-about").textContent = "";
		showSeries();
	}

	/**
	 * Makes the worker have what the form says, whatever it was doing before, and shows it. Resolves to the settings that it has: people may be changing
	 * them by then.
	 */
	async function prepare(report: Report): Promise<PrepareOptions> {
		let wanted = form.settings;
		if (!file || !opened) return wanted;
		await reopened(report);
		// Of an array whose indices are taken otherwise there are other images.
		if (await lay()) wanted = form.settings;
		const key = JSON.stringify(wanted);
		let unseen = false;
		if (ready.settings !== key || !images) {
			// Settings that fail are no longer those of before: going back to them has to clear the error.
			ready.settings = undefined;
			shown = "";
			images = await remote.call("prepare", wanted, report);
			frame.moves = images.moves;
			lattice.tell(images.lattice ?? []);
			ready.settings = key;
			layers.reset();
			if (!opened.dataset && scatterers.asFound)
				unseen = search.found?.settings !== key;
			else scatterers.settle();
			if (unseen) scatterers.reset([], true);
		}
		await showImage(wanted);
		if (unseen) await look(report, true);
		return wanted;
	}

	/** Makes the worker have the file. */
	async function reopened(report?: Report): Promise<void> {
		if (!file || ready.file === file) return;
		await remote.call("open", file.files, report);
		ready = { file };
	}

	/** Makes the page know the file as its indices are to be taken. Resolves to whether it knew it otherwise. */
	async function lay(): Promise<boolean> {
		const { axes, orientation } = form.settings;
		const key = JSON.stringify([axes, orientation]);
		if (!file || key === laid) return false;
		opened = await remote.call("arranged", { axes, orientation });
		laid = key;
		form.laid(file, opened);
		showSlider(1);
		if (input("energy").valueAsNumber >= form.images)
			input("energy").value = "0";
		return true;
	}

	/** A result of this program, to be looked at. */
	async function showOwn(what: string): Promise<void> {
		byId("image-form").hidden = true;
		await showPixels();
		byId("picture-title").textContent = what;
	}

	/** In the image that the worker has. */
	async function look(report: Report, fresh = false): Promise<void> {
		const { settings = "" } = ready;
		// A search that fails is made again.
		ready.settings = undefined;
		await search.run(
			settings,
			(options, turn) => remote.call("detect", options, turn),
			report,
			fresh,
		);
		ready.settings = settings;
		changed();
	}

	/** @param prepared how many images there are that were prepared */
	function showSlider(prepared: number): void {
		const count = Math.max(prepared, form.images);
		byId("energies-label").hidden = form.images < 2;
		byId("energy-row").hidden = count < 2;
		input("energy").max = String(count - 1);
	}

	/** The image in pixels, as long as its size is not known. */
	async function showPixels(): Promise<void> {
		await reopened();
		await lay();
		const channel = select("channel").value;
		const index = input("energy").valueAsNumber;
		const { axes, orientation } = form.settings;
		const image = await remote.call("pixels", {
			...{ channel, index, axes, orientation },
		});
		if (images) return;
		showSlider(1);
		picture.fixed = true;
		picture.look(image, opened?.size ? "Å" : "pixels");
		byId("energy-value").textContent = image.label;
		byId("picture-title").textContent = opened?.size
			? `${channel}, ${image.label}, as measured`
			: `${channel}, ${image.label}, in pixels: how long is its longer side in Å?`;
		byId("picture-section").hidden = false;
		checkStale();
	}

	async function showImage(settings: PrepareOptions): Promise<void> {
		if (!images) return;
		const { labels, unit, warnings, told } = images;
		showSlider(labels.length);
		const slider = input("energy");
		const at = labels.length > 1 ? slider.valueAsNumber : 0;
		const label = labels[at].replace("-", "−");
		const now = JSON.stringify([settings, slider.value]);
		const image = await remote.call("image", at);
		shown = now;
		picture.fixed = opened?.dataset ?? false;
		await layers.show({ image, label, unit, at, of: labels.length });
		spots.changed();
		if (images.scatterers) scatterers.reset(images.scatterers[at], true);
		byId("energy-value").textContent = label;
		byId("picture-title").textContent = `${select("channel").value}, ${label}`;
		scatterers.choose(scatterers.chosen); // some may be outside by now
		byId("told").replaceChildren(...sentences(told));
		byId("image-warnings").replaceChildren(...folded(warnings));
		for (const id of PREPARED) byId(id).hidden = false;
		byId("marks").hidden = opened?.dataset ?? false;
		checkStale();
	}

	const request = (): ExtractRequest => ({
		settings: form.settings,
		scatterers: scatterers.asFound ? null : scatterers.list,
		found: (scatterers.asFound && !opened?.dataset && search.found) || null,
		method: select("method").value,
		window: numberOf(input("window")),
		symmetry: (Number(select("symmetry").value) ||
			undefined) as ExtractRequest["symmetry"],
		seed: input("seed").valueAsNumber,
		analysis: analysis.choice,
		weights: chosenWeights(),
	});

	const checkStale = () => {
		const stale = JSON.stringify(request()) !== JSON.stringify(extracted);
		results.stale(stale);
		guide.tell({
			open: Boolean(file),
			own: Boolean(opened?.own),
			sized: Boolean(opened?.size),
			prepared: Boolean(images),
			used: scatterers.list.filter(({ keep }) => keep).length,
			asFound: scatterers.asFound,
			result: !extracted ? "none" : stale ? "stale" : "fresh",
		});
	};

	function show(
		wanted: ExtractRequest,
		outcome: Outcome,
		inPlace = false,
	): void {
		extracted = wanted;
		held = true;
		results.show(outcome, inPlace);
		// They are seen first: copying those of many energies is a task of its own.
		setTimeout(() => {
			if (extracted === wanted)
				void works.keepResults({ request: wanted, outcome });
		});
		layers.of(outcome);
		// People edit while they wait.
		checkStale();
	}

	const extract = () =>
		form.isValid() &&
		work.act("extracting", async (report) => {
			const settings = await prepare(report);
			const wanted = { ...request(), settings };
			// A double click is no second wish.
			if (held && JSON.stringify(wanted) === JSON.stringify(extracted)) return;
			show(wanted, await remote.call("extract", wanted, report));
		});

	/** Makes the worker have the results that are shown. */
	async function remake(wanted: ExtractRequest, report: Report): Promise<void> {
		if (!file) return;
		await remote.call("open", file.files, report);
		await remote.call("prepare", wanted.settings, report);
		await remote.call("extract", wanted, report);
		ready = { file, settings: JSON.stringify(wanted.settings) };
		held = true;
	}

	/** Asks other things of the same kernels, where nothing else has changed. */
	function analyse(): void {
		const wanted = request();
		const before = extracted && { ...extracted, analysis: wanted.analysis };
		if (!held || JSON.stringify(before) !== JSON.stringify(wanted)) return;
		if (JSON.stringify(extracted) === JSON.stringify(wanted)) return;
		void work.act("analysing", async () => {
			const analysed = await remote.call("analyse", wanted);
			results.tell(analysed);
			extracted = wanted;
			void works.keepAnalysis({ request: wanted, analysed });
			checkStale();
		});
	}

	/** Shows another method's kernel, where it was compared and nothing else has changed. */
	function switchMethod(): void {
		const wanted = request();
		const before = extracted && { ...extracted, method: wanted.method };
		if (
			JSON.stringify(before) === JSON.stringify(wanted) &&
			held &&
			results.compares(wanted.method)
		)
			void work.act(`by ${wanted.method}`, async () =>
				show(wanted, await remote.call("byMethod", wanted), true),
			);
	}

	// What people do

	onFile(open);
	startPlay();
	input("energy").addEventListener("input", () => {
		results.choose(input("energy").valueAsNumber);
		// One energy on its own is prepared on its own; of all, another is shown.
		if (!images && opened) void work.act("reading", showPixels);
		else if (images?.labels.length === 1) form.change();
		else refresh();
	});
	for (const id of ["axes", "orientation"])
		select(id).addEventListener("change", () => {
			if (!images && opened) void work.act("reading", showPixels);
		});
	// The picture follows the results, and they the picture.
	input("result-energy").addEventListener("input", () => {
		if (images?.labels.length !== Number(input("result-energy").max) + 1)
			return;
		input("energy").value = input("result-energy").value;
		refresh();
	});
	byId("detect").addEventListener("click", () =>
		work.act("looking for scatterers", async (report) => {
			const before = search.found;
			await prepare(report);
			// A new image is searched when it is prepared.
			if (search.found === before) await look(report);
		}),
	);
	history = onEdits(scatterers, table, form.masks, lattice, {
		middle: () => frame.toScan(images?.area ?? { x: 0, y: 0 }),
		read: (chosen, take) => void work.act(`reading ${chosen.name}`, take),
		readScatterers: (text, file) =>
			remote.call("readScatterers", { text, file }),
	});
	byId("save-session").addEventListener("click", () => {
		if (!file) return;
		const saved = file;
		void work.act("packing the session", async () =>
			save(
				await remote.call("session", {
					files: saved.files,
					request: request(),
				}),
				`${stemOf(saved)}.qpi`,
			),
		);
	});
	byId("extract-form").addEventListener("submit", (event) => {
		event.preventDefault();
		void extract();
	});
	for (const id of ["extract-form", "marks"])
		byId(id).addEventListener("input", changed);
	select("method").addEventListener("change", switchMethod);
	byId("stop").addEventListener("click", () => work.stop());
	byId("go-on").addEventListener("click", () => void extract());
	// A file that was open may have been extracted from with them.
	void offerWeights(changed)
		.then(() => works.begin())
		.then((last) => {
			if (last && !file) void reopen(last);
			else checkStale();
		});
}

/** Values of an image of all energies above which they are shown before they are prepared. */
const MANY = 200_000;

const pixelsOf = ({ nx, ny, channels, chosen }: Opened): number =>
	nx * ny * (channels.find(({ name }) => name === chosen)?.images ?? 1);

/** Whether a scatterer lies outside of the rectangle that is extracted from. */
const isOutside = (
	{ x, y }: { readonly x: number; readonly y: number },
	area: Rectangle,
): boolean =>
	Math.abs(x - area.x) > area.width / 2 ||
	Math.abs(y - area.y) > area.height / 2;
