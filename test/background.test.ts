/** Backgrounds, terraces and clusters: found where they are, and nowhere else. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Preprocessed, preprocess } from "../src/extraction/preprocess.ts";
import { distances, parts } from "../src/extraction/scan/areas.ts";
import {
	columnsOf,
	exponents,
	robustFit,
	surface,
} from "../src/extraction/scan/polynomials.ts";
import { median, robustSigma, spread } from "../src/extraction/scan/scan.ts";
import { Random } from "../src/random.ts";
import { errorOf, type RippledScan, rippledScan } from "./rippledScans.ts";

const note = ({ steps }: Preprocessed, name: string) =>
	steps.find((step) => step.name === name)?.note ?? "";
const error = ({ whole, counts }: Preprocessed, { signal }: RippledScan) =>
	errorOf(whole.image, signal, counts);
const share = ({ masks }: Preprocessed, name: string) =>
	masks.find((mask) => mask.name === name)?.share ?? 0;
/** The scatterers that are masked. */
const masked = ({ counts }: Preprocessed, { scan, scatterers }: RippledScan) =>
	scatterers.filter(({ x, y }) => {
		const ix = Math.round(x / scan.spacing.x + (scan.nx - 1) / 2);
		const iy = Math.round(y / scan.spacing.y + (scan.ny - 1) / 2);
		return counts[ix * scan.ny + iy] === 0;
	}).length;

test("the order by evidence, and the ripples stay", () => {
	for (const order of [0, 1, 2, 3, 4])
		for (const seed of [1, 2]) {
			const made = rippledScan({ seed, order, background: 12 });
			const prepared = preprocess(made.scan);
			assert.is(prepared.order, order, `order ${order}, seed ${seed}`);
			// The noise is 0.04 of the ripples' power; 1 % of it may go with the background.
			const left = error(prepared, made);
			assert.ok(left < 0.05, `order ${order}, seed ${seed}: ${left}`);
			assert.equal(prepared.masks, []);
		}
});

test("an order that is asked for is taken", () => {
	const { scan } = rippledScan({ seed: 1, order: 3, background: 12 });
	assert.is(preprocess(scan, { background: 2 }).order, 2);
	assert.is(preprocess(scan, { flatten: "plane" }).order, 1);
	const none = preprocess(scan, { flatten: "none" });
	assert.is(none.order, 0);
	assert.is(note(none, "background"), "");
	const only = preprocess(scan, { flatten: "none", background: 3 });
	assert.is(only.order, 3);
	assert.is(note(only, "lines"), "");
	assert.throws(
		() => preprocess(scan, { background: 5 as 4 }),
		/background "auto" or 0 to 4, got 5/,
	);
});

test("a cubic background under adatoms and clusters, with rows missing", () => {
	for (const seed of [1, 2, 3]) {
		const made = rippledScan({
			seed,
			nx: 200,
			order: 3,
			background: 60,
			adatoms: 8,
			clusters: 3,
			missing: 20,
		});
		const prepared = preprocess(made.scan);
		assert.is(prepared.order, 3);
		const left = error(prepared, made);
		assert.ok(left < 0.04, `seed ${seed}: ${left}`);
		const { counts } = prepared;
		assert.ok(made.cluster.every((c, p) => c === 0 || counts[p] === 0));
		const clusters = share(prepared, "clusters");
		assert.ok(clusters > 0.01 && clusters < 0.12, `${clusters}`);
		assert.is(share(prepared, "not measured"), 0.1);
		assert.ok(prepared.whole.image.every(Number.isFinite));
		// Without the mask their pixels count.
		const kept = preprocess(made.scan, { clusters: false });
		assert.is(share(kept, "clusters"), 0);
	}
});

test("adatoms are no clusters, however tall and many", () => {
	for (const [scatterers, adatoms] of [
		[2, 40],
		[5, 20],
		[13, 40],
		[60, 30],
		[150, 10],
	]) {
		const made = rippledScan({ seed: 5, scatterers, adatoms });
		const prepared = preprocess(made.scan);
		assert.equal(prepared.masks, [], `${scatterers} of ${adatoms}`);
		assert.is(masked(prepared, made), 0);
		assert.is(prepared.order, 0);
	}
});

test("terraces come to one level, and their edges do not count", () => {
	for (const [steps, order] of [
		[[40], 0],
		[[6], 0],
		[[-30, 25], 3],
		[[40, 40], 2],
	] as const)
		for (const seed of [1, 2]) {
			const made = rippledScan({ seed, nx: 200, steps, order, background: 12 });
			const prepared = preprocess(made.scan);
			const about = `${steps}, seed ${seed}`;
			assert.match(
				note(prepared, "steps"),
				new RegExp(`^${steps.length + 1} terraces`),
				about,
			);
			assert.is(prepared.order, order, about);
			const left = error(prepared, made);
			assert.ok(left < 0.055, `${about}: ${left}`);
			const edges = share(prepared, "steps");
			assert.ok(edges > 0.03 && edges < 0.08 * steps.length, `${edges}`);
			// Edges lie where the terraces meet.
			const { nx, ny } = made.scan;
			for (let ix = 0; ix + 1 < nx; ix++)
				for (let iy = 0; iy < ny; iy++) {
					const p = ix * ny + iy;
					if (made.terrace[p] !== made.terrace[p + ny])
						assert.is(prepared.counts[p], 0, about);
				}
			const off = preprocess(made.scan, { stepEdges: false });
			assert.is(note(off, "steps"), "");
			assert.is(share(off, "steps"), 0);
		}
});

