/** Pictures of images side by side: all kernels, and what each method makes of an observation. */

import { clipLimit, diverging, greys } from "../../drawing/colour.ts";
import {
	axis,
	colourBar,
	drawImage,
	FAINT,
	frame,
	HALF_EXTENT,
	INK,
	type Picture,
	type Square,
	short,
	text,
	toSquare,
} from "../../drawing/picture.ts";
import { FIELD } from "../../qpi/dataset/format.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";

/** `image[ix * 64 + iy]`, signed; lines of the label are parted by line feeds, the first is bold. */
export interface LabelledKernel {
	image: Float32Array;
	label: string;
}

const CLIP_LABELS = ["−v", "0", "+v"];

/** Blue-white-red about zero, clipped at the 99th percentile of |value|; returns that limit. */
function drawSigned(
	ctx: CanvasRenderingContext2D,
	image: Float32Array,
	square: Square,
): number {
	const limit = clipLimit(image);
	drawImage(ctx, image, square, diverging, [-limit, limit], true);
	frame(ctx, square);
	return limit;
}

/** A label's lines, the longer ones broken between words. */
function wrap(label: string, characters: number): string[] {
	return label.split("\n").flatMap((line) => {
		const lines = [""];
		for (const word of line.split(/\s+/)) {
			const longer = `${lines.at(-1)} ${word}`.trim();
			if (longer.length <= characters || lines.at(-1) === "")
				lines[lines.length - 1] = longer;
			else lines.push(word);
		}
		return lines;
	});
}

/** All kernels in rows of `columns`, each on its own zero-centred scale, with a bar of a quarter of the field (Angstrom). */
export function kernelGrid(
	kernels: readonly LabelledKernel[],
	field = FIELD,
): Picture {
	const columns = Math.min(10, Math.max(6, kernels.length));
	const size = 88;
	const gap = 12;
	const margin = 20;
	const labels = kernels.map(({ label }) => wrap(label, 18));
	const lines = Math.max(1, maxOf(labels.map(({ length }) => length)));
	const pitch = size + 10 + 12 * lines;
	const rows = Math.ceil(kernels.length / columns);
	const footer = margin + rows * pitch + 6;
	return {
		width: 2 * margin + columns * (size + gap) - gap,
		height: footer + 52,
		draw(ctx) {
			kernels.forEach(({ image }, i) => {
				const x = margin + (i % columns) * (size + gap);
				const y = margin + Math.floor(i / columns) * pitch;
				drawSigned(ctx, image, [x, y, size]);
				labels[i].forEach((line, l) => {
					text(ctx, line, x + size / 2, y + size + 12 * (l + 1), {
						size: l ? 9 : 10.5,
						bold: l === 0,
						colour: l ? FAINT : INK,
						maxWidth: size + gap - 4,
					});
				});
			});
			const quarter = (FIELD / 4 / (2 * HALF_EXTENT)) * size;
			ctx.fillStyle = INK;
			ctx.fillRect(margin, footer + 4, quarter, 3);
			text(ctx, `${field / 4} Å`, margin + quarter / 2, footer + 23, {
				size: 11,
			});
			colourBar(
				ctx,
				[margin + 90, footer, 110],
				diverging,
				CLIP_LABELS,
				"v: 99th percentile of |K|, each panel its own;\ninterpolated between the 64×64 pixels",
			);
		},
	};
}

export interface ComparisonRow {
	title: string;
	/** Signed: zero is the mean signal. */
	observation: Float32Array;
	/** In the frame of linspace(-200, 200, 64), whatever the field; those outside the picture are not drawn. */
	scatterers: readonly { x: number; y: number }[];
	/** The activation map as the networks see it; drawn from the scatterers where it is left out. */
	activation?: Float32Array;
	/** The true kernel is the last. A method that gave no kernel has `image: null`. */
	kernels: readonly {
		name: string;
		image: Float32Array | null;
		ncc?: number | null;
		mae?: number | null;
	}[];
}

