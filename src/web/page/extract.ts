/** The tab that extracts: from the file through image and scatterers to the kernel. */
import { writeScatterers } from "../../extraction/scatterers.ts";
import { diverging } from "../../report/colour.ts";
import type { Field } from "../../report/panels.ts";
import type { PrepareOptions } from "../../results/take.ts";
import { type Progress, Remote, StoppedError } from "../rpc.ts";
import { byId, make, numberOf, save } from "./dom.ts";
import type { ExtractRequest, Opened, PreparedImages } from "./extractTypes.ts";
import type { ExtractHandlers } from "./extractWorker.ts";
import { FieldView, Link } from "./fieldView.ts";
import { MarksTable } from "./marksTable.ts";
import { Results } from "./results.ts";
import { cropTool, markTool, outline, Scatterers } from "./scatterers.ts";

const input = (id: string) => byId<HTMLInputElement>(id);
const select = (id: string) => byId<HTMLSelectElement>(id);

/** Work of less than this shows no progress, milliseconds. */
const SOON = 400;
/** Changed settings are prepared when nothing has changed for so long. */
const CALM = 250;
const SAMPLE = "sample.3ds";
/** What there is to see once an image is prepared. */
const PREPARED = ["picture-section", "marks", "extract-form"];

export function startExtract(): void {
	const remote = new Remote<ExtractHandlers>("extractWorker.js", () => {
		ready = {};
	});
	const link = new Link();
	const view = new FieldView(byId("picture"), link);
	const results = new Results((name) => {
		void act("making the files", async (report) => {
			const blob =
				name === "zip"
					? await remote.call("files", null, report)
					: await remote.call("file", name, report);
			const stem = file?.name.replace(/\.[^.]*$/, "") ?? "kernel";
			save(blob, name === "zip" ? `${stem}-kernel.zip` : name);
		});
	});

	let file: File | undefined;
	let opened: Opened | undefined;
	let images: PreparedImages | undefined;
	let image: Field | undefined;
	/** What the worker has prepared, to do it again when it was started anew. */
	let ready: { file?: File; settings?: string } = {};
	/** What the results that are shown were asked for with. */
	let extracted: string | undefined;
	let busy = false;
	/** To be done after what is being done now: what people asked for, else what follows from the form. */
	let asked: (() => void) | null = null;
	let again: (() => void) | null = null;

	const scatterers = new Scatterers(() => {
		table.show(scatterers.list, scatterers.chosen);
		byId<HTMLButtonElement>("undo").disabled = !scatterers.canUndo;
		const used = scatterers.list.filter(({ keep }) => keep).length;
		const left = scatterers.list.length - used;
		byId("marks-count").textContent =
			`${used} used${left ? `, ${left} left out` : ""}`;
		checkStale();
		link.changed();
	});
	const table = new MarksTable(scatterers);

	// Everything that takes time goes through here: one thing at a time, its progress, its end, its error.
	async function act(
		what: string,
		work: (report: (progress: Progress) => void) => Promise<void>,
	): Promise<void> {
		byId("fault").hidden = true;
		if (busy) {
			// What is too short to be seen must not swallow a click; what is seen can be stopped.
			if (byId("work").hidden) asked = () => void act(what, work);
			return;
		}
		busy = true;
		const bar = byId<HTMLProgressElement>("work-bar");
		const began = performance.now();
		const show = ({ done, total, what }: Progress) => {
			if (total > 0) [bar.max, bar.value] = [total, done];
			else bar.removeAttribute("value");
			const seconds = (performance.now() - began) / 1000;
			byId("work-what").textContent =
				`${what}${total > 0 ? `, ${Math.floor((100 * done) / total)} %` : ""}${seconds > 2 ? `, ${seconds.toFixed(0)} s` : ""}`;
		};
		let last: Progress = { done: 0, total: 0, what };
		show(last);
		const appear = setTimeout(() => {
			byId("work").hidden = false;
		}, SOON);
		const tick = setInterval(() => show(last), 1000);
		try {
			await work((progress) => {
				last = progress;
				show(progress);
			});
		} catch (error) {
			if (!(error instanceof StoppedError)) fail(error as Error);
		} finally {
			clearTimeout(appear);
			clearInterval(tick);
			byId("work").hidden = true;
			busy = false;
			const next = asked ?? again;
			if (asked) asked = null;
			else again = null;
			next?.();
		}
	}

	function fail(error: Error): void {
		const box = byId("fault");
		(box.querySelector("p") as HTMLElement).textContent = error.message;
		byId("go-on").hidden = error.name !== "DeviceLostError";
		box.hidden = false;
		box.scrollIntoView({ block: "nearest" });
	}

	async function open(
		name: string,
		get: () => File | Promise<File>,
	): Promise<void> {
		await act(`reading ${name}`, async (report) => {
			const chosen = await get();
			const found = await remote.call("open", chosen, report);
			[file, opened, images] = [chosen, found, undefined];
			ready = { file: chosen };
			for (const id of PREPARED) byId(id).hidden = true;
			results.hide();
			scatterers.reset();
			fillForm(found);
			byId("file-about").textContent = aboutFile(chosen, found);
			byId("image-form").hidden = false;
			// Without a size nothing can be prepared.
			if (input("field").required) input("field").focus();
			else await prepare(report);
		});
	}

	/** The size in the file's form is asked for only where the file does not say it. */
	function fillForm({ channels, chosen, size, nx, ny, dataset }: Opened): void {
		select("channel").replaceChildren(
			...channels.map(({ name, unit }) =>
				make(
					"option",
					{ value: name, selected: name === chosen },
					unit ? `${name} (${unit})` : name,
				),
			),
		);
		byId("field-label").hidden = size !== undefined;
		input("field").required = !size && !(nx === 64 && ny === 64);
		for (const id of [
			"field",
			"low-pass",
			"clip",
			"crop-x",
			"crop-y",
			"crop-size",
		])
			input(id).value = "";
		for (const id of ["flatten", "energies"]) select(id).selectedIndex = 0;
		input("repair").checked = true;
		input("energy").value = "0";
		// A dataset's file has images as they are, and their scatterers.
		for (const element of byId("image-form").querySelectorAll("input, select"))
			(element as HTMLInputElement).disabled = dataset;
	}

	function aboutFile({ size: bytes, name }: File, o: Opened): string {
		const energies = o.channels[0].energies.length;
		return [
			`${name}, ${(bytes / 1e6).toFixed(2)} MB: ${o.format}, ${o.nx} × ${o.ny} pixels`,
			o.size &&
				`${[o.size.x, o.size.y].map((v) => Number(v.toPrecision(4))).join(" × ")} Å`,
			energies > 1 && `${energies} energies`,
		]
			.filter(Boolean)
			.join(", ");
	}

	/** As the command line's options; what is left at its default is not there. */
	function settings(): PrepareOptions {
		if (opened?.dataset) return {};
		const channel = select("channel").value;
		const energies = energiesOf();
		const one = energies.length > 1 && select("energies").value === "one";
		const [x, y, size] = ["crop-x", "crop-y", "crop-size"].map((id) =>
			numberOf(input(id)),
		);
		return {
			channel: channel === opened?.chosen ? undefined : channel,
			energy: one ? energies[Number(input("energy").value)] : undefined,
			field: opened?.size ? undefined : numberOf(input("field")),
			flatten: (select("flatten").value ||
				undefined) as PrepareOptions["flatten"],
			repair: input("repair").checked,
			clip: numberOf(input("clip")),
			lowPass: numberOf(input("low-pass")),
			crop: size === undefined ? undefined : { x: x ?? 0, y: y ?? 0, size },
		};
	}

	const energiesOf = () =>
		opened?.channels.find(({ name }) => name === select("channel").value)
			?.energies ?? [];

	/** Makes the worker have what the form says, whatever it was doing before. */
	async function prepare(report: (progress: Progress) => void): Promise<void> {
		if (!file || !opened) return;
		const wanted = settings();
		const key = JSON.stringify(wanted);
		if (ready.file !== file) {
			await remote.call("open", file, report);
			ready = { file };
		}
		if (ready.settings !== key || !images) {
			const fresh = !images;
			// Settings that fail are no longer those of before: going back to them has to clear the error.
			ready.settings = undefined;
			images = await remote.call("prepare", wanted, report);
			ready.settings = key;
			if (opened.dataset) scatterers.reset(images.scatterers?.[0] ?? []);
			else if (fresh || scatterers.asFound)
				scatterers.reset(await remote.call("detect", undefined, report), true);
		}
		await showImage();
	}

	async function showImage(): Promise<void> {
		if (!images || !file) return;
		const { labels, unit, warnings, told } = images;
		const energies = energiesOf();
		const several = labels.length > 1 || energies.length > 1;
		byId("energies-label").hidden = energies.length < 2;
		byId("energy-row").hidden = !several;
		const slider = input("energy");
		slider.max = String(Math.max(labels.length, energies.length) - 1);
		const at = labels.length > 1 ? Number(slider.value) : 0;
		image = await remote.call("image", at);
		if (opened?.dataset) scatterers.reset(images.scatterers?.[at] ?? []);
		byId("energy-value").textContent = labels[at].replace("-", "−");
		byId("picture-title").textContent =
			`${select("channel").value}, ${labels[at].replace("-", "−")}`;
		view.show({
			field: image,
			colours: diverging,
			range: aboutMedian(image.values),
			unit,
			axes: "Å",
			summary: `The measured image, ${labels[at]}, ${image.nx} by ${image.ny} pixels`,
		});
		byId("told").replaceChildren(
			...[...told, ...warnings.map((w) => `Warning: ${w}`)].map((line) =>
				make("li", {}, line),
			),
		);
		for (const id of PREPARED) byId(id).hidden = false;
		byId("marks").hidden = opened?.dataset ?? false;
	}

	const request = (): ExtractRequest => ({
		settings: settings(),
		scatterers: scatterers.asFound ? null : scatterers.list,
		method: select("method").value,
		symmetry: (Number(select("symmetry").value) ||
			undefined) as ExtractRequest["symmetry"],
		seed: input("seed").valueAsNumber,
	});

	const checkStale = () =>
		results.stale(JSON.stringify(request()) !== extracted);

	async function extract(): Promise<void> {
		await act("extracting", async (report) => {
			await prepare(report);
			const wanted = request();
			const outcome = await remote.call("extract", wanted, report);
			extracted = JSON.stringify(wanted);
			results.show(outcome);
			// People edit while they wait.
			checkStale();
		});
	}

	// The picture's tools

	const area = () => {
		const { crop } = settings();
		return crop ?? null;
	};
	const marking = markTool(
		scatterers,
		() => link.changed(),
		() => opened?.dataset ?? true,
	);
	const cropping = cropTool(
		area,
		({ x, y, size }) => {
			if (!image) return;
			const fitted = inside({ x, y, size }, image.x, image.y);
			for (const [id, value] of [
				["crop-x", fitted.x],
				["crop-y", fitted.y],
				["crop-size", fitted.size],
			] as const)
				input(id).value = String(Number(value.toFixed(1)));
			later();
		},
		() => link.changed(),
	);
	const tools = {
		mark: {
			...marking,
			paint(ctx, place) {
				const square = area();
				if (square) outline(ctx, place, square);
				marking.paint(ctx, place);
			},
		},
		crop: {
			...cropping,
			paint(ctx, place) {
				cropping.paint(ctx, place);
				marking.paint(ctx, place);
			},
		},
		move: {
			down: () => null,
			paint: (ctx, place) => tools.mark.paint(ctx, place),
		},
	} satisfies Record<string, FieldView["tool"]>;
	view.tool = tools.mark;
	for (const radio of document.querySelectorAll<HTMLInputElement>(
		'input[name="tool"]',
	))
		radio.addEventListener("change", () => {
			view.tool = tools[radio.value as keyof typeof tools];
			link.changed();
		});
	for (const button of document.querySelectorAll<HTMLElement>(
		'[data-zoom="picture"] button',
	))
		button.addEventListener("click", () =>
			view.zoom(Number(button.dataset.factor)),
		);

	// What people do

	const drop = byId("drop");
	input("file").addEventListener("change", () => {
		const chosen = input("file").files?.[0];
		if (chosen) void open(chosen.name, () => chosen);
	});
	document.addEventListener("dragover", (event) => {
		if (byId("extract").hidden) return;
		event.preventDefault();
		drop.classList.add("over");
	});
	document.addEventListener("dragleave", () => drop.classList.remove("over"));
	document.addEventListener("drop", (event) => {
		if (byId("extract").hidden) return;
		event.preventDefault();
		drop.classList.remove("over");
		const chosen = event.dataTransfer?.files[0];
		if (chosen) void open(chosen.name, () => chosen);
	});
	byId("sample").addEventListener("click", () =>
		open(SAMPLE, async () => {
			const response = await fetch(SAMPLE);
			if (!response.ok)
				throw new Error(
					`${SAMPLE}: found ${response.status}, expected the sample`,
				);
			return new File([await response.blob()], SAMPLE);
		}),
	);

	let timer: ReturnType<typeof setTimeout> | undefined;
	const later = () => {
		clearTimeout(timer);
		timer = setTimeout(() => {
			if (busy) again = later;
			else if (
				byId<HTMLFormElement>("image-form").checkValidity() &&
				JSON.stringify(settings()) !== ready.settings
			)
				void act("preparing", prepare);
		}, CALM);
		checkStale();
		link.changed();
	};
	byId("image-form").addEventListener("input", later);
	byId("image-form").addEventListener("submit", (event) =>
		event.preventDefault(),
	);
	byId("crop-clear").addEventListener("click", () => {
		for (const id of ["crop-x", "crop-y", "crop-size"]) input(id).value = "";
		later();
	});
	input("energy").addEventListener("input", () => {
		const at = Number(input("energy").value);
		results.choose(at);
		// One energy on its own is prepared on its own; of all, another is shown.
		if (images && images.labels.length === 1) later();
		else if (!busy) void act("showing", showImage);
		else again = () => void act("showing", showImage);
	});
	byId("detect").addEventListener("click", () =>
		act("looking for scatterers", async (report) => {
			await prepare(report);
			scatterers.replace(await remote.call("detect", undefined, report), true);
		}),
	);
	byId("undo").addEventListener("click", () => scatterers.undo());
	byId("add-mark").addEventListener("click", () => {
		const { x = 0, y = 0 } = images?.square ?? {};
		scatterers.add({ x: Number(x.toFixed(1)), y: Number(y.toFixed(1)) });
		table.focusLast();
	});
	input("marks-file").addEventListener("change", () => {
		const chosen = input("marks-file").files?.[0];
		if (!chosen) return;
		void act(`reading ${chosen.name}`, async () => {
			const text = await chosen.text();
			scatterers.replace(
				await remote.call("readScatterers", { text, file: chosen.name }),
			);
		});
		input("marks-file").value = "";
	});
	byId("save-marks").addEventListener("click", () =>
		save(
			new Blob([writeScatterers(scatterers.list)], { type: "text/csv" }),
			"scatterers.csv",
		),
	);
	byId("extract-form").addEventListener("submit", (event) => {
		event.preventDefault();
		void extract();
	});
	byId("extract-form").addEventListener("input", checkStale);
	byId("stop").addEventListener("click", () => remote.stop());
	byId("go-on").addEventListener("click", () => void extract());
	document.addEventListener("keydown", (event) => {
		const typing = event.target instanceof HTMLInputElement;
		if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) {
			event.preventDefault();
			scatterers.undo();
		}
	});
}

/** The median as the middle of the scale, 99 % of the values inside. */
function aboutMedian(values: ArrayLike<number>): [number, number] {
	const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
	const [low, middle, high] = [0.005, 0.5, 0.995].map(
		(part) => sorted[Math.round(part * (sorted.length - 1))] ?? 0,
	);
	const reach = Math.max(high - middle, middle - low) || 1;
	return [middle - reach, middle + reach];
}

/** The square moved and, where it must be, shrunk into the image. */
function inside(
	square: { x: number; y: number; size: number },
	x: readonly [number, number],
	y: readonly [number, number],
) {
	const size = Math.min(square.size, x[1] - x[0], y[1] - y[0]);
	const fit = (v: number, [low, high]: readonly [number, number]) =>
		Math.min(high - size / 2, Math.max(low + size / 2, v));
	return { x: fit(square.x, x), y: fit(square.y, y), size };
}
