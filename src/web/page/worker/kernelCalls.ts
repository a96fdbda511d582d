/** What the page asks of kernels: to be extracted, and what is made of them. */
import type { Picture } from "../../../drawing/picture.ts";
import {
	type ResultOptions,
	resultFiles,
	resultJson,
	resultNames,
	resultObject,
} from "../../../extraction/results/files.ts";
import {
	type Analysis,
	analyseAll,
	METHOD_OPTIONS,
} from "../../../extraction/results/items.ts";
import type { Preparation } from "../../../extraction/results/measured.ts";
import { withPhysics } from "../../../extraction/results/physics.ts";
import {
	dispersionPicture,
	dispersionTitle,
	profilePicture,
} from "../../../extraction/results/pictures.ts";
import { prepareScans } from "../../../extraction/results/prepareScans.ts";
import { render } from "../../render.ts";
import { handOver, type Report } from "../../rpc.ts";
import { physicsOf, withTaken } from "./analyse.ts";
import type { MapFft, MapFftWanted } from "./analysisTypes.ts";
import type {
	Analysed,
	Charts,
	ExtractRequest,
	Outcome,
} from "./extractTypes.ts";
import { current, type Held, needed } from "./held.ts";
import { adapterName, openExtractor, orLost, seesSquares } from "./machine.ts";
import { mapFftOf } from "./mapFft.ts";
import { analysedOf, byMethod, outcomeOf } from "./outcome.ts";
import { preparingAll } from "./prepareAll.ts";
import { optionsOf, takeAgain } from "./request.ts";

const RESULT = "result.json";

export const kernelCalls = {
	async extract(request: ExtractRequest, report: Report): Promise<Outcome> {
		const held = current();
		const { method: name, window, symmetry, seed, weights } = request;
		const method = METHOD_OPTIONS[name];
		const square = await seesSquares(
			{ method, weights: weights?.stamp },
			report,
		);
		const taken = held.dataset ?? takeAgain(held.images, request, square);
		// What cannot be had is said before the work.
		if (request.analysis?.lattice) await preparedWith(held, request);
		return orLost(async () => {
			const extractor = await openExtractor(
				{
					...{ method, window, symmetry, seed, square: taken.square },
					weights: weights?.stamp,
				},
				report,
			);
			const { about } = extractor;
			const found = await extractor.extract(taken, (done, total, what) =>
				report({ done, total, what }),
			);
			const warnings = [...taken.warnings, ...extractor.warnings];
			held.fits = { taken: { ...taken, warnings }, extractions: found, about };
			return outcome(held, request, held.fits);
		});
	},

	/** The same by another method: a key of METHODS, of those that Outcome's `methods` names. */
	byMethod: (request: ExtractRequest): Promise<Outcome> =>
		orLost(async () => {
			const held = current();
			const { taken, extractions, about } = needed(held.fits);
			const method = METHOD_OPTIONS[request.method];
			const found = [];
			for (const extraction of extractions)
				found.push(await byMethod(extraction, method));
			// Ridge alone asks nothing of weights and device, here as on the command line.
			return outcome(held, request, {
				...{ taken, extractions: found },
				about: method === "ridge" ? {} : about,
			});
		}),

	/** What is asked of the kernels besides, anew; they stay. */
	async analyse(request: ExtractRequest): Promise<Analysed> {
		const held = current();
		const { about } = needed(held.fits);
		const analysed = await asked(held, request);
		const made = optionsOf(held, request, about);
		[held.analysis, held.options] = [analysed, made];
		return analysedOf(analysed, made.command);
	},

	/** Of the map that a kernel was extracted from or, where it is yet to be, would be. */
	mapFft({ index, items, linear }: MapFftWanted): MapFft | null {
		const held = current();
		const { tasks, pixel, correction } =
			held.analysis?.taken ?? held.dataset ?? asMaps(held.images);
		const map = tasks[Math.floor((index * tasks.length) / items)];
		const [first] = held.lattices;
		return mapFftOf({ ...map, spacing: pixel }, correction, first, linear);
	},

	/** Charts of a kernel: its profile, and where its energy is on its kind's dispersion. */
	async charts(index: number): Promise<Charts> {
		const { items, kinds, bands } = extracted().analysed;
		const shown = items[index];
		const k = kinds.indexOf(shown.kind);
		const band = bands[k];
		const dispersion =
			band &&
			dispersionPicture(band, dispersionTitle(kinds, k), shown.task.energy);
		return {
			profile: await chart(profilePicture(shown)),
			dispersion: dispersion && (await chart(dispersion)),
		};
	},

	/** All files of the results, packed. */
	async files(_: null, report: Report): Promise<Blob> {
		const { zipSync } = await import("fflate");
		const files: Record<string, Uint8Array> = {};
		const text = new TextEncoder();
		const { analysed, made } = extracted();
		for await (const [name, data] of resultFiles(analysed, made, render)) {
			files[name] = typeof data === "string" ? text.encode(data) : data;
			report({ done: 0, total: 0, what: name });
		}
		const names = Object.keys(files);
		files[RESULT] = text.encode(
			resultJson(resultObject(analysed, made), names),
		);
		return new Blob([zipSync(files, { level: 6 }) as Uint8Array<ArrayBuffer>], {
			type: "application/zip",
		});
	},

	/** One file of the results by its name; a picture or table of one kernel is of the one of that index. */
	async file({ name, index }: { name: string; index: number }): Promise<Blob> {
		const { held, analysed, made } = extracted();
		const shown = analysed.items[index];
		if (name === RESULT)
			return new Blob([
				resultJson(resultObject(analysed, made), resultNames(analysed)),
			]);
		for await (const [found, data] of resultFiles(
			name === "report.html"
				? analysed
				: withPhysics(
						{ ...needed(held.base).analysis, shown },
						physicsOf(held.choice),
					),
			made,
			render,
		))
			if (found === name) return new Blob([data as BlobPart]);
		throw new Error(`there is no result ${name}`);
	},
};

