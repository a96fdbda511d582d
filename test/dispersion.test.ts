import { test } from "uvu";
import * as assert from "uvu/assert";
import {
	describeDispersion,
	dispersion,
	fitParabola,
	followBranch,
	type ParabolaFit,
	type QPoint,
} from "../src/extraction/findings/dispersion.ts";
import type { Peak } from "../src/extraction/findings/spectrum.ts";
import { kernelImage, kernelModel } from "../src/qpi/generator/generator.ts";
import { Random } from "../src/random.ts";

const AG = { mass: 0.41, bottom: -0.065 };
const qAt = (energy: number, { mass, bottom } = AG) =>
	Math.sqrt((8 * mass * (energy - bottom)) / 7.62);
const ENERGIES = [-0.03, 0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18];
const points = (error = 0.002, energies = ENERGIES): QPoint[] =>
	energies.map((energy) => ({ energy, q: qAt(energy), error }));

function fitted(list: readonly QPoint[]): ParabolaFit {
	const fit = fitParabola(list);
	if (typeof fit === "string") throw new Error(fit);
	return fit;
}

test("points on a parabola give its mass and bottom", () => {
	const fit = fitted(points());
	assert.ok(Math.abs(fit.mass - AG.mass) < 1e-9);
	assert.ok(Math.abs(fit.bottom - AG.bottom) < 1e-9);
	assert.ok(fit.chi2 < 1e-9 && fit.degrees === 6 && fit.used === 8);
	assert.equal(fit.dropped, []);
	// a band that opens downward
	const hole = fitted(
		[0.02, 0.05, 0.08, 0.1].map((energy) => ({
			energy: -energy,
			q: qAt(energy, { mass: 0.3, bottom: 0 }),
			error: 0.002,
		})),
	);
	assert.ok(Math.abs(hole.mass + 0.3) < 1e-9 && Math.abs(hole.bottom) < 1e-9);
});

test("standard errors and covariance are what scatter does", () => {
	const random = new Random(1);
	const error = 0.003;
	const pulls = Array.from({ length: 300 }, () => {
		const fit = fitted(
			points(error).map((p) => ({ ...p, q: p.q + error * random.normal() })),
		);
		const [[vm, cov], [, vb]] = fit.covariance;
		const s = fit.inflation;
		const m = (s * (fit.mass - AG.mass)) / fit.massError;
		const b = (s * (fit.bottom - AG.bottom)) / fit.bottomError;
		return {
			m,
			b,
			both: m * b,
			rho: cov / Math.sqrt(vm * vb),
			chi2: fit.chi2 / fit.degrees,
		};
	});
	const mean = (f: (p: (typeof pulls)[0]) => number) =>
		pulls.reduce((sum, p) => sum + f(p), 0) / pulls.length;
	for (const [name, value] of [
		["mass", mean((p) => p.m ** 2)],
		["bottom", mean((p) => p.b ** 2)],
		["chi2", mean((p) => p.chi2)],
		["covariance", mean((p) => p.both) / mean((p) => p.rho)],
	] as const)
		assert.ok(value > 0.75 && value < 1.3, `${name}: ${value}, expected 1`);
});

test("what all points have in common moves the parabola and scatters none", () => {
	const alone = fitted(points(0.002));
	const common = fitted(
		points(0.002).map((p) => ({ ...p, systematic: 0.003 })),
	);
	assert.is(common.mass, alone.mass);
	assert.is(common.chi2, alone.chi2);
	assert.is(alone.massSystematic, 0);
	assert.ok(
		Math.abs(
			Math.hypot(alone.bottomError, common.bottomSystematic) -
				common.bottomError,
		) < 1e-12,
	);
	// about as much as when it happens, and in proportion
	const shift = 1e-5;
	const after = fitted(points(0.002).map((p) => ({ ...p, q: p.q + shift })));
	const said = (times: number) =>
		fitted(points(0.002).map((p) => ({ ...p, systematic: times * shift })))
			.bottomSystematic;
	const times = said(1) / Math.abs(after.bottom - alone.bottom);
	assert.ok(times > 0.5 && times < 3, `${times}`);
	assert.ok(Math.abs(said(2) / said(1) - 2) < 1e-9);
});

test("errors that are estimates of few draws count for less", () => {
	const known = fitted(points(0.002));
	const vague = fitted(points(0.002).map((p) => ({ ...p, degrees: 11 })));
	const times = vague.massError / known.massError;
	assert.ok(times > 1.1 && times < 1.2, `${times}`);
});

test("one or two outliers are left out and named", () => {
	const random = new Random(2);
	const list = points().map((p, i) => ({
		...p,
		q: i === 2 ? 0.36 : i === 6 ? 0.11 : p.q + 0.002 * random.normal(),
	}));
	const fit = fitted(list);
	assert.equal(
		[...fit.dropped].sort((a, b) => a - b),
		[0.03, 0.15],
	);
	assert.ok(Math.abs(fit.mass - AG.mass) < 3 * fit.massError, `${fit.mass}`);
	const one = points(0.002, ENERGIES.slice(0, 5));
	assert.equal(
		fitted(one.map((p, i) => (i ? p : { ...p, q: 0.3 }))).dropped,
		[-0.03],
	);
	// four points cannot tell which is wrong
	assert.equal(fitted(points(0.002, ENERGIES.slice(0, 4))).dropped, []);
});