/** A row an observation: the observation, where its scatterers are, and every method's kernel beside the truth. */
export function comparisonGrid(
	rows: readonly ComparisonRow[],
	field = FIELD,
): Picture {
	const size = 128;
	const gap = 14;
	const left = 62;
	const top = 40;
	const pitch = size + 66;
	const names = [
		"observation",
		"activation map",
		...(rows[0]?.kernels.map(({ name }) => name) ?? []),
	];
	const footer = top + rows.length * pitch + 22;
	return {
		width: left + names.length * (size + gap) + 10,
		height: footer + 40,
		draw(ctx) {
			const squareAt = (row: number, column: number): Square => [
				left + column * (size + gap) + (column > 1 ? 8 : 0),
				top + row * pitch + 20,
				size,
			];
			names.forEach((name, column) => {
				const [x] = squareAt(0, column);
				text(ctx, name, x + size / 2, 24, {
					bold: true,
					size: 12.5,
					maxWidth: size + gap - 4,
				});
			});
			rows.forEach((row, r) => {
				const [x0, y0] = squareAt(r, 0);
				text(ctx, row.title, x0, y0 - 7, {
					align: "left",
					size: 11.5,
					maxWidth: names.length * (size + gap),
				});
				const limit = drawObservation(ctx, row, squareAt(r, 0));
				drawActivation(ctx, row, squareAt(r, 1));
				underneath(
					ctx,
					squareAt(r, 1),
					`${row.scatterers.length} scatterers`,
					`observation: v = ${short(limit)}`,
				);
				const best = maxOf(
					row.kernels.map(({ ncc }) => ncc ?? NaN).filter(Number.isFinite),
				);
				row.kernels.forEach((kernel, k) => {
					drawKernel(ctx, kernel, squareAt(r, k + 2), kernel.ncc === best);
				});
				axis(ctx, squareAt(r, 0), "left", field);
				axis(ctx, squareAt(r, 0), "lower", field);
			});
			colourBar(
				ctx,
				[left, footer, 110],
				diverging,
				CLIP_LABELS,
				`v: 99th percentile of |signal|, each panel its own; all panels span the same ${field} Å, interpolated between pixels.\nNCC: normalised cross-correlation with the truth; bold: best of the row.`,
			);
		},
	};
}

function drawObservation(
	ctx: CanvasRenderingContext2D,
	{ observation, scatterers }: ComparisonRow,
	square: Square,
): number {
	const limit = drawSigned(ctx, observation, square);
	const [x, y, size] = square;
	ctx.save();
	ctx.beginPath();
	ctx.rect(x, y, size, size);
	ctx.clip();
	// White under black: to be seen on any colour.
	for (const [colour, width] of [
		["#ffffff", 2.6],
		["#000000", 1],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = width;
		for (const scatterer of scatterers) {
			ctx.beginPath();
			ctx.arc(...toSquare(square, scatterer), 3.5, 0, 2 * Math.PI);
			ctx.stroke();
		}
	}
	ctx.restore();
	return limit;
}

function drawActivation(
	ctx: CanvasRenderingContext2D,
	{ activation, scatterers }: ComparisonRow,
	square: Square,
): void {
	const image = activation ?? new Float32Array(4096);
	if (!activation)
		for (const { x, y } of scatterers) {
			const [ix, iy] = [x, y].map((r) =>
				Math.floor(((r + HALF_EXTENT) / (2 * HALF_EXTENT)) * 64),
			);
			if (Math.min(ix, iy) >= 0 && Math.max(ix, iy) < 64)
				image[ix * 64 + iy] = 1;
		}
	const most = image.reduce((a, b) => Math.max(a, b), 0) || 1;
	drawImage(ctx, image, square, greys, [0, most]);
	frame(ctx, square);
}

function drawKernel(
	ctx: CanvasRenderingContext2D,
	{ image, ncc, mae }: ComparisonRow["kernels"][number],
	square: Square,
	best: boolean,
): void {
	const [x, y, size] = square;
	if (!image) {
		frame(ctx, square);
		text(ctx, "none", x + size / 2, y + size / 2 + 4, { colour: FAINT });
		return;
	}
	const limit = `v = ${short(drawSigned(ctx, image, square))}`;
	underneath(
		ctx,
		square,
		ncc == null ? "" : `NCC ${fixed(ncc)}`,
		mae == null ? limit : `MAE ${fixed(mae)}   ${limit}`,
		best,
	);
}

const fixed = (value: number) =>
	Number.isFinite(value) ? value.toFixed(3).replace("-", "−") : "–";

/** Two lines to be read under a panel. */
function underneath(
	ctx: CanvasRenderingContext2D,
	[x, y, size]: Square,
	first: string,
	second: string,
	bold = false,
): void {
	text(ctx, first, x + size / 2, y + size + 15, { size: 11.5, bold });
	text(ctx, second, x + size / 2, y + size + 29, { size: 10, colour: FAINT });
}
