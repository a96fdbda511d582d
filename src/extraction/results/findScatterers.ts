/** Looks for the scatterers of prepared images, whoever asks: `extract`, `detect` or the page. */

import { FormatError } from "../../formats/measurement.ts";
import { minOf } from "../../qpi/maths/extremes.ts";
import {
	type BlindOptions,
	type BlindTurn,
	findScatterers as findBlind,
	type Leftover,
} from "../blind/blind.ts";
import { intoCorrected } from "../lattice/correction.ts";
import {
	type DetectedScatterer,
	readScatterers,
	writeScatterers,
} from "../marks/scatterers.ts";
import type { Preprocessed } from "../preprocess.ts";
import type { Table } from "./html.ts";
import type { Preparation } from "./measured.ts";

/** What is known beforehand; windows in the scan's frame. */
export type FindOptions = Pick<BlindOptions, "kinds" | "signed" | "seeds">;

/** All in the scan's frame, Angstrom. */
export interface Found {
	/** As their file has them, to a thousandth: the marks, then what no kind explains (keep = false, quality 0). */
	readonly scatterers: readonly DetectedScatterer[];
	/** How many there are of each kind. */
	readonly kinds: readonly { readonly kind: number; readonly marks: number }[];
	/** The judge's score: share of the variance of held-out blocks. */
	readonly explained: number | null;
	readonly leftovers: readonly Leftover[];
	/** What was found and why no more, a line each. */
	readonly told: readonly string[];
}

/** Of that many leftovers a line says where they are. */
const NAMED = 6;

/**
 * The scatterers that all prepared images have in common.
 * @param onProgress told after each turn what is known by then, marks in the scan's frame
 * @throws FormatError where a window does not fit
 */
export async function findScatterers(
	preparation: Preparation,
	options: FindOptions = {},
	onProgress?: BlindOptions["onProgress"],
): Promise<Found> {
	const { prepared, used, correction } = preparation;
	const [{ scan, centre, order }] = prepared;
	const { nx, ny, spacing } = scan;
	const inScan = <P extends { readonly x: number; readonly y: number }>(
		p: P,
	): P => ({ ...p, x: p.x + centre.x, y: p.y + centre.y });
	const result = await findBlind(
		{
			images: prepared.map((each) => each.scan.image),
			...{ nx, ny, order, pixel: spacing.x, weights: countingInAll(prepared) },
		},
		{
			...options,
			seeds: seedsOf(prepared[0], {
				...options,
				seeds: options.seeds?.map((s) => intoCorrected(correction, s)),
			}),
			onProgress:
				onProgress &&
				((turn: BlindTurn) =>
					onProgress({ ...turn, marks: turn.marks?.map(inScan) })),
		},
	);
	const marks = result.marks.map(
		(mark): DetectedScatterer => ({ ...inScan(mark), keep: true }),
	);
	const leftovers = result.leftovers.map(inScan);
	const rest = leftovers.map(
		({ x, y, significance }): DetectedScatterer => ({
			...{ x, y, significance },
			...{ weight: 1, quality: 0, keep: false, kind: 1 },
		}),
	);
	const numbers = [...new Set(marks.map(({ kind }) => kind))].sort(
		(a, b) => a - b,
	);
	const kinds = numbers.map((kind) => ({
		kind,
		marks: marks.filter((mark) => mark.kind === kind).length,
	}));
	const { explained } = result;
	const silent = result.layersLeftOut.map((i) => used[i].label);
	return {
		scatterers: readScatterers(writeScatterers([...marks, ...rest]), "found"),
		...{ kinds, explained, leftovers },
		told: [
			describeKinds(kinds, explained),
			...result.told,
			silent.length > 0 &&
				`not searched, for they show nothing: ${silent.join(", ")}`,
			describeLeftovers(leftovers),
		].filter((line) => line !== false),
	};
}

/** An entry of result.json. */
export const foundEntry = ({ kinds, explained, leftovers, told }: Found) => ({
	...{ kinds, explained, leftovers, told },
});

/** For the report. */
export function foundTables({ kinds, leftovers, explained }: Found): Table[] {
	const scored =
		explained === null
			? ""
			: `; the judge's score, the share of the variance of held-out blocks that they explain, is ${explained.toFixed(3)}`;
	const places = leftovers.map(({ x, y, looks, significance }) => [
		looks,
		...[x, y, significance].map((v) => v.toFixed(1).replace("-", "−")),
	]);
	return [
		{
			caption: `Scatterers that were found${scored}`,
			heads: ["kind", "scatterers"],
			rows: kinds.map(({ kind, marks }) => [String(kind), String(marks)]),
		},
		...(places.length > 0
			? [
					{
						caption: "What no kind explains",
						heads: ["looks like", "x (Å)", "y (Å)", "sigma"],
						rows: places,
					},
				]
			: []),
	];
}

/** For each pixel of the maps what it counts in all of them. */
const countingInAll = (prepared: readonly Preprocessed[]): Float32Array =>
	prepared[0].weights.map((_, p) =>
		minOf(prepared.map(({ weights }) => weights[p])),
	);

/** The windows in the map's frame. */
function seedsOf(
	{ scan: { nx, ny, spacing }, centre }: Preprocessed,
	{ seeds, kinds }: FindOptions,
): BlindOptions["seeds"] {
	if (!seeds) return undefined;
	if (kinds !== undefined && seeds.length > kinds)
		throw new FormatError(
			`found ${seeds.length} seed windows for ${kinds === 1 ? "1 kind" : `${kinds} kinds`}, expected at most one each`,
		);
	return seeds.map(({ size, ...place }) => {
		const [x, y] = [place.x - centre.x, place.y - centre.y];
		const [width, height] = [nx * spacing.x, ny * spacing.y];
		if (
			Math.abs(x) + size / 2 > width / 2 ||
			Math.abs(y) + size / 2 > height / 2
		)
			throw new FormatError(
				`the seed window of ${size} A at (${place.x}, ${place.y}) leaves the image, which reaches from ${[-width, width].map((w) => (centre.x + w / 2).toFixed(0)).join(" to ")} A along x and from ${[-height, height].map((h) => (centre.y + h / 2).toFixed(0)).join(" to ")} A along y`,
			);
		return { x, y, size };
	});
}

function describeKinds(
	kinds: Found["kinds"],
	explained: number | null,
): string | false {
	const share =
		explained !== null &&
		`they explain ${explained.toFixed(3)} of the variance of held-out blocks`;
	const numbers = kinds
		.map(({ kind, marks }) => `${marks} of kind ${kind}`)
		.join(", ");
	return (
		(kinds.length > 1 || share) && [numbers, share].filter(Boolean).join(": ")
	);
}

function describeLeftovers(leftovers: readonly Leftover[]): string | false {
	const { length } = leftovers;
	if (length === 0) return false;
	const places = leftovers
		.slice(0, NAMED)
		.map(
			({ x, y, looks, significance }) =>
				`${looks} at (${x.toFixed(0)}, ${y.toFixed(0)}) A, ${significance.toFixed(0)} sigma`,
		);
	const more = length > NAMED ? [`and ${length - NAMED} more`] : [];
	return `${length === 1 ? "1 place" : `${length} places`} that no kind explains ${length === 1 ? "is" : "are"} listed with keep = 0: ${[...places, ...more].join("; ")}`;
}