test("scatter beyond the errors widens them", () => {
	const random = new Random(3);
	const list = points(0.0005).map((p) => ({
		...p,
		q: p.q + 0.004 * random.normal(),
	}));
	const fit = fitted(list);
	assert.ok(fit.inflation > 3, `${fit.inflation}`);
	assert.ok(Math.abs(fit.mass - AG.mass) < 3 * fit.massError);
});

test("what is no dispersion is refused with the reason", () => {
	assert.match(String(fitParabola([])), /three energies or more.*none/);
	assert.match(String(fitParabola(points(0.002, [0, 0.1]))), /are 2/);
	const flat = points().map((p) => ({ ...p, q: 0.2 }));
	assert.match(String(fitParabola(flat)), /no dispersion/);
	const random = new Random(4);
	const loose = points(0.005).map((p) => ({
		...p,
		q: 0.2 + 0.005 * random.normal(),
	}));
	assert.match(String(fitParabola(loose)), /does not change with the energy/);
	assert.match(
		String(fitParabola(points(0))),
		/error 0, expected both above 0/,
	);
});

const peak = (q: number, prominence = 1): Peak => ({
	q,
	error: 0.002,
	statistical: 0.002,
	systematic: 0,
	height: 1,
	prominence,
	significance: 9,
	share: 0.5,
});

test("a branch is followed past stronger strangers and gaps, in any order of energies", () => {
	const random = new Random(5);
	const candidates = ENERGIES.map((energy, i) => {
		const list = [peak(qAt(energy) + 0.001 * random.normal(), 0.8)];
		if (i === 1 || i === 4) list.push(peak(0.06 + 0.3 * random.uniform(), 1));
		return list.sort((a, b) => b.prominence - a.prominence);
	});
	candidates[3] = [];
	candidates[5] = [peak(0.12)];
	const check = (order: number[]) => {
		const branch = followBranch(
			order.map((i) => ENERGIES[i]),
			order.map((i) => candidates[i]),
		);
		order.forEach((i, k) => {
			const q = branch[k]?.q;
			if (i === 3 || i === 5) assert.is(q, undefined, `energy ${i}`);
			else
				assert.ok(
					q && Math.abs(q - qAt(ENERGIES[i])) < 0.005,
					`energy ${i}: ${q}`,
				);
		});
	};
	check([0, 1, 2, 3, 4, 5, 6, 7]);
	check([5, 2, 7, 0, 1, 3, 6, 4]);
	assert.equal(followBranch([0, 1], [[], []]), [null, null]);
	const lone = peak(0.2);
	assert.equal(followBranch([0, 1], [[], [lone]]), [null, lone]);
});

test("a stack of Ag(111) kernels with noise gives m* and E0 within their errors", () => {
	const random = new Random(6);
	const energies = [-0.02, 0.02, 0.06, 0.1, 0.14];
	const sigma = 0.03;
	const kernels = energies.map((energy) =>
		kernelImage(
			kernelModel({
				number: 1,
				family: "Ag(111)",
				symmetry: 6,
				energy,
				rotation: 0,
				broadening: 0.005,
				band: { kind: "surface", ...AG },
				sites: [{ x: 0, y: 0, phase: 0.6 }],
			}),
		).map((v) => v + sigma * random.normal()),
	);
	kernels[2] = kernels[2].map(() => sigma * random.normal()); // nothing there
	const result = dispersion(energies, kernels, {
		uncertainties: kernels.map((k) => k.map(() => sigma)),
		correlation: 1,
	});
	const { fit, points, reason } = result;
	assert.ok(fit, String(reason));
	assert.is(points[2].peak, null);
	assert.is(fit.used, 4);
	assert.ok(fit.massError < 0.02 && fit.bottomError < 0.006);
	assert.ok(Math.abs(fit.mass - AG.mass) < 3 * fit.massError, `${fit.mass}`);
	assert.ok(Math.abs(fit.bottom - AG.bottom) < 3 * fit.bottomError);
	assert.match(
		describeDispersion(result),
		/^m\* = 0\.4\d* \+- 0\.0\d+ m_e, E0 = -6\S+ \+- \S+ meV \(4 of 5 energies; chi2\/dof = /,
	);
	const none = dispersion(energies.slice(0, 2), kernels.slice(0, 2));
	assert.is(none.fit, null);
	assert.match(describeDispersion(none), /^No parabola: .*three energies/);
});

test("wrong input is named", () => {
	const kernel = new Float64Array(4096);
	assert.throws(() => dispersion([0, 1], [kernel]), /2 energies but 1 kernels/);
	assert.throws(
		() => dispersion([0], [kernel], { samples: [] }),
		/1 energies but 0 samples/,
	);
	assert.throws(
		() => dispersion([Number.NaN], [kernel]),
		/not a finite number/,
	);
});

test.run();
