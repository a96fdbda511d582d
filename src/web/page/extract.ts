/** The tab that extracts, from the file through image and scatterers to the kernel: all its parts put together, and what people do with them. */

import { Remote } from "../rpc.ts";
import { byId, input, select, sentences } from "./basics/dom.ts";
import { Guide } from "./basics/guide.ts";
import { Work } from "./basics/work.ts";
import { onFile } from "./files/fileInput.ts";
import { MeasuredImage } from "./files/measuredImage.ts";
import { Now } from "./files/now.ts";
import { Works } from "./files/works.ts";
import { AnalysisForm } from "./forms/analysisForm.ts";
import { ImageForm } from "./forms/imageForm.ts";
import { LatticeForm } from "./forms/latticeForm.ts";
import { onEdits } from "./marks/edits.ts";
import { KindsList } from "./marks/kindsList.ts";
import { showMarksCount } from "./marks/marksCount.ts";
import { MarksTable } from "./marks/marksTable.ts";
import { Search } from "./marks/search.ts";
import { showSeedWindows } from "./marks/seedWindows.ts";
import { LiveSpots } from "./marks/spots.ts";
import { OpenFiles } from "./openFiles.ts";
import { Frame } from "./picture/frame.ts";
import { Layers } from "./picture/layers.ts";
import { PictureView } from "./picture/pictureView.ts";
import { Scatterers } from "./picture/scatterers.ts";
import { Fourier } from "./results/fourier.ts";
import { Kernels } from "./results/kernels.ts";
import { startPlay } from "./results/play.ts";
import { Results } from "./results/results.ts";
import { offerWeights } from "./training/weightsChoice.ts";
import type { ExtractHandlers } from "./worker/extractWorker.ts";

/** Puts the tab together, and opens what was open last. */
export function startExtract(): void {
	const work = new Work(() => remote.stop());
	const remote = new Remote<ExtractHandlers>("extractWorker.js", () => {
		image.workerEnded();
		kernels.workerEnded();
	});
	const now = new Now();
	const frame = new Frame();
	const scatterers = new Scatterers(() => {
		table.show();
		kinds.show();
		const told = scatterers.asFound ? search.found?.result.told : undefined;
		byId("found-told").replaceChildren(...sentences(told ?? []));
		showUndo();
		showMarksCount(scatterers, frame, now.images?.area);
		changed();
		picture.changed();
	});
	const showUndo = () => {
		byId<HTMLButtonElement>("undo").disabled = !history.canUndo;
		byId<HTMLButtonElement>("redo").disabled = !history.canRedo;
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
		() => image.refresh(),
	);
	const works = new Works(
		(wanted) => files.reopen(wanted),
		(unwanted) => void files.close(unwanted),
	);
	/** People, or a search, have done something. */
	const changed = () => {
		kernels.checkStale();
		files.changed();
	};
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
			index:
				now.images?.labels.length === 1 ? 0 : input("energy").valueAsNumber,
			options,
		}),
	);
	const analysis = new AnalysisForm(lattice, changed, () =>
		work.whenFree("analysis", () => kernels.analyse()),
	);
	const fourier = new Fourier({
		// Before a restored result is made again, its map is that which was prepared.
		mapFft: (wanted) => remote.call("mapFft", wanted).catch(() => null),
		choice: () => analysis.choice ?? {},
		choose: (what, value, besides) => analysis.add(what, value, besides),
		known: (fft) => fft && lattice.offer(fft.lattice),
	});
	const results = new Results(
		fourier,
		(index) => kernels.chartsOf(index),
		(name, index) => kernels.save(name, index),
	);

	const common = { remote, work, now, form, scatterers, search };
	const image = new MeasuredImage({
		...common,
		...{ lattice, frame, picture, layers, spots, changed },
		shown() {
			kernels.checkStale();
			image.shownBeside(results);
		},
	});
	const kernels = new Kernels({
		...common,
		...{ image, works, analysis, results, layers, guide },
	});
	const files = new OpenFiles({
		...common,
		...{ image, kernels, works, lattice, analysis },
	});

	// What people do

	onFile((name, get) => files.open(name, get));
	startPlay();
	const lookAtPixels = () => void work.act("reading", () => image.showPixels());
	input("energy").addEventListener("input", () => {
		// One energy on its own is prepared on its own; of all, another is shown.
		if (!now.images && now.opened) lookAtPixels();
		else if (now.images?.labels.length === 1) form.change();
		else {
			// The picture waits for what is being done; kernels are there already.
			if (work.isSeen) image.shownBeside(results);
			image.refresh();
		}
	});
	for (const id of ["axes", "orientation"])
		select(id).addEventListener("change", () => {
			if (!now.images && now.opened) lookAtPixels();
		});
	// The picture follows the results, and they the picture.
	input("result-energy").addEventListener("input", () => {
		image.follow(results);
	});
	byId("detect").addEventListener("click", () =>
		work.act("looking for scatterers", (report) => image.detect(report)),
	);
	const history = onEdits(scatterers, table, form.masks, lattice, {
		middle: () => frame.toScan(now.images?.area ?? { x: 0, y: 0 }),
		// A list that was chosen is not forgotten for what is being done.
		read: (chosen, take) =>
			work.whenFree(
				"list",
				() => void work.act(`reading ${chosen.name}`, take),
			),
		readScatterers: (text, file) =>
			remote.call("readScatterers", { text, file }),
	});
	byId("save-session").addEventListener("click", () => kernels.saveSession());
	byId("extract-form").addEventListener("submit", (event) => {
		event.preventDefault();
		kernels.extract();
	});
	for (const id of ["extract-form", "marks"])
		byId(id).addEventListener("input", changed);
	select("method").addEventListener("change", () => kernels.switchMethod());
	byId("stop").addEventListener("click", () => work.stop());
	byId("go-on").addEventListener("click", () => kernels.extract());
	// A file that was open may have been extracted from with them.
	void offerWeights(changed)
		.then(() => works.begin())
		.then((last) => {
			if (last && !now.file) files.reopen(last);
			else kernels.checkStale();
		});
}
