/** Marks and masks of the page stay in the scan's own frame where the picture is corrected by its lattice. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { latticeCorrection } from "../src/extraction/lattice/correction.ts";
import type { Tool } from "../src/web/page/picture/fieldInput.ts";
import { Frame } from "../src/web/page/picture/frame.ts";
import { latticeTold } from "../src/web/page/worker/latticeTold.ts";
import { latticeScan, misplaced } from "./latticeScans.ts";

const { scan, perfect } = latticeScan({
	...{ lattice: { a: 3.8, b: 3.8, angle: 90 }, nx: 128, height: 1 },
});
const correction = latticeCorrection(scan, {
	...{ lattice: { a: 3.8, b: 3.8, angle: 90 }, drift: true, bragg: "remove" },
});
const frame = new Frame();
frame.moves = structuredClone({
	matrix: correction.distortion.matrix,
	field: correction.distortion.field,
});

test("places of the scan are drawn where the corrected picture has them, and come back", () => {
	const off = misplaced((r) => frame.toPicture(r), perfect, scan, "rigid");
	assert.ok(off.rms < 0.3, `${off.rms}`);
	for (const place of [
		{ x: 0, y: 0 },
		{ x: -40.5, y: 21 },
		{ x: 50, y: -55 },
	]) {
		const there = frame.toPicture(place);
		assert.ok(Math.hypot(there.x - place.x, there.y - place.y) > 0.1);
		const { x, y } = frame.toScan(there);
		assert.ok(Math.hypot(x - place.x, y - place.y) < 1e-3);
	}
});

test("a tool is told places of the scan, and what it paints lies where the pointer was", () => {
	const told: { x: number; y: number }[] = [];
	const painted: [number, number][] = [];
	const inner: Tool = {
		down: (at) => {
			told.push(at);
			return {
				move: (to) => told.push(to),
				up: (to) => void told.push(to),
				cancel() {},
			};
		},
		key: (_, at) => told.push(at) > 0,
		paint: (_, place) => void painted.push(...told.map(place)),
	};
	const tool = frame.tool(inner);
	const at = { x: 31, y: -12 };
	const drag = tool.down(at, 1, false);
	drag?.move?.(at);
	drag?.up(at, true, true);
	assert.ok(tool.key?.({} as KeyboardEvent, at, 1));
	assert.is(tool.double, undefined);
	tool.paint({} as CanvasRenderingContext2D, ({ x, y }) => [x, y], {
		...{ right: 0, top: 0 },
	});
	assert.is(told.length, 4);
	for (const [x, y] of painted)
		assert.ok(Math.hypot(x - at.x, y - at.y) < 1e-3);
	assert.ok(Math.hypot(told[0].x - at.x, told[0].y - at.y) > 0.1);
});

test("without a correction nothing moves", () => {
	const plain = new Frame();
	const at = { x: 3, y: 4, kind: 2 };
	assert.is(plain.toPicture(at), at);
	assert.is(plain.toScan(at), at);
});

test("what was found of a lattice is told in rows, with what was done", () => {
	const rows = new Map(latticeTold({ ...correction, reference: "Z" }));
	const [, a] =
		/^([\d.]+) × [\d.]+ Å, [\d.]+°, in Z$/.exec(rows.get("Measured") ?? "") ??
		[];
	assert.ok(Math.abs(Number(a) - 3.8) < 0.3, a);
	assert.is(rows.get("Given"), "3.800 × 3.800 Å, 90.0°");
	assert.match(rows.get("Scaled") ?? "", /^x × [\d.]+, y × [\d.]+$/);
	assert.match(rows.get("Sheared") ?? "", /^by −?[\d.]+$/);
	assert.match(
		rows.get("Bragg peak 2") ?? "",
		/^1\.653 1\/Å, −?[\d.]+° from x$/,
	);
	assert.match(rows.get("Drift") ?? "", /Å at most, taken out$/);
	assert.match(
		rows.get("Removed") ?? "",
		/reciprocal lattice vectors, by notches of 0\./,
	);
	const left = latticeTold(latticeCorrection(scan, {}));
	assert.equal(
		left.map(([name]) => name),
		["Measured", "Drift", "Bragg peak 1", "Bragg peak 2"],
	);
	assert.match(new Map(left).get("Drift") ?? "", /, left$/);
});

test.run();
