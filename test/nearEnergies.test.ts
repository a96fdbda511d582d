/** A few energies near each other, whose ripples reach across the map: what differs between them is strongest where no scatterer is. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { findScatterers } from "../src/extraction/blind/blind.ts";
import { Random } from "../src/random.ts";

test("two near energies show the five scatterers that one of them shows, and no others", async () => {
	const random = new Random(14);
	const [n, pixel, far] = [48, 4, 84];
	const marks: { x: number; y: number }[] = [];
	while (marks.length < 5) {
		const [x, y] = [0, 0].map(() => random.uniform(-far, far));
		if (marks.every((m) => Math.hypot(m.x - x, m.y - y) > 16))
			marks.push({ x, y });
	}
	const images = [0.03, 0.06].map((energy) => {
		const q = 2 * Math.sqrt(((energy + 0.065) * 0.4) / 3.81);
		const image = Float64Array.from({ length: n * n }, (_, p) => {
			const x = (Math.floor(p / n) - (n - 1) / 2) * pixel;
			const y = ((p % n) - (n - 1) / 2) * pixel;
			return marks.reduce((sum, m) => {
				const r = Math.hypot(x - m.x, y - m.y);
				const fall = Math.exp(-r / 200) / Math.sqrt(1 + r / 6);
				return sum + fall * Math.cos(q * r + 0.5);
			}, 0);
		});
		const mean = image.reduce((sum, v) => sum + v, 0) / image.length;
		const power = image.reduce((sum, v) => sum + (v - mean) ** 2, 0);
		const sigma = Math.sqrt(power / image.length);
		return image.map((v) => (v - mean) / sigma + 0.05 * random.normal());
	});
	const found = await findScatterers({ images, nx: n, ny: n, pixel });
	assert.is(found.marks.length, 5);
	for (const { x, y } of marks)
		assert.ok(found.marks.some((m) => Math.hypot(m.x - x, m.y - y) < 6));
});

test.run();
