/** A line on the picture: its length and direction, and the values along it. */

import { line, multiples, niceStep, tick } from "../../../drawing/panels.ts";
import { maxOf, minOf } from "../../../qpi/maths/extremes.ts";
import { byId } from "../basics/dom.ts";
import type { ShownImage } from "../worker/extractTypes.ts";
import { type Point, valueAt } from "./fieldDrawing.ts";
import type { Tool } from "./fieldInput.ts";
import { scaleOf } from "./scale.ts";

const MARGIN = { left: 52, right: 10, top: 8, bottom: 30 };

/** Drag a line. The values are those of the pixels under it. */
export function profileTool(
	shown: () => { image?: ShownImage; unit: string },
	redraw: () => void,
): Tool & { show(): void } {
	let ends: [Point, Point] | null = null;
	const radios = [
		...document.querySelectorAll<HTMLInputElement>('[name="tool"]'),
	];
	const show = () => {
		// There before a line is drawn: the picture must not move under the pointer.
		const chosen = radios.some((r) => r.checked && r.value === "profile");
		byId("profile-panel").hidden = !ends && !chosen;
		const { image, unit } = shown();
		if (ends && image) draw(ends, image, unit);
		else {
			byId("profile-about").textContent = "Drag a line; a click takes it away.";
			byId<HTMLCanvasElement>("line-profile").width = 0;
		}
	};
	for (const radio of radios) radio.addEventListener("change", show);
	// Its colours are the style sheet's, its size the window's.
	addEventListener("themechange", show);
	addEventListener("resize", show);
	return {
		show,
		down(from) {
			const before = ends;
			return {
				move(to) {
					ends = [from, to];
					show();
					redraw();
				},
				up(_, dragged) {
					if (!dragged) ends = null;
					show();
					redraw();
				},
				cancel() {
					ends = before;
					show();
					redraw();
				},
			};
		},
		paint(ctx, place) {
			if (!ends) return;
			const [[x0, y0], [x1, y1]] = ends.map(place);
			for (const [colour, pen] of [
				["#ffffff", 4],
				["#111111", 1.5],
			] as const) {
				ctx.strokeStyle = colour;
				ctx.lineWidth = pen;
				line(ctx, x0, y0, x1, y1);
			}
		},
	};
}

function draw(
	[from, to]: readonly [Point, Point],
	{ field }: ShownImage,
	unit: string,
): void {
	const [dx, dy] = [to.x - from.x, to.y - from.y];
	const length = Math.hypot(dx, dy);
	const canvas = byId<HTMLCanvasElement>("line-profile");
	const angle = (Math.atan2(dy, dx) * 180) / Math.PI;
	byId("profile-about").textContent =
		`${length.toFixed(1)} Å at ${angle.toFixed(1).replace("-", "−")}° from x, (${[dx, dy].map((v) => v.toFixed(1).replace("-", "−")).join(", ")}) Å`;
	const { clientWidth: width, clientHeight: height } = canvas;
	const ctx = canvas.getContext("2d");
	if (!ctx || width === 0) return;
	const ratio = devicePixelRatio;
	[canvas.width, canvas.height] = [width, height].map((n) =>
		Math.round(n * ratio),
	);
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	const box = {
		width: width - MARGIN.left - MARGIN.right,
		height: height - MARGIN.top - MARGIN.bottom,
	};
	const values = Array.from(
		{ length: Math.max(2, Math.round(box.width)) },
		(_, i) => {
			const t = i / Math.max(1, Math.round(box.width) - 1);
			return valueAt(field, { x: from.x + t * dx, y: from.y + t * dy });
		},
	);
	const known = values.filter(
		(v): v is number => v !== undefined && Number.isFinite(v),
	);
	if (known.length === 0) return;
	const [low, high] = [minOf(known), maxOf(known)];
	const scale = scaleOf(low, high, unit);
	const style = getComputedStyle(canvas);
	ctx.strokeStyle = ctx.fillStyle = style.color;
	ctx.font = `11px ${style.fontFamily}`;
	ctx.strokeRect(
		MARGIN.left - 0.5,
		MARGIN.top - 0.5,
		box.width + 1,
		box.height + 1,
	);
	const bottom = MARGIN.top + box.height;
	ctx.textAlign = "center";
	for (const at of multiples(
		[0, length],
		niceStep((60 * length) / box.width),
	)) {
		const x = MARGIN.left + (at / length) * box.width;
		line(ctx, x, bottom, x, bottom + 4);
		ctx.fillText(tick(at), x, bottom + 15);
	}
	ctx.fillText(
		`Å; values in ${scale.label}`,
		MARGIN.left + box.width / 2,
		bottom + 27,
	);
	ctx.textAlign = "right";
	for (const v of [low, high])
		ctx.fillText(
			scale.said(v),
			MARGIN.left - 5,
			v === low ? bottom : MARGIN.top + 9,
		);
	ctx.beginPath();
	let gap = true;
	values.forEach((v, i) => {
		// Nothing is known where nothing is used.
		const known = v !== undefined && Number.isFinite(v);
		if (known) {
			const x = MARGIN.left + (i / (values.length - 1)) * box.width;
			const y = bottom - ((v - low) / (high - low || 1)) * box.height;
			if (gap) ctx.moveTo(x, y);
			else ctx.lineTo(x, y);
		}
		gap = !known;
	});
	ctx.lineWidth = 1.5;
	ctx.stroke();
}
