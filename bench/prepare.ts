/**
 * `npm run bench:prepare`: what the preparation of a scan leaves of its ripples, and how long it takes, on scans with a known truth. Seeded; one thread.
 */
import { preprocess } from "../src/extraction/preprocess.ts";
import { errorOf, type Features, rippledScan } from "../test/rippledScans.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const NOISE = 0.2;
const size = { nx: 192, dx: 2.5, noise: NOISE };
const kinds: Record<string, Omit<Features, "seed">> = {
	"ripples alone": {},
	"adatoms, 30 s.d.": { adatoms: 30 },
	"120 scatterers": { scatterers: 120 },
	tilt: { order: 1, background: 10 },
	"order 2": { order: 2, background: 10 },
	"order 3": { order: 3, background: 30 },
	"order 4": { order: 4, background: 30 },
	"order 3, clusters": { order: 3, background: 60, clusters: 3, adatoms: 8 },
	"the same, 20 rows missing": {
		order: 3,
		background: 60,
		clusters: 3,
		adatoms: 8,
		missing: 20,
	},
	"a step of 5 s.d.": { steps: [5] },
	"steps of 40, order 2": { steps: [40, 40], order: 2, background: 10 },
	"steps, order 3, clusters": {
		steps: [-30, 25],
		order: 3,
		background: 20,
		clusters: 3,
	},
};

console.log(
	"scans                      order right  terraces right  left over noise  clusters masked  masked in all",
);
for (const [name, features] of Object.entries(kinds)) {
	let [orders, terraces, left, hidden, cluster, all] = [0, 0, 0, 0, 0, 0];
	for (const seed of SEEDS) {
		const made = rippledScan({ ...size, ...features, seed });
		const { order, steps, whole, counts, masks } = preprocess(made.scan);
		if (order === (features.order ?? 0)) orders++;
		const note = steps.find((step) => step.name === "steps")?.note ?? "";
		const found = Number(/^(\d+) terraces/.exec(note)?.[1] ?? 1);
		if (found === (features.steps?.length ?? 0) + 1) terraces++;
		// Of the ripples' power, that of the noise subtracted.
		let [power, n] = [0, 0];
		counts.forEach((c, p) => {
			power += c * made.signal[p] ** 2;
			n += c;
		});
		left +=
			errorOf(whole.image, made.signal, counts) * (power / n) - NOISE ** 2;
		made.cluster.forEach((c, p) => {
			cluster += c;
			if (c && counts[p] === 0) hidden++;
		});
		all += masks.reduce((sum, { share }) => sum + share, 0);
	}
	const of = (n: number) => `${n} of ${SEEDS.length}`;
	const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
	console.log(
		name.padEnd(26),
		of(orders).padStart(11),
		of(terraces).padStart(15),
		percent(left / SEEDS.length).padStart(16),
		(cluster ? percent(hidden / cluster) : "-").padStart(16),
		percent(all / SEEDS.length).padStart(14),
	);
}

console.log("\npixels       seconds");
for (const nx of [256, 512, 1024]) {
	const { scan } = rippledScan({
		seed: 1,
		nx,
		dx: 600 / nx,
		scatterers: 20,
		order: 3,
		background: 30,
		clusters: 2,
		steps: [30],
		missing: nx / 16,
	});
	preprocess(scan);
	const started = performance.now();
	preprocess(scan);
	const seconds = (performance.now() - started) / 1000;
	console.log(`${nx} x ${nx}`.padEnd(12), seconds.toFixed(2));
}