async function outcome(
	held: Held,
	request: ExtractRequest,
	{ taken, extractions, about }: NonNullable<Held["fits"]>,
): Promise<Outcome> {
	held.base = { analysis: analyseAll(taken, extractions), lattice: "" };
	const analysis = await asked(held, request);
	const options = optionsOf(held, request, about);
	[held.analysis, held.options] = [analysis, options];
	const compared = Object.keys(needed(held.fits).extractions[0].explained);
	const methods = Object.keys(METHOD_OPTIONS).filter((name) => {
		const method = METHOD_OPTIONS[name];
		return method === "auto" ? compared.length > 1 : compared.includes(method);
	});
	const shown = await outcomeOf(
		...([analysis, options, methods, adapterOf(options)] as const),
	);
	return handOver(
		{ ...shown, files: held.input.series?.parts.length },
		shown.items.flatMap(
			({ kernel, uncertainty, image, model, residual, spectrum }) => [
				...[kernel, uncertainty, image, model, residual],
				spectrum.magnitude,
			],
		),
	);
}

/** The last extraction's kernels with what the request asks of them. */
async function asked(held: Held, request: ExtractRequest): Promise<Analysis> {
	const { analysis: choice = {} } = request;
	const { taken } = needed(held.fits);
	const lattice = choice.lattice ? JSON.stringify(choice.lattice) : "";
	let now = needed(held.base);
	if (now.lattice !== lattice) {
		const of = lattice
			? takeAgain(await preparedWith(held, request), request, taken.square)
			: taken;
		now = { analysis: withTaken(now.analysis, of), lattice };
	}
	const analysed = withPhysics(now.analysis, physicsOf(choice));
	[held.base, held.choice] = [now, choice];
	return analysed;
}

/** The same images, of which the lattice that was given is known. Throws where none of them shows it. */
async function preparedWith(
	held: Held,
	{ settings, analysis: { lattice } = {} }: ExtractRequest,
): Promise<Preparation> {
	if (held.dataset)
		throw new Error("a file of the dataset's format shows no atomic lattice");
	const key = JSON.stringify([settings, lattice]);
	if (held.latticed?.key !== key)
		held.latticed = {
			key,
			preparation: await prepareScans(held.measured, {
				...settings,
				...{ lattice, calibrate: false },
				prepareAll: preparingAll(),
			}),
		};
	return held.latticed.preparation;
}

const chart = async (picture: Picture): Promise<Blob> =>
	new Blob([await render(picture)], { type: "image/png" });

/** Images without their scatterers. */
const asMaps = ({ prepared, correction }: Preparation) => ({
	tasks: prepared.map(({ scan, weights }) => ({ ...scan, weights })),
	pixel: prepared[0].scan.spacing.x,
	correction,
});

/** A device that an earlier call opened says nothing about this one. */
const adapterOf = ({ about }: ResultOptions) =>
	about.adapter ? adapterName() : null;

function extracted() {
	const held = current();
	const { analysis, options } = held;
	if (analysis && options) return { held, analysed: analysis, made: options };
	throw new Error(
		"the numbers of these results went with the extraction that was stopped: extract again",
	);
}
