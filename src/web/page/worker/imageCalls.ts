/** What the page asks of the file that is open and of its images. */
import type { SpotOptions } from "../../../extraction/blind/spots.ts";
import { intoScan } from "../../../extraction/lattice/correction.ts";
import { readScatterers } from "../../../extraction/marks/scatterers.ts";
import {
	aboutMedian,
	squareField,
} from "../../../extraction/results/drawPictures.ts";
import {
	type FindOptions,
	type Found,
	findScatterers,
} from "../../../extraction/results/findScatterers.ts";
import type { Preparation } from "../../../extraction/results/measured.ts";
import {
	type PrepareOptions,
	prepareScans,
} from "../../../extraction/results/prepareScans.ts";
import { describeSeen } from "../../../extraction/results/seenLattice.ts";
import { type Taken, take } from "../../../extraction/results/take.ts";
import type { ArrayLayout } from "../../../formats/axes.ts";
import type { Report } from "../../rpc.ts";
import type { Source } from "../basics/source.ts";
import type {
	ExtractRequest,
	Opened,
	Pixels,
	PreparedImages,
	SeriesSeat,
	ShownImage,
	Turn,
} from "./extractTypes.ts";
import { current, hold } from "./held.ts";
import { latticeTold } from "./latticeTold.ts";
import { weightFiles } from "./machine.ts";
import { openedOf, pixelsOf } from "./opened.ts";
import { byChannel, readFile, readSource, seatOf } from "./openSource.ts";
import { layerOf, small } from "./outcome.ts";
import { preparingAll } from "./prepareAll.ts";
import { settingsOf } from "./request.ts";
import { packSession, unpackSession } from "./sessionFile.ts";
import { spotsOf } from "./spotMarks.ts";

interface SessionWanted {
	readonly files: readonly File[];
	readonly request: ExtractRequest;
}

export const imageCalls = {
	/** Reads a file, or several as one series: no other call makes sense before. One that cannot be read leaves the one before, and its results. */
	open: async ({ files, weights }: Source, report: Report): Promise<Opened> =>
		openedOf(hold(await readSource(files, report), weights).input, {}),

	/** What a series would ask of a file, which is not opened. */
	seat: async (file: File): Promise<SeriesSeat> => seatOf(await readFile(file)),

	/** The same file with its indices taken otherwise. */
	arranged(asked: ArrayLayout): Opened {
		const held = current();
		const found = openedOf(held.input, asked);
		held.arranged(asked);
		return found;
	},

	/** An image as it is in the file: for before its size is known. */
	pixels(wanted: Parameters<typeof pixelsOf>[2]): Pixels {
		const { measurement, file } = current().measured;
		return pixelsOf(measurement, file, wanted);
	},

	/** Chooses and prepares images; throws what the command line says. */
	async prepare(
		settings: PrepareOptions,
		report: Report,
	): Promise<PreparedImages> {
		const held = current();
		held.source = await byChannel(held.source, settings.channel, report);
		if (!held.input.measurement) {
			held.dataset = await take(held.input, settings);
			return publishedImages(held.dataset);
		}
		held.preparation = await prepareScans(held.measured, {
			...settings,
			prepareAll: preparingAll(report),
		});
		return measuredImages(held.preparation);
	},

	/** A prepared image by its number. */
	image(index: number): ShownImage {
		const { dataset, images } = current();
		const field = dataset
			? squareField(dataset.tasks[index].image, dataset.pixel)
			: preparedField(images, index);
		return { field, range: aboutMedian(field.values) };
	},

	layer: layerOf,

	/** Looks for scatterers; progress is a Turn each. */
	detect: (options: FindOptions, report: Report): Promise<Found> =>
		findScatterers(current().images, options, (turn) => {
			const { done, total, what } = turn;
			const progress: Turn = { done, total, what, turn };
			report(progress);
		}),

	/** Spots of a prepared image, by its number, in the scan's own frame. */
	spots({ index, options }: { index: number; options: SpotOptions }) {
		const { prepared, correction } = current().images;
		return spotsOf(prepared[index], options).map((spot) =>
			intoScan(correction, spot),
		);
	},

	/** The lattice that an image of the file shows, before anything is asked of it. */
	seenLattice() {
		const [first] = current().lattices;
		return first
			? { lattice: first.lattice, told: describeSeen(first), given: false }
			: null;
	},

	/** Packs the work on a file; the settings are those of the request. */
	async session(
		{ files, request }: SessionWanted,
		report: Report,
	): Promise<Blob> {
		const held = current();
		const settings = settingsOf(held, request);
		const stamp = settings.weights && request.weights?.stamp;
		return packSession(files, {
			settings,
			scatterers: held.dataset ? undefined : request.scatterers,
			mask: request.settings.mask,
			weights: stamp ? await weightFiles(stamp, report) : undefined,
		});
	},

	/** Unpacks it; undefined for any other file. */
	unpack: unpackSession,

	readScatterers: ({ text, file }: { text: string; file: string }) =>
		readScatterers(text, file),
};

/** Images of the published dataset, whose scatterers are known. */
function publishedImages({
	tasks,
	pixel,
	centre,
	told,
	warnings,
}: Taken): PreparedImages {
	return {
		labels: tasks.map(({ label }) => label),
		area: { ...centre, width: 64 * pixel, height: 64 * pixel },
		unit: "",
		told,
		warnings,
		scatterers: tasks.map(({ scatterers }) =>
			scatterers.map(({ x, y, weight = 1 }) => ({
				...{ x, y, weight },
				quality: 1,
				keep: true,
				kind: 1,
			})),
		),
	};
}

function measuredImages({
	used,
	prepared,
	channel,
	told,
	warnings,
	correction,
}: Preparation): PreparedImages {
	const [{ scan, centre }] = prepared;
	return {
		labels: used.map(({ label }) => label),
		area: {
			...centre,
			width: scan.nx * scan.spacing.x,
			height: scan.ny * scan.spacing.y,
		},
		unit: channel.unit,
		told,
		warnings,
		...latticeOf(correction),
	};
}

/** What the page is told of the correction by the lattice. */
function latticeOf(
	correction: Preparation["correction"],
): Pick<PreparedImages, "moves" | "lattice"> {
	if (!correction) return {};
	const { matrix, field } = correction.distortion;
	return {
		moves: correction.warp && { matrix, field },
		lattice: latticeTold(correction),
	};
}

function preparedField({ prepared }: Preparation, index: number) {
	const { whole, counts } = prepared[index];
	return small(whole, counts);
}
