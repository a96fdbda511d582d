/** The map of the latent space: every kernel where its latent lies, after UMAP to two dimensions. */
import { UMAP } from "umap-js";
import { clipLimit, diverging, OKABE_ITO } from "../../drawing/colour.ts";
import {
	drawImage,
	FAINT,
	FONT,
	frame,
	INK,
	type Picture,
	text,
} from "../../drawing/picture.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import { Random } from "../../random.ts";

export interface LatentPoint {
	/** The latent's mean, flattened; of one length for all. */
	latent: ArrayLike<number>;
	/** The kernel, image[ix * 64 + iy]. */
	image: Float32Array;
	/** Short: its number. */
	label: string;
	/** n-fold rotational symmetry: 1, 2, 3, 4 or 6. */
	fold: number;
	/** Not among the training kernels: framed twice. */
	unseen?: boolean;
}

export const FOLD_COLOURS: Record<number, string> = {
	1: OKABE_ITO.purple,
	2: OKABE_ITO.orange,
	3: OKABE_ITO.green,
	4: OKABE_ITO.blue,
	6: OKABE_ITO.vermilion,
};

type Position = [x: number, y: number];

/**
 * UMAP (McInnes, Healy and Melville, arXiv 1802.03426) to two dimensions, the same at every call with the same seed. Fewer than four points have
 * no neighbourhoods to keep and are put on a line.
 */
export function embed(
	latents: readonly ArrayLike<number>[],
	seed = 1,
): Position[] {
	if (latents.length < 4) return latents.map((_, i) => [i, 0]);
	const random = new Random(seed, 0x6d6170);
	const umap = new UMAP({
		nComponents: 2,
		nNeighbors: Math.min(12, latents.length - 1),
		minDist: 0.3,
		random: () => random.uniform(),
	});
	return umap.fit(latents.map((latent) => Array.from(latent))) as Position[];
}

/** Scales positions into a box, then pushes apart what lies closer than `distance` in both directions. */
export function spread(
	positions: readonly Position[],
	width: number,
	height: number,
	distance: number,
): Position[] {
	const sizes = [width, height];
	const placed = positions.map((p) => [...p] as Position);
	for (const axis of [0, 1]) {
		const values = positions.map((p) => p[axis]);
		const low = minOf(values);
		const range = maxOf(values) - low;
		for (const p of placed)
			p[axis] = (range ? (p[axis] - low) / range : 0.5) * sizes[axis];
	}
	for (let pass = 0; pass < 300; pass++) {
		let moved = false;
		for (let i = 0; i < placed.length; i++)
			for (let j = 0; j < i; j++) {
				const gap = [0, 1].map((k) => placed[i][k] - placed[j][k]);
				const overlap = gap.map((g) => distance - Math.abs(g));
				if (minOf(overlap) <= 0) continue;
				moved = true;
				// Along the direction that needs the smaller push, half each, kept inside the box.
				const axis = overlap[0] < overlap[1] ? 0 : 1;
				const push = ((gap[axis] < 0 ? -1 : 1) * overlap[axis]) / 2;
				for (const [k, by] of [
					[i, push],
					[j, -push],
				] as const)
					placed[k][axis] = Math.min(
						Math.max(placed[k][axis] + by, 0),
						sizes[axis],
					);
			}
		if (!moved) break;
	}
	return placed;
}

/** Kernels as thumbnails at their places, framed in the colour of their symmetry; those not trained on have a second frame. */
export function latentMap(points: readonly LatentPoint[], seed = 1): Picture {
	const width = 960;
	const height = 720;
	const margin = 34;
	const top = 58;
	const size = Math.round(
		Math.min(96, Math.max(40, 400 / Math.sqrt(points.length || 1))),
	);
	const inner = [width - 2 * margin - size, height - top - margin - size - 8];
	return {
		width,
		height,
		draw(ctx) {
			legend(ctx, points, margin);
			const places = spread(
				embed(
					points.map(({ latent }) => latent),
					seed,
				),
				inner[0],
				inner[1],
				size + 13,
			);
			points.forEach(({ image, label, fold, unseen }, i) => {
				const [x, y] = [places[i][0] + margin, places[i][1] + top];
				const square = [Math.round(x), Math.round(y), size] as const;
				const limit = clipLimit(image);
				drawImage(ctx, image, square, diverging, [-limit, limit], true);
				const colour = FOLD_COLOURS[fold] ?? INK;
				frame(ctx, square, colour, 2.5);
				if (unseen)
					frame(ctx, [square[0] - 4, square[1] - 4, size + 8], colour, 1);
				cornerLabel(ctx, label, square[0] + 2, square[1] + 9);
			});
			text(
				ctx,
				"UMAP of the latent means; directions and scale have no meaning, and thumbnails that overlapped were moved apart",
				margin,
				height - 12,
				{ size: 11, align: "left", colour: FAINT },
			);
		},
	};
}

/** A number in a thumbnail's corner, legible on any colour. */
function cornerLabel(
	ctx: CanvasRenderingContext2D,
	label: string,
	x: number,
	y: number,
): void {
	ctx.save();
	ctx.font = `bold 8px ${FONT}`;
	ctx.lineJoin = "round";
	ctx.lineWidth = 2;
	ctx.strokeStyle = "#ffffff";
	ctx.strokeText(label, x, y);
	ctx.restore();
	text(ctx, label, x, y, { size: 8, bold: true, align: "left" });
}

function legend(
	ctx: CanvasRenderingContext2D,
	points: readonly LatentPoint[],
	left: number,
): void {
	const folds = [...new Set(points.map(({ fold }) => fold))].sort(
		(a, b) => a - b,
	);
	text(ctx, "rotational symmetry:", left, 28, { align: "left" });
	let x = left + 148;
	for (const fold of folds) {
		frame(ctx, [x, 17, 12], FOLD_COLOURS[fold] ?? INK, 2.5);
		text(ctx, `${fold}-fold`, x + 20, 28, { align: "left" });
		x += 84;
	}
	if (points.some(({ unseen }) => unseen)) {
		frame(ctx, [x + 8, 17, 12], INK, 2.5);
		frame(ctx, [x + 4, 13, 20], INK, 1);
		text(ctx, "not trained on", x + 31, 28, { align: "left" });
	}
}
