/**
 * `npm run bench:significance`: whether q* and a dispersion are as good as their errors say, on kernels of known waves with noise, and whether nothing is claimed where nothing is.
 * Seeded; writes --json FILE.
 */
import { Command } from "commander";
import { dispersion } from "../src/extraction/findings/dispersion.ts";
import { judgePeak, profile } from "../src/extraction/findings/spectrum.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { Random } from "../src/random.ts";
import { between, type Drawn, grid, measured, rings } from "./kernels.ts";

const {
	kernels: count,
	filter,
	json,
} = new Command("npm run bench:significance --")
	.description("Coverage of the errors of q*, m* and E0.")
	.option("--kernels <n>", "kernels of each row", Number, 150)
	.option("--filter <text>", "only rows whose name contains it", "")
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ kernels: number; filter: string; json?: string }>();

interface Wanted {
	/** Angstrom. */
	readonly radius: readonly [number, number];
	/** Noise a pixel over the waves' amplitude at one wavelength. */
	readonly noise: readonly [number, number];
	/** Noise that only the groups know of, over that of the samples. */
	readonly unknown: number;
}

/** `Re[exp(i phase) H0(qr/2)^2]` of each q, the same damping and phase, in a window of a radius in Angstrom. */
function wavesOf(
	random: Random,
	wavevectors: readonly number[],
	spacing: number,
	radius: number,
	{ noise, unknown }: Wanted,
): Drawn[] {
	const n = 2 * Math.floor(radius / spacing) + 1;
	const phase = between(random, 0, 2 * Math.PI);
	const decay = between(random, 40, 200) / spacing;
	const level = between(random, ...noise);
	return wavevectors.map((q) => {
		const f = rings(q * spacing, phase, decay);
		return measured(
			random,
			grid(n, (x, y) => f(Math.hypot(x, y))),
			radius / spacing,
			level,
			unknown,
		);
	});
}

const show = (name: string, figures: readonly string[]) =>
	console.log(
		`${name.padEnd(56)}${figures.map((f) => f.padStart(10)).join("")}`,
	);
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const mean = (list: readonly number[]) =>
	list.reduce((sum, v) => sum + v, 0) / list.length;
/** Shares of pulls within one standard deviation and two. */
const covered = (pulls: readonly number[]) =>
	[1, 1.96].map((width) => mean(pulls.map((p) => +(Math.abs(p) <= width))));

const PEAKS: Record<string, Wanted> = {
	"windows of 50 to 80 A": { radius: [50, 80], noise: [0.02, 0.3], unknown: 0 },
	"80 to 150 A": { radius: [80, 150], noise: [0.02, 0.3], unknown: 0 },
	"50 to 150 A, little noise": {
		radius: [50, 150],
		noise: [0.001, 0.01],
		unknown: 0,
	},
	"as much noise again that only the groups know of": {
		radius: [50, 150],
		noise: [0.02, 0.3],
		unknown: 1,
	},
};
show("q* of rings, q spacing = 0.4 to 2.2", [
	...["found", "68 %", "95 %", "bias", "error 1/A", "statist.", "system."],
]);
const peaks = Object.entries(PEAKS).flatMap(([name, wanted], row) => {
	if (!name.includes(filter)) return [];
	const found = Array.from({ length: count }, (_, i) => {
		const random = new Random(2, row * 65536 + i);
		const radius = between(random, ...wanted.radius);
		const spacing = between(random, Math.max(1, radius / 45), 4);
		// at least two wavelengths in the window
		const q = between(
			random,
			Math.max(0.4 / spacing, (4 * Math.PI) / radius),
			2.2 / spacing,
		);
		const [drawn] = wavesOf(random, [q], spacing, radius, wanted);
		const { peak } = judgePeak(profile(drawn.kernel, { ...drawn, spacing }));
		return { peak, q };
	}).flatMap(({ peak, q }) => (peak ? [{ peak, q }] : []));
	const pulls = found.map(({ peak, q }) => (peak.q - q) / peak.error);
	const [one, two] = covered(pulls);
	const figures = {
		name,
		found: found.length / count,
		one,
		two,
		bias: mean(pulls),
		error: mean(found.map(({ peak }) => peak.error)),
		statistical: mean(found.map(({ peak }) => peak.statistical)),
		systematic: mean(found.map(({ peak }) => peak.systematic)),
	};
	show(name, [
		...[figures.found, one, two].map(percent),
		figures.bias.toFixed(2),
		...[figures.error, figures.statistical, figures.systematic].map((v) =>
			v.toFixed(4),
		),
	]);
	return [figures];
});

