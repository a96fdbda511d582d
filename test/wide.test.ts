/** The patterns that the shipped weights are learned from: what is drawn, how often, and with what waves. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PIXEL } from "../src/qpi/dataset/format.ts";
import { makeSplit } from "../src/qpi/dataset/split.ts";
import { planKernels } from "../src/qpi/generator/families.ts";
import type { KernelSpec } from "../src/qpi/generator/kernelSpec.ts";
import {
	bareKernel,
	HELD_OUT,
	HELD_OUT_FAMILIES,
	view,
	type WideKernel,
	wideKernel,
} from "../src/qpi/generator/wide.ts";
import { Fft2d } from "../src/qpi/maths/fft.ts";
import { Random } from "../src/random.ts";
import { generatedSource } from "../src/training/source.ts";

/** Bands and clusters by the numbers that a stream's first two draws give them; "point" is drawn twice as often as the rest. */
const BANDS = [
	"surface",
	"free",
	"quartic",
	"ellipse",
	"warped",
	"topological",
	"dWave",
	"pnictide",
	"rings",
];
const CLUSTERS =
	"point point black pair ring3 ring4 ring6 unequal2 unequal3 unequal4".split(
		" ",
	);
const LATTICES = ["topological", "dWave", "pnictide"];

/** Whether a band is drawn with a cluster: black dots are of one-component bands, clusters of the two-dimensional electron gas are "free". */
function possible(band: string, cluster: string): boolean {
	if (band === "rings") return true;
	if (LATTICES.includes(band)) return cluster !== "black";
	if (band === "surface") return cluster === "point" || cluster === "black";
	return !HELD_OUT.some((held) => held === `${band} ${cluster}`);
}

/** Streams of seed 1 whose first try is what `wanted` accepts. */
function* streams(wanted: (band: string, cluster: string) => boolean) {
	for (let stream = 0; ; stream++) {
		const random = new Random(1, stream);
		const band = BANDS[random.integer(0, BANDS.length)];
		const cluster = CLUSTERS[random.integer(0, CLUSTERS.length)];
		if (wanted(band, cluster))
			yield { first: `${band} ${cluster}`, random: new Random(1, stream) };
	}
}

/** Kolmogorov's distance from the uniform distribution on [low, high]. */
function distance(values: readonly number[], low: number, high: number) {
	const sorted = values.toSorted((a, b) => a - b);
	const away = sorted.map((value, i) => {
		const at = Math.min(1, Math.max(0, (value - low) / (high - low)));
		return Math.max(at - i / sorted.length, (i + 1) / sorted.length - at);
	});
	return Math.max(...away);
}

/** r times a pattern in one direction from the scatterer, r = 30 to 350 Angstrom in steps of half an Angstrom. */
function ray({ evaluate }: WideKernel, [x, y]: readonly [number, number]) {
	return Array.from({ length: 640 }, (_, i) => {
		const r = 30 + i / 2;
		return r * evaluate(r * x, r * y);
	});
}

/** The wave number of a ray's strongest wave, radians a pixel. */
function waveNumber(values: readonly number[]): number {
	let [best, strongest] = [0, 0];
	for (let q = 0.1; q < 5.5; q += 0.02) {
		let [a, b] = [0, 0];
		values.forEach((value, i) => {
			const hann = Math.sin((Math.PI * (i + 0.5)) / values.length) ** 2;
			const phase = (q * (30 + i / 2)) / PIXEL;
			a += hann * value * Math.cos(phase);
			b += hann * value * Math.sin(phase);
		});
		if (a * a + b * b > strongest) [best, strongest] = [q, a * a + b * b];
	}
	return best;
}

/** Angstrom over which a ray's amplitude fades by a factor e. */
function fading(values: readonly number[]): number {
	const power = (from: number, to: number) =>
		values
			.slice(2 * (from - 30), 2 * (to - 30))
			.reduce((sum, v) => sum + v * v, 0);
	return 360 / Math.log(power(40, 160) / power(220, 340));
}

const N = 128;
const transform = new Fft2d(N, N);

