/** What is drawn over a spectrum, and what a click on it means. */
import { line } from "../../../drawing/panels.ts";
import { SECTOR } from "../../../extraction/findings/profile.ts";
import type { Point } from "../picture/fieldDrawing.ts";
import type { Tool } from "../picture/fieldInput.ts";
import type { AnalysisChoice, ShownLattice } from "../worker/analysisTypes.ts";

/** In the units of the axes. */
export interface FourierMarks {
	readonly lattice: ShownLattice | null;
	/** Of the strongest wave, 1/Angstrom. */
	readonly star: number | null;
	readonly choice: AnalysisChoice;
}

type Place = (p: Point) => [number, number];

/** Dark with a light core, so that it is seen on every ground. */
function stroke(
	ctx: CanvasRenderingContext2D,
	dash: readonly number[],
	path: () => void,
): void {
	for (const [colour, pen, pattern] of [
		["#000000b0", 3, []],
		["#ffffff", 1.3, dash],
	] as const) {
		ctx.strokeStyle = colour;
		ctx.lineWidth = pen;
		ctx.setLineDash([...pattern]);
		path();
	}
	ctx.setLineDash([]);
}

function label(
	ctx: CanvasRenderingContext2D,
	words: string,
	[x, y]: readonly [number, number],
	align: CanvasTextAlign = "left",
): void {
	ctx.font = "11px system-ui, sans-serif";
	ctx.textAlign = align;
	ctx.lineJoin = "round";
	ctx.strokeStyle = "#000000c0";
	ctx.lineWidth = 3;
	ctx.strokeText(words, x, y);
	ctx.fillStyle = "#ffffff";
	ctx.fillText(words, x, y);
}

function circle(
	ctx: CanvasRenderingContext2D,
	place: Place,
	q: number,
	words: string,
	dash: readonly number[],
): void {
	const [cx, cy] = place({ x: 0, y: 0 });
	const [right] = place({ x: q, y: 0 });
	const radius = right - cx;
	stroke(ctx, dash, () => {
		ctx.beginPath();
		ctx.arc(cx, cy, radius, 0, 2 * Math.PI);
		ctx.stroke();
	});
	const side = radius * Math.SQRT1_2;
	label(ctx, words, [cx + side + 3, cy - side - 3]);
}

function drawLattice(
	ctx: CanvasRenderingContext2D,
	place: Place,
	{ vectors, zone }: ShownLattice,
): void {
	const corners = zone.map(place);
	stroke(ctx, [], () => {
		ctx.beginPath();
		for (const [x, y] of corners) ctx.lineTo(x, y);
		ctx.closePath();
		ctx.stroke();
	});
	const [x, y] = corners.reduce((a, b) => (b[1] > a[1] ? b : a));
	label(ctx, "1st zone", [x, y + 13], "center");
	for (const { x, y, h, k } of vectors)
		for (const sign of [1, -1]) {
			const [px, py] = place({ x: sign * x, y: sign * y });
			stroke(ctx, [], () => ctx.strokeRect(px - 5, py - 5, 10, 10));
			label(ctx, `(${[h, k].map((v) => barred(sign * v)).join(" ")})`, [
				px + 8,
				py - 6,
			]);
		}
}

/** Crystallographers' minus. */
const barred = (n: number) => (n < 0 ? `${-n}\u0305` : String(n || 0));

/** Along the direction and its opposite, with the sector's edges. */
function drawCut(
	ctx: CanvasRenderingContext2D,
	place: Place,
	degrees: number,
): void {
	const [cx, cy] = place({ x: 0, y: 0 });
	const far = 4 * Math.max(ctx.canvas.clientWidth, ctx.canvas.clientHeight);
	const through = (angle: number) => {
		const [dx, dy] = [far * Math.cos(angle), -far * Math.sin(angle)];
		line(ctx, cx - dx, cy - dy, cx + dx, cy + dy);
	};
	const angle = (degrees * Math.PI) / 180;
	stroke(ctx, [], () => through(angle));
	ctx.strokeStyle = "#ffffffa0";
	ctx.lineWidth = 1;
	ctx.setLineDash([1, 5]);
	for (const side of [-SECTOR, SECTOR]) through(angle + side);
	ctx.setLineDash([]);
}

/**
 * @param marks what there is to draw
 * @param choose is told where a click was; with Shift it is one more
 */
export function fourierTool(
	marks: () => FourierMarks | null,
	choose: (at: Point, besides: boolean) => void,
): Tool {
	return {
		// A drag moves the view.
		down: (_, __, shift) => ({
			up(to, dragged, inside) {
				if (!dragged && inside) choose(to, shift);
			},
			cancel() {},
		}),
		key({ key, shiftKey }, at) {
			if (key !== "Enter") return false;
			choose(at, shiftKey);
			return true;
		},
		paint(ctx, place, room) {
			const now = marks();
			if (!now) return;
			const { lattice, star, choice } = now;
			if (lattice) drawLattice(ctx, place, lattice);
			for (const degrees of choice.cut ?? []) {
				drawCut(ctx, place, degrees);
				labelCut(ctx, place, degrees, room);
			}
			const { ring } = choice;
			for (const q of ring && ring !== true ? ring : [])
				circle(ctx, place, q, `${Number(q.toFixed(4))}`, []);
			if (star) circle(ctx, place, star, "q*", [5, 4]);
		},
	};
}

/** Near the edge of the image, where the line leaves it. */
function labelCut(
	ctx: CanvasRenderingContext2D,
	place: Place,
	degrees: number,
	{ right, top }: { readonly right: number; readonly top: number },
): void {
	const [cx, cy] = place({ x: 0, y: 0 });
	const angle = (degrees * Math.PI) / 180;
	const [c, s] = [Math.cos(angle), Math.sin(angle)];
	const reach = 0.8 * Math.min(right - cx, cy - top);
	if (!(reach > 20)) return;
	// Beside the line.
	label(
		ctx,
		`${Number(degrees.toFixed(1))}°`.replace("-", "−"),
		[cx + reach * c - 12 * s, cy - reach * s - 12 * c + 4],
		"center",
	);
}