const STACKS: Record<string, Wanted> = {
	"five to eight energies, some noise": {
		radius: [60, 150],
		noise: [0.05, 0.3],
		unknown: 0,
	},
	"little noise": { radius: [60, 150], noise: [0.001, 0.01], unknown: 0 },
	"as much again that only the groups know of": {
		radius: [60, 150],
		noise: [0.05, 0.3],
		unknown: 1,
	},
};
/** Electron masses; eV; hbar^2 / 8 m_e in eV A^2. */
const [MASS, BOTTOM, PARABOLA] = [0.4, -0.065, 3.81 / 4];
show("m* and E0 of stacks", [
	...["found", "m* 68 %", "95 %", "E0 68 %", "95 %", "chi2/dof"],
	...["error m*", "meV"],
]);
const stacks = Object.entries(STACKS).flatMap(([name, wanted], row) => {
	if (!name.includes(filter)) return [];
	const fits = Array.from({ length: Math.ceil(count / 2) }, (_, i) => {
		const random = new Random(3, row * 65536 + i);
		const radius = between(random, ...wanted.radius);
		const spacing = between(random, Math.max(1.5, radius / 40), 4);
		const energies = Array.from(
			{ length: random.integer(5, 9) },
			(_, e) => -0.01 + 0.03 * e,
		);
		const drawn = wavesOf(
			random,
			energies.map((e) => Math.sqrt(((e - BOTTOM) * MASS) / PARABOLA)),
			spacing,
			radius,
			wanted,
		);
		return dispersion(
			energies,
			drawn.map(({ kernel }) => kernel),
			{
				spacing,
				samples: drawn.map(({ samples }) => samples),
				groups: drawn.map(({ groups }) => groups),
			},
		).fit;
	}).flatMap((fit) => fit ?? []);
	const mass = covered(fits.map((f) => (f.mass - MASS) / f.massError));
	const bottom = covered(fits.map((f) => (f.bottom - BOTTOM) / f.bottomError));
	const figures = {
		name,
		found: fits.length / Math.ceil(count / 2),
		mass,
		bottom,
		chi2: mean(fits.map((f) => f.chi2 / f.degrees)),
		massError: mean(fits.map((f) => f.massError)),
		bottomError: mean(fits.map((f) => f.bottomError)),
	};
	show(name, [
		...[figures.found, ...mass, ...bottom].map(percent),
		figures.chi2.toFixed(2),
		figures.massError.toFixed(4),
		(1000 * figures.bottomError).toFixed(1),
	]);
	return [figures];
});

/** Kernels of which no q* is to be had. */
const NOTHING: Record<string, (random: Random) => Drawn> = {
	"noise in a window": (random) =>
		measured(
			random,
			grid(41, () => 0),
			20,
			1,
			0,
		),
	"noise, half of which only the groups know of": (random) =>
		measured(
			random,
			grid(41, () => 0),
			20,
			1,
			1,
		),
	"a round blob": (random) => {
		const size = between(random, 1, 4);
		return measured(
			random,
			grid(41, (x, y) => Math.exp(-(x * x + y * y) / 2 / size ** 2)),
			20,
			0.03,
			0,
		);
	},
	"the rest of a background": (random) => {
		const [a, b, c] = [0, 0, 0].map(() => random.normal() / 400);
		return measured(
			random,
			grid(41, (x, y) => a * x * x + b * x * y + c * y * y + a * x),
			20,
			0.1,
			0,
		);
	},
	"five groups of scatterers, each of other waves": (random) => {
		const parts = Array.from({ length: 5 }, () => {
			const f = rings(
				between(random, 0.5, 1.8),
				between(random, 0, 2 * Math.PI),
				20,
			);
			return grid(41, (x, y) =>
				Math.hypot(x, y) <= 20 ? f(Math.hypot(x, y)) : 0,
			);
		});
		const sum = parts[0].map((_, p) => parts.reduce((s, k) => s + k[p], 0));
		const { kernel, samples } = measured(
			random,
			sum.map((v) => v / 5),
			20,
			0.02,
			0,
		);
		return {
			kernel,
			samples,
			groups: parts.map((part) => sum.map((v, p) => (v - part[p]) / 4)),
		};
	},
};
show("where there is none", ["claimed", "reason"]);
const nothing = Object.entries(NOTHING).flatMap(([name, make], row) => {
	if (!name.includes(filter)) return [];
	const judged = Array.from({ length: count }, (_, i) => {
		const { kernel, samples, groups } = make(new Random(4, row * 65536 + i));
		return judgePeak(profile(kernel, { samples, groups, spacing: 1 }));
	});
	const claimed = mean(judged.map(({ peak }) => +(peak !== null)));
	show(name, [
		percent(claimed),
		`  ${judged.find(({ missing }) => missing.length)?.missing[0] ?? ""}`,
	]);
	return [{ name, claimed }];
});
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ count, peaks, stacks, nothing }, null, "\t")}\n`,
	);
