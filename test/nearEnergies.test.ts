/** Ripples that reach across a small map: of one image marks anywhere explain much, and of near energies what differs between them is strongest where no scatterer is. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	type BlindResult,
	findScatterers,
} from "../src/extraction/blind/blind.ts";
import { independentWaves } from "../src/extraction/blind/waves.ts";
import { Random } from "../src/random.ts";

const [n, pixel, far] = [48, 4, 84];

/** Five scatterers of waves that fall to a third in 200 A, an image an energy (eV), with noise of a twentieth. */
function ripples(seed: number, energies: readonly number[]) {
	const random = new Random(seed);
	const marks: { x: number; y: number }[] = [];
	while (marks.length < 5) {
		const [x, y] = [0, 0].map(() => random.uniform(-far, far));
		if (marks.every((m) => Math.hypot(m.x - x, m.y - y) > 16))
			marks.push({ x, y });
	}
	const images = energies.map((energy) => {
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
	return { marks, images };
}

function sameFive(
	found: BlindResult,
	marks: readonly { x: number; y: number }[],
): void {
	assert.is(found.marks.length, 5);
	for (const { x, y } of marks)
		assert.ok(found.marks.some((m) => Math.hypot(m.x - x, m.y - y) < 6));
}

test("two near energies show the five scatterers that one of them shows, and no others", async () => {
	const { marks, images } = ripples(14, [0.03, 0.06]);
	sameFive(await findScatterers({ images, nx: n, ny: n, pixel }), marks);
});

test("one map of waves that outlive it shows five scatterers at their places, not a mark for every crest", async () => {
	// The kernel that is found first has its centre 23 A off.
	const { marks, images } = ripples(6, [0.06]);
	sameFive(await findScatterers({ images, nx: n, ny: n, pixel }), marks);
});

test("independent waves: as many as pixels in noise on noise, few in waves of one length", () => {
	const random = new Random(3);
	const counts = new Float64Array(n * n).fill(1);
	const waves = (image: Float64Array) => independentWaves(image, counts, n, n);
	const one = ripples(6, [0.06]).images[0];
	const white = Float64Array.from(one, () => random.normal());
	assert.ok(waves(one) > 60 && waves(one) < 250, `${waves(one)}`);
	// Steps from pixel to pixel hold the long waves' half of the plane too.
	assert.ok(waves(white) > 5 * waves(one), `${waves(white)}`);
});

test.run();
