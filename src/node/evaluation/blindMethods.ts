/** What finds scatterers and kernels in an unmarked map: ours, and the published rival. */
import { findScatterers } from "../../extraction/blind/blind.ts";
import { extractMap } from "../../extraction/methods/extractMap.ts";
import { sparseDeconvolution } from "../../extraction/sbd/sbd.ts";
import type { KernelPrior } from "../../qpi/posterior/prior.ts";
import type { ManySolver } from "../../qpi/posterior/solveMany.ts";
import type { BlindFound, BlindInput, WeightedMark } from "./evaluateBlind.ts";

/** Scatterers by findScatterers, then kernels by the refined method. */
export const ourMethod =
	(prior: KernelPrior | undefined, solver: ManySolver) =>
	async ({ stack }: BlindInput): Promise<BlindFound> => {
		const { marks } = await findScatterers(stack);
		if (marks.length === 0) return { marks, kernels: [] };
		const { images, ...rest } = stack;
		const { kinds, size } = await extractMap(
			{ ...rest, image: images[0], marks },
			{ prior },
			{ method: "refined", solver, seed: 1, holdOut: false },
		);
		const kernels = kinds.map(({ kind, kernel: values }) => ({
			...{ kind, values, size },
		}));
		return { marks, kernels };
	};

/** Sides of the windows that a user would give to the rival, Angstrom. */
const WINDOW = 60;

/** SBD-STM, given what it needs of a user: a window about an isolated scatterer of each kind. One random window where there is none. */
export async function sbdMethod({
	stack,
	truth,
}: BlindInput): Promise<BlindFound> {
	const most = 0.45 * Math.min(stack.nx, stack.ny) * stack.pixel;
	const size = Math.min(WINDOW, most);
	const kinds = [...new Set(truth.map(({ kind }) => kind))].sort(
		(a, b) => a - b,
	);
	const windows = kinds.map((kind) => {
		const { x, y } = isolated(truth, kind, stack, size);
		return { x, y, size };
	});
	const found = await sparseDeconvolution(stack, { windows, size });
	return {
		marks: found.marks,
		kernels: found.kinds.map(({ kind, kernel: values, size }) => ({
			...{ kind, values, size },
		})),
	};
}

/** Of one kind, the scatterer that is farthest from all others, among those whose window lies in the map and on pixels that count. If there is none, the farthest of all. */
function isolated(
	truth: readonly WeightedMark[],
	kind: number,
	{ nx, ny, pixel, weights }: BlindInput["stack"],
	size: number,
): WeightedMark {
	const apart = (mark: WeightedMark) =>
		truth.reduce(
			(least, other) =>
				other === mark
					? least
					: Math.min(least, Math.hypot(other.x - mark.x, other.y - mark.y)),
			Number.POSITIVE_INFINITY,
		);
	const half = Math.round(size / 2 / pixel);
	const isWhole = ({ x, y }: WeightedMark) => {
		const ix = Math.round(x / pixel + (nx - 1) / 2);
		const iy = Math.round(y / pixel + (ny - 1) / 2);
		for (let i = ix - half; i <= ix + half; i++)
			for (let j = iy - half; j <= iy + half; j++)
				if (
					Math.min(i, j) < 0 ||
					i >= nx ||
					j >= ny ||
					!((weights?.[i * ny + j] ?? 1) > 0)
				)
					return false;
		return true;
	};
	const own = truth.filter((mark) => mark.kind === kind);
	const whole = own.filter(isWhole);
	return (whole.length > 0 ? whole : own).reduce((a, b) =>
		apart(b) > apart(a) ? b : a,
	);
}