/** Power of a view's waves, in bins of 2 pi / 128 radians a pixel; the mean is left out. */
function spectrum(nodes: Float32Array): Float64Array {
	const re = Float64Array.from(nodes, (v, p) => {
		const [i, j] = [Math.floor(p / N), p % N];
		return (
			v *
			Math.sin((Math.PI * (i + 0.5)) / N) ** 2 *
			Math.sin((Math.PI * (j + 0.5)) / N) ** 2
		);
	});
	const im = new Float64Array(N * N);
	transform.transform(re, im);
	const bins = new Float64Array(N);
	re.forEach((v, p) => {
		const [i, j] = [Math.floor(p / N), p % N];
		const q = Math.hypot(Math.min(i, N - i), Math.min(j, N - j));
		if (q >= 3) bins[Math.round(q)] += v * v + im[p] ** 2;
	});
	return bins;
}

const sum = (values: ArrayLike<number>) =>
	Array.from(values).reduce((total, v) => total + v, 0);

const DRAWN = Array.from({ length: 45 }, (_, stream) =>
	wideKernel(new Random(1, stream)),
);

test("bands are drawn as often as their clusters allow", () => {
	const shares = BANDS.map((band) =>
		sum(CLUSTERS.map((cluster) => Number(possible(band, cluster)))),
	);
	let deviation = 0;
	BANDS.forEach((band, b) => {
		const due = (DRAWN.length * shares[b]) / sum(shares);
		const there = DRAWN.filter(({ kind }) => kind.split(" ")[0] === band);
		assert.ok(there.length > 0, band);
		deviation += (there.length - due) ** 2 / due;
	});
	// chi squared of eight degrees of freedom: 1 % are beyond 20
	assert.ok(deviation < 20, `chi squared ${deviation}`);
	for (const { kind } of DRAWN) {
		const [band, cluster] = kind.split(" ");
		assert.ok(BANDS.includes(band), kind);
		if (band === "rings") assert.match(cluster, /^[12346]$/);
		else assert.ok(CLUSTERS.includes(cluster) && possible(band, cluster), kind);
	}
});

test("a first try that is possible is taken, and one that is held out never", () => {
	for (const held of HELD_OUT) {
		const wanted = streams((...names) => names.join(" ") === held);
		for (let i = 0; i < 2; i++) {
			const { first, random } = wanted.next().value as {
				first: string;
				random: Random;
			};
			const { kind } = wideKernel(random);
			assert.is.not(kind, first);
			assert.ok(!HELD_OUT.some((name) => name === kind), kind);
		}
	}
	const allowed = streams(
		(band, cluster) => band === "quartic" && possible(band, cluster),
	);
	for (let i = 0; i < 4; i++) {
		const { first, random } = allowed.next().value as {
			first: string;
			random: Random;
		};
		assert.is(wideKernel(random).kind, first);
	}
});

test("families that are held out are the evaluation set's of the kinds that are never drawn, as its first seed leaves them out", () => {
	const specs = planKernels(100, 1);
	const kindOf = ({ band, sites }: KernelSpec) => {
		const phases = new Set(sites.map(({ phase }) => phase));
		const sort = phases.has("black")
			? "black"
			: phases.size > 1
				? `unequal${sites.length}`
				: sites.length === 2
					? "pair"
					: `${sites.length} sites`;
		return `${band.kind} ${sort}`;
	};
	const held = specs.filter((spec) =>
		HELD_OUT.some((kind) => kind === kindOf(spec)),
	);
	assert.equal(
		new Set(held.map(({ family }) => family)),
		new Set(HELD_OUT_FAMILIES),
	);
	assert.equal(
		makeSplit(specs, { seed: 1 }).unseenFamily,
		held.map(({ number }) => number),
	);
	const options = { observations: 2, seed: 3, scattering: "linear" } as const;
	const { split, identity } = generatedSource(100, options, HELD_OUT_FAMILIES);
	assert.equal(
		split.unseenFamily,
		held.map(({ number }) => number),
	);
	assert.is.not(identity, generatedSource(100, options).identity);
});

test("round patterns have 0.3 to 2.7 radians a pixel, uniform, and fade over 70 to 350 Angstrom", () => {
	const q: number[] = [];
	const ranges: number[] = [];
	for (const { first, random } of streams(
		(band, cluster) =>
			(band === "surface" || band === "free") && cluster === "point",
	)) {
		const kernel = wideKernel(random);
		assert.is(kernel.kind, first);
		const values = ray(kernel, [0.6, 0.8]);
		q.push(waveNumber(values));
		ranges.push(fading(values));
		if (q.length === 40) break;
	}
	// Kolmogorov's distance of 40: 5 % are beyond 0.21
	assert.ok(distance(q, 0.3, 2.7) < 0.21, `${distance(q, 0.3, 2.7)}`);
	assert.ok(Math.min(...q) > 0.28 && Math.max(...q) < 2.72, `${q}`);
	assert.ok(Math.min(...q) < 0.5 && Math.max(...q) > 2.5, `${q}`);
	const log = ranges.map(Math.log);
	const limits = [Math.log(70), Math.log(350)] as const;
	assert.ok(distance(log, ...limits) < 0.21, `${distance(log, ...limits)}`);
	assert.ok(Math.min(...ranges) > 66 && Math.max(...ranges) < 370, `${ranges}`);
});