test("clusters on step edges are masked as a whole", () => {
	for (const seed of [1, 2, 3, 4]) {
		const made = rippledScan({
			seed,
			nx: 180,
			steps: [-30, 25],
			clusters: 4,
			order: 3,
			background: 20,
		});
		const prepared = preprocess(made.scan);
		assert.match(note(prepared, "steps"), /^3 terraces/, `seed ${seed}`);
		const { counts } = prepared;
		const left = made.cluster.filter((c, p) => c === 1 && counts[p] > 0);
		assert.is(left.length, 0, `seed ${seed}`);
		assert.ok(error(prepared, made) < 0.06, `seed ${seed}`);
	}
});

test("no step is seen in ripples, adatoms, clusters or backgrounds", () => {
	const random = new Random(11);
	for (let seed = 1; seed <= 12; seed++) {
		const made = rippledScan({
			seed,
			nx: 128,
			ny: [128, 96][seed % 2],
			dx: random.uniform(2, 5),
			scatterers: random.integer(3, 120),
			noise: random.uniform(0.05, 1),
			adatoms: [0, 5, 25][seed % 3],
			order: seed % 5,
			background: 10 ** random.uniform(0, 2),
			clusters: seed % 3,
		});
		const prepared = preprocess(made.scan);
		assert.is(note(prepared, "steps"), "no step edge found", `seed ${seed}`);
	}
});

test("a change of the tip, creep and a drift from line to line go with the lines", () => {
	const { scan, signal } = rippledScan({ seed: 1, nx: 200, noise: 0.1 });
	const random = new Random(4);
	const drift = Array.from({ length: 200 }, () => random.normal());
	for (const [name, offset] of [
		["tip", (iy: number) => (iy > 80 ? 5 : 0)],
		["creep", (iy: number) => 20 * Math.exp(-iy / 12)],
		["drift", (iy: number) => drift[iy]],
	] as const) {
		const image = scan.image.map((v, p) => v + offset(p % 200));
		const { whole, counts } = preprocess({ ...scan, image });
		const left = errorOf(whole.image, signal, counts);
		const before = errorOf(image, signal, counts);
		assert.ok(before > 0.9 && left < 0.08, `${name}: ${before} to ${left}`);
	}
});

test("median and robust deviations, against sorted values", () => {
	const random = new Random(8);
	for (let n = 0; n < 200; n++) {
		// Equal values and gaps among them.
		const values = Array.from({ length: n % 41 }, () =>
			random.uniform() < 0.1 ? Number.NaN : Math.round(3 * random.normal()),
		);
		const sorted = (of: number[]) =>
			of.filter(Number.isFinite).sort((a, b) => a - b);
		const middle = (of: number[]) => {
			const s = sorted(of);
			return (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2;
		};
		assert.equal(median(values), middle(values));
		const off = values.map((v) => Math.abs(v - middle(values)));
		assert.equal(robustSigma(values), 1.4826 * middle(off));
		const outer = sorted(off)[Math.floor(0.9 * sorted(off).length)] / 1.645;
		assert.equal(spread(values), Math.max(1.4826 * middle(off), outer));
	}
	const many = Float64Array.from({ length: 3e5 }, () => random.normal());
	assert.ok(Math.abs(median(many)) < 0.02);
	assert.ok(Math.abs(robustSigma(many) - 1) < 0.02);
	assert.ok(Math.abs(spread(many) - 1) < 0.02);
});

test("distances and connected parts, against their definitions", () => {
	const random = new Random(3);
	for (const [nx, ny] of [
		[17, 23],
		[1, 9],
		[12, 1],
	]) {
		const grid = { nx, ny, spacing: { x: 1.3, y: 2.1 } };
		const area = Uint8Array.from({ length: nx * ny }, () =>
			random.uniform() < 0.1 ? 1 : 0,
		);
		area[random.integer(0, area.length)] = 1;
		distances(area, grid).forEach((d, p) => {
			let nearest = Number.POSITIVE_INFINITY;
			area.forEach((a, q) => {
				const x = (Math.floor(p / ny) - Math.floor(q / ny)) * 1.3;
				const y = ((p % ny) - (q % ny)) * 2.1;
				if (a) nearest = Math.min(nearest, Math.hypot(x, y));
			});
			assert.ok(Math.abs(d - nearest) < 1e-9, `${nx} x ${ny}: ${d} ${nearest}`);
		});
	}
	const empty = { nx: 2, ny: 2, spacing: { x: 1, y: 1 } };
	assert.ok(distances([0, 0, 0, 0], empty).every((d) => d === Infinity));
	// Corners do not connect.
	const { labels, sizes } = parts([1, 0, 1, 0, 1, 1], { nx: 2, ny: 3 });
	assert.equal(
		[...labels],
		[1, 0, 2, 0, 2, 2].map((l) => l),
	);
	assert.equal(sizes, [0, 1, 3]);
});

test("a polynomial is found under outliers, exactly, and is drawn as it was fitted", () => {
	const [nx, ny, order] = [40, 30, 3];
	const axis = (n: number) =>
		Float64Array.from({ length: n }, (_, i) => (2 * i + 1) / n - 1);
	const columns = columnsOf({ nx, ny, u: axis(nx), v: axis(ny) }, order);
	const truth = exponents(order).map((_, i) => (i % 2 ? -1 : 1) * (i + 0.5));
	const under = surface({ nx, ny }, truth, order);
	const values = under.map((v, p) =>
		p % 7 === 0 ? v + 1000 : p % 11 === 0 ? Number.NaN : v,
	);
	const { coefficients, weights } = robustFit(columns, values);
	coefficients.forEach((c, i) => {
		assert.ok(Math.abs(c - truth[i]) < 1e-6, `${i}: ${c}`);
	});
	assert.ok(weights.every((w, p) => (p % 7 === 0 ? w < 1e-6 : true)));
});

test.run();
