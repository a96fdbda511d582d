/** How well scatterers, their kinds and kernels are found on maps in which nothing is marked. */
import type { UnmarkedStack } from "../../extraction/blind/blind.ts";
import {
	compareMarks,
	type KindMark,
	type MatchedKind,
} from "../../extraction/marks/compareMarks.ts";
import { preprocess } from "../../extraction/preprocess.ts";
import {
	activationOverlap,
	kernelAngle,
	spectrumCorrelation,
} from "../../extraction/sbd/metrics.ts";
import type { Centred } from "../../qpi/scores/metrics.ts";
import { shiftedCorrelation } from "../../qpi/scores/shiftedCorrelation.ts";
import { judgeTrueMaps, type TrueMapsOptions } from "../datasets/trueMaps.ts";
import {
	type BlindEvaluation,
	type BlindScore,
	type MapFactors,
	meanOf,
	summaryOf,
} from "./blindScores.ts";

/** What a method is given: a prepared map, and the true scatterers for a method that needs a user to point at some. */
export interface BlindInput {
	readonly name: string;
	readonly stack: UnmarkedStack;
	readonly truth: readonly WeightedMark[];
}

/** Angstrom from the middle of the prepared map. */
export interface WeightedMark extends KindMark {
	readonly weight: number;
}

/** The part of a search's results that is scored. */
export interface BlindFound {
	readonly marks: readonly WeightedMark[];
	/** size x size nodes of the map's pixel, odd. */
	readonly kernels: readonly (Centred & { readonly kind: number })[];
}

/** Angstrom: scatterers nearer to the border need not be found. */
const BORDER = 6;
/** Angstrom: so far a kernel may be off its scatterer. */
const SHIFT = 12;

/**
 * Lets a method find what is in each map of a folder of `generate --maps`, and compares that with the truth.
 * @throws FormatError where the folder is not as it should be, and what the method throws
 */
export async function evaluateBlind(
	folder: string,
	find: (input: BlindInput) => Promise<BlindFound>,
	options: TrueMapsOptions = {},
): Promise<BlindEvaluation> {
	const { maps, mark } = await judgeTrueMaps(
		folder,
		async ({
			name,
			entry,
			radius,
			scan,
			list,
			kernels,
		}): Promise<BlindScore> => {
			const began = performance.now();
			const prepared = preprocess(scan);
			const { nx, ny, spacing, image } = prepared.scan;
			const stack = {
				...{ images: [image], nx, ny, pixel: spacing.x },
				...{ weights: prepared.weights, order: prepared.order },
			};
			const marks = list.map(({ x, y, kind, weight }) => ({
				...{ x: x - prepared.centre.x, y: y - prepared.centre.y },
				...{ kind, weight },
			}));
			const found = await find({ name, stack, truth: marks });
			const seconds = (performance.now() - began) / 1000;
			return {
				...scored(found, { stack, marks, kernels }, radius),
				seconds,
				density: (1e4 * list.length) / (entry.pixel ** 2 * scan.nx * scan.ny),
				noise: entry.noise ?? null,
				spread: entry.spread ?? null,
				background: entry.background ?? null,
			};
		},
		options,
	);
	return { maps, ...summaryOf(Object.values(maps)), ...mark };
}

interface Truth {
	readonly stack: UnmarkedStack;
	readonly marks: readonly WeightedMark[];
	readonly kernels: readonly Centred[];
}

function scored(
	{ marks: found, kernels }: BlindFound,
	{ stack, marks: truth, kernels: known }: Truth,
	radius: number,
): Omit<BlindScore, "seconds" | keyof MapFactors> {
	const kinds = compareMarks(found, truth);
	const pairs = kinds.flatMap((kind) => kind.pairs);
	const visible = truth.map((mark) => isVisible(mark, stack));
	const count = visible.filter(Boolean).length;
	const ratio = (part: number, whole: number) =>
		whole > 0 && truth.length > 0 ? part / whole : null;
	const squares = pairs.reduce((sum, { distance }) => sum + distance ** 2, 0);
	const likeness = known.map((kernel, t) =>
		alike(
			kinds.find((kind) => kind.truth === t + 1),
			kernel,
			{ marks: found, kernels },
			truth,
			{ radius: radius / stack.pixel, shift: SHIFT / stack.pixel },
		),
	);
	return {
		kinds: new Set(found.map(({ kind }) => kind)).size,
		trueKinds: known.length,
		recall: ratio(pairs.filter((pair) => visible[pair.truth]).length, count),
		precision: ratio(pairs.length, found.length),
		positionError: pairs.length > 0 ? Math.sqrt(squares / pairs.length) : null,
		ncc: likeness.map(({ ncc }) => ncc),
		angle: meanOf(likeness.map(({ angle }) => angle)),
		fft: meanOf(likeness.map(({ fft }) => fft)),
		overlap: meanOf(likeness.map(({ overlap }) => overlap)),
		marks: found.length,
		trueMarks: truth.length,
	};
}

/** Whether a scatterer must be found: on a pixel that counts, and away from the border. */
function isVisible(
	{ x, y }: KindMark,
	{ nx, ny, pixel, weights }: UnmarkedStack,
): boolean {
	if (Math.abs(x) > (nx * pixel) / 2 - BORDER) return false;
	if (Math.abs(y) > (ny * pixel) / 2 - BORDER) return false;
	const ix = Math.round(x / pixel + (nx - 1) / 2);
	const iy = Math.round(y / pixel + (ny - 1) / 2);
	return (weights?.[ix * ny + iy] ?? 1) > 0;
}

/** A true kind and what was found of it. */
function alike(
	kind: MatchedKind | undefined,
	truth: Centred,
	found: BlindFound,
	marks: readonly WeightedMark[],
	pixels: { readonly radius: number; readonly shift: number },
) {
	const kernel = found.kernels.find((k) => k.kind === kind?.found);
	if (!kind || !kernel) return { ncc: 0, angle: 1, fft: 0, overlap: 0 };
	const { ncc } = shiftedCorrelation(
		kernel,
		truth,
		pixels.radius,
		pixels.shift,
	);
	const [a, b] = [kernel, truth].map((k) => inner(k, pixels.radius));
	const at = found.marks
		.filter((mark) => mark.kind === kind.found)
		.map(({ x, y, weight }) => ({
			...{ x: x - kind.shift.x, y: y - kind.shift.y, weight },
		}));
	const real = marks.filter((mark) => mark.kind === kind.truth);
	return {
		ncc,
		angle: kernelAngle(a, b),
		fft: spectrumCorrelation(a, b),
		overlap: activationOverlap(at, real),
	};
}

/** The square about the middle that the radius reaches, at most. */
function inner({ values, size }: Centred, radius: number): Centred {
	const small = Math.min(size, 2 * Math.floor(radius) + 1);
	const off = (size - small) / 2;
	const part = Float64Array.from({ length: small ** 2 }, (_, p) => {
		const [i, j] = [Math.floor(p / small) + off, (p % small) + off];
		return values[i * size + j];
	});
	return { values: part, size: small };
}