test("bare patterns too; drawn out, they reach beyond what nodes can carry", () => {
	const q: number[] = [];
	const ratios: number[] = [];
	let beyond = 0;
	for (let stream = 0; q.length < 40; stream++) {
		const kernel = bareKernel(new Random(1, stream));
		if (kernel.kind !== "bare 1") continue;
		const [x, y] = (
			[
				[1, 0],
				[0, 1],
			] as const
		).map((to) => waveNumber(ray(kernel, to)));
		q.push(Math.sqrt(x * y));
		ratios.push(Math.sqrt(x / y));
		if (x > Math.PI) {
			beyond++;
			assert.ok(x < 4.95 && x / y > 1.2, `${x} and ${y}`);
		}
	}
	assert.ok(distance(q, 0.3, 2.7) < 0.21, `${distance(q, 0.3, 2.7)}`);
	assert.ok(Math.min(...q) < 0.5 && Math.max(...q) > 2.5, `${q}`);
	assert.ok(beyond >= 1 && beyond <= 8, `${beyond} of 40, of which 9 % are to`);
	const long = ratios.filter((ratio) => ratio > 1.02);
	assert.ok(long.length > 12 && long.length < 28, `${long.length} of 40`);
	assert.ok(distance(long, 1, 1.8) < 0.32, `${distance(long, 1, 1.8)}`);
	assert.ok(Math.max(...long) < 1.82 && Math.min(...ratios) > 0.98);
});

test("a bare wave stays what it is within 3 Angstrom of its site, and changes at once beyond", () => {
	const kernel = bareKernel(new Random(1, 12));
	const centre = kernel.evaluate(0, 0);
	assert.is(kernel.evaluate(2, 2), centre);
	assert.ok(Math.abs(kernel.evaluate(4, 0) / centre - 1) > 0.1);
});

test("patterns of all kinds together have low and high wave numbers, none beyond what nodes can carry", () => {
	const centroids = DRAWN.map((kernel) => {
		const bins = spectrum(view(kernel));
		const beyond = sum(bins.subarray(N / 2 + 2)) / sum(bins);
		assert.ok(beyond < 1e-9, `${kernel.kind}: ${beyond} beyond Nyquist`);
		const centroid = sum(bins.map((v, i) => v * i)) / sum(bins);
		return (centroid * 2 * Math.PI) / N;
	});
	assert.ok(Math.min(...centroids) < 0.5 && Math.max(...centroids) > 2);
	const mean = sum(centroids) / centroids.length;
	assert.ok(mean > 1.1 && mean < 1.4, `mean ${mean} radians a pixel`);
});

test("a view is turned, drawn out, and of unit root mean square in the middle", () => {
	const kernel = DRAWN[1];
	const plain = view(kernel);
	let square = 0;
	for (let i = 32; i < 96; i++)
		for (let j = 32; j < 96; j++) square += plain[i * N + j] ** 2;
	assert.ok(Math.abs(square / 4096 - 1) < 1e-5, `${square / 4096}`);
	const turned = view(kernel, { turn: Math.PI / 2 });
	// a quarter turn takes (x, y) to (y, -x)
	for (let i = 0; i < N; i += 7)
		for (let j = 0; j < N; j += 5)
			assert.ok(Math.abs(turned[i * N + j] - plain[j * N + N - 1 - i]) < 1e-4);
	const stretched = view(kernel, { stretch: 3 });
	// three times as large: node 64 + 3 k + 1 lies where node 64 + k did
	const at = (k: number) => [64 + 3 * k + 1, 64 + k] as const;
	const scale =
		stretched[at(5)[0] * N + at(3)[0]] / plain[at(5)[1] * N + at(3)[1]];
	for (let k = -15; k < 15; k++) {
		const [far, near] = at(k);
		const due = scale * plain[near * N + 64];
		assert.ok(
			Math.abs(stretched[far * N + 65] - due) < 1e-3 * Math.abs(scale),
			`${k}`,
		);
	}
});

test.run();
