/** Phase-referenced kernels at opposite energies: the signs of gaps. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	oppositeEnergies,
	phaseReferenced,
	realSpectrum,
} from "../src/extraction/findings/phaseReferenced.ts";
import { Random } from "../src/random.ts";
import { Q, SPACING, twoGapKernel } from "./twoGaps.ts";

const N = 85;
/** Of the smaller and the larger gap, eV. */
const [SMALL, LARGE] = [0.006, 0.012];
/** Between the gaps, eV; where E^2 = D1 D2 lies. */
const BETWEEN = [0.007, 0.008, 0.009, 0.01, 0.011];
const ZERO = Math.sqrt(SMALL * LARGE);
const region = {
	kind: "disks",
	disks: [{ x: Q, y: 0, radius: 0.19 }],
} as const;

const energies = BETWEEN.flatMap((e) => [e, -e]);
const [same, opposite] = [1, -1].map((sign) =>
	energies.map((energy) => ({
		energy,
		kernel: twoGapKernel(energy, [SMALL, sign * LARGE], N),
	})),
);

test("gaps of opposite signs: rho_- keeps one sign between them; of one sign: it is smaller and changes where E^2 = D1 D2", () => {
	const unlike = phaseReferenced(opposite, SPACING, region);
	assert.is(unlike.points.length, BETWEEN.length);
	assert.is(new Set(unlike.points.map((p) => Math.sign(p.odd))).size, 1);
	assert.equal(unlike.changes, []);
	const alike = phaseReferenced(same, SPACING, region);
	assert.is(alike.changes.length, 1);
	const [[low, high]] = alike.changes;
	assert.ok(low < ZERO + 0.0005 && high > ZERO - 0.0005, `${low} ${high}`);
	const size = (of: typeof alike) =>
		Math.hypot(...of.points.map(({ odd }) => odd));
	assert.ok(size(unlike) > 5 * size(alike), `${size(unlike)} ${size(alike)}`);
	// the sum of both energies does not tell them apart
	const sums = [unlike, alike].map((of) =>
		Math.hypot(...of.points.map(({ even }) => even)),
	);
	assert.ok(sums[0] / sums[1] > 0.5 && sums[0] / sums[1] < 2);
});

test("errors are those of draws and jackknife, and a sign within them is none", () => {
	const random = new Random(5);
	const size = Math.max(...opposite[0].kernel.map(Math.abs));
	const run = (noise: number) => {
		const noisy = (kernel: ArrayLike<number>) =>
			Float32Array.from(kernel, (v) => v + noise * size * random.normal());
		return phaseReferenced(
			same.map(({ energy, kernel }) => ({
				...{ energy, kernel: noisy(kernel) },
				samples: Array.from({ length: 24 }, () => noisy(kernel)),
			})),
			SPACING,
			region,
		);
	};
	const runs = Array.from({ length: 12 }, () => run(0.02));
	const clean = phaseReferenced(same, SPACING, region).points;
	const pulls = runs.flatMap(({ points }) =>
		points.map(({ odd, error }, i) => (odd - clean[i].odd) / (error ?? 0)),
	);
	const rms = Math.hypot(...pulls) / Math.sqrt(pulls.length);
	assert.ok(rms > 0.8 && rms < 1.25, String(rms));
	assert.equal(run(3).changes, []);
	// without draws nothing is known of the errors
	assert.is(clean[0].error, null);
});

test("the integral takes waves inside its region at their sign, and none outside", () => {
	const wave = (q: number, strength: number) =>
		Float32Array.from({ length: N * N }, (_, p) => {
			const x = (Math.floor(p / N) - (N - 1) / 2) * SPACING;
			return strength * Math.cos(q * x);
		});
	const odd = (
		q: number,
		strength: number,
		of: Parameters<typeof phaseReferenced>[2],
	) =>
		phaseReferenced(
			[
				{ energy: 0.01, kernel: wave(q, strength) },
				{ energy: -0.01, kernel: wave(q, 0) },
			],
			SPACING,
			of,
		).points[0].odd;
	const ring = { kind: "ring", q: 0.45, width: 0.15 } as const;
	// all of a wave's power lies in the region: its value at the scatterer is left
	assert.ok(Math.abs(odd(0.45, 2, ring) - 2) < 0.1, String(odd(0.45, 2, ring)));
	assert.ok(Math.abs(odd(0.45, -2, ring) + 2) < 0.1);
	assert.ok(Math.abs(odd(0.8, 2, ring)) < 0.05);
	assert.ok(Math.abs(odd(0.45, 2, { kind: "all" }) - 2) < 0.1);
	assert.ok(Math.abs(odd(0, 2, { kind: "all" })) < 0.2);
	assert.ok(Math.abs(odd(0.45, 2, region) - 2) < 0.1);
});

test("the transform about the scatterer has the pattern's sign", () => {
	const kernel = Float32Array.from({ length: 33 * 33 }, (_, p) =>
		Math.cos(0.4 * (Math.floor(p / 33) - 16) * 3),
	);
	const at = (values: Float32Array) => values[(8 + 4) * 16 + 8];
	const [plus, minus] = [kernel, kernel.map((v) => -v)].map((k) =>
		at(realSpectrum(k, 3, 16, 0.1)),
	);
	assert.ok(plus > 0);
	assert.is(minus, -plus);
});

test("opposite energies are paired, whatever their order, and others are left out", () => {
	assert.equal(oppositeEnergies([-0.02, -0.01, 0, 0.01, 0.0201]), [
		{ plus: 3, minus: 1 },
		{ plus: 4, minus: 0 },
	]);
	assert.equal(oppositeEnergies([0.01, 0.02, 0.03]), []);
	assert.equal(oppositeEnergies([0]), []);
	assert.equal(
		phaseReferenced([{ energy: 0.1, kernel: new Float32Array(64) }], 3, {
			kind: "all",
		}),
		{ points: [], changes: [] },
	);
});

test.run();
