/**
 * `npm run bench:symmetry`: how often the symmetry of a kernel's ripples is found, where everything else is wrong: elongated core or tip, coarse and fine pixels that are averages, a centre
 * between pixels, noise of which part is in no error map, the rest of a background. Seeded; writes --json FILE.
 */
import { Command } from "commander";
import type { Order } from "../src/extraction/findings/rotate.ts";
import { testSymmetry } from "../src/extraction/findings/symmetry.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import {
	kernelImage,
	kernelModel,
	planKernels,
} from "../src/qpi/generator/generator.ts";
import { Random } from "../src/random.ts";
import { between, filtered, grid, measured, middle, rings } from "./kernels.ts";

const {
	kernels: count,
	filter,
	json,
} = new Command("npm run bench:symmetry --")
	.description("How often a kernel's symmetry is found.")
	.option("--kernels <n>", "kernels of each row", Number, 60)
	.option("--filter <text>", "only rows whose name contains it", "")
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ kernels: number; filter: string; json?: string }>();

/** Value of the ripples of the profile `wave` at a place; lengths in wavelengths, about 1 at one of them. */
type Pattern = (wave: (r: number) => number, x: number, y: number) => number;

const round: Pattern = (wave, x, y) => wave(Math.hypot(x, y));
/** The waves' q, or else their amplitude, goes as 1 + depth cos m theta. */
const contour =
	(m: number, depth: number): Pattern =>
	(wave, x, y) =>
		wave(Math.hypot(x, y) * (1 + depth * Math.cos(m * Math.atan2(y, x) + 1)));
const amplitude =
	(m: number, depth: number): Pattern =>
	(wave, x, y) =>
		wave(Math.hypot(x, y)) *
		(1 +
			depth *
				// none at the scatterer itself, all of it a wavelength away
				Math.min(1, Math.hypot(x, y) ** m) *
				Math.cos(m * Math.atan2(y, x) + 1));
/** m scatterers on a circle. */
const cluster =
	(m: number, radius: number): Pattern =>
	(wave, x, y) =>
		Array.from({ length: m }, (_, s) => (2 * Math.PI * s) / m + 0.4).reduce(
			(sum, angle) =>
				sum +
				wave(
					Math.hypot(
						x - radius * Math.cos(angle),
						y - radius * Math.sin(angle),
					),
				) /
					m,
			0,
		);

interface Flaws {
	/** Radians a pixel of the waves. */
	readonly qd: number;
	/** The core's and the tip's longer over its shorter axis; no tip by default. */
	readonly core: number;
	readonly tip?: number;
}

/** Sides of transforms: odd, so that there is a middle pixel. */
const SIDES = [27, 45, 75, 81, 125, 135, 225];
/** Of the ripples one wavelength from the scatterer: the noise, and the background at the window's rim. */
const [NOISE, BACKGROUND] = [
	[0.02, 0.1],
	[0, 0.05],
] as const;

function make(random: Random, pattern: Pattern, { qd, core, tip }: Flaws) {
	const wave = (2 * Math.PI) / qd;
	const longest = qd < 0.7 ? 2.8 : 6;
	const radius = wave * between(random, 2.4, longest);
	const n = 2 * Math.ceil(radius) + 1;
	const side = SIDES.find((size) => size >= n + 14) ?? Number.NaN;
	const f = rings(
		2 * Math.PI,
		between(random, 0, 2 * Math.PI),
		between(random, 2, 8),
	);
	const turn = between(random, 0, Math.PI);
	const [c, s] = [Math.cos(turn), Math.sin(turn)];
	const short = Math.max(0.07 * wave, 0.5) * between(random, 1, 1.6);
	const height = between(random, 2, 8) * (random.uniform() < 0.5 ? -1 : 1);
	const sharp = grid(side, (x, y) => {
		const [u, v] = [(c * x + s * y) / short / core, (c * y - s * x) / short];
		return (
			pattern(f, x / wave, y / wave) + height * Math.exp(-(u * u + v * v) / 2)
		);
	});
	const blur = 0.06 * wave * between(random, 0.7, 1.2);
	const [dx, dy] = [0, 0].map(() => between(random, -0.3, 0.3));
	const box = (q: number) => (q ? Math.sin(q / 2) / (q / 2) : 1);
	const seen = filtered(sharp, side, (qx, qy) => {
		const [a, b] = [c * qx + s * qy, c * qy - s * qx];
		const size =
			box(qx) *
			box(qy) *
			(tip ? Math.exp((-(blur ** 2) * ((tip * a) ** 2 + b * b)) / 2) : 1);
		const phase = -(qx * dx + qy * dy);
		return [size * Math.cos(phase), size * Math.sin(phase)];
	});
	const background = Array.from(
		{ length: 5 },
		() => random.normal() * between(random, ...BACKGROUND),
	);
	const rest = grid(n, (i, j) => {
		const [x, y] = [i / radius, j / radius];
		return [x, y, x * x, x * y, y * y].reduce(
			(sum, v, t) => sum + background[t] * v,
			0,
		);
	});
	const truth = middle(seen, side, n).map((v, p) => v + rest[p]);
	return measured(random, truth, radius, between(random, ...NOISE));
}

/** Kernels of the generator (64 x 64, 6.35 A): those of a family whose name begins so, in turn, with noise of a part of their standard deviation. */
const specs = planKernels(100, 1);
function generated(random: Random, begins: readonly string[], index: number) {
	const family = specs.filter((s) =>
		begins.some((name) => s.family.startsWith(name)),
	);
	const truth = kernelImage(kernelModel(family[index % family.length]));
	const rms = Math.sqrt(truth.reduce((s, v) => s + v * v, 0) / truth.length);
	return measured(
		random,
		Float64Array.from(truth),
		99,
		rms * between(random, 0.05, 0.3),
	);
}

interface Row {
	readonly name: string;
	readonly order: Order;
	readonly make: (random: Random, index: number) => ReturnType<typeof measured>;
}
const any = (random: Random) => between(random, 0.4, 1.8);
const aspect = (random: Random) => between(random, 1.3, 2);
const rounds = (["core", "tip"] as const).flatMap((which) =>
	Object.entries({ coarse: 2.2, fine: 0.4 }).map(
		([pixels, qd]): Row => ({
			name: `round, elongated ${which}, ${pixels} pixels (${qd} radians)`,
			order: "isotropic",
			make: (random) =>
				make(
					random,
					round,
					which === "core"
						? { qd, core: aspect(random) }
						: { qd, core: 1, tip: aspect(random) },
				),
		}),
	),
);
const folds = ([2, 3, 4, 6] as const).flatMap((order): Row[] => {
	const row = (name: string, pattern: (random: Random) => Pattern): Row => ({
		name: `${order}-fold ${name}`,
		order,
		make: (random) =>
			make(random, pattern(random), { qd: any(random), core: 1 }),
	});
	return [
		row("q, by 5 to 12 %", (r) => contour(order, between(r, 0.05, 0.12))),
		row("amplitude, by 30 to 60 %", (r) =>
			amplitude(order, between(r, 0.3, 0.6)),
		),
		row(`cluster, ${order} in a circle, 0.8 to 1.1 wavelengths apart`, (r) =>
			cluster(order, (between(r, 0.8, 1.1) * order) / (2 * Math.PI)),
		),
	];
});
const families: [Order, string[]][] = [
	["isotropic", ["ag111", "cu111", "au111"]],
	[2, ["ellipse"]],
	[3, ["trimer"]],
	[4, ["c4 pocket"]],
	[6, ["warped"]],
];
const ROWS: Row[] = [
	...rounds,
	...folds,
	...families.map(
		([order, names]): Row => ({
			name: `generator's ${names.join(", ")}, 64 x 64`,
			order,
			make: (random, index) => generated(random, names, index),
		}),
	),
];

const show = (name: string, figures: readonly string[]) =>
	console.log(
		`${name.padEnd(58)}${figures.map((f) => f.padStart(10)).join("")}`,
	);
const ORDERS = ["isotropic", 6, 4, 3, 2, 1] as const;
show("kernels found to be", ["right", ...ORDERS.map(String), "ms"]);
const table = ROWS.filter(({ name }) => name.includes(filter)).map((row) => {
	const r = ROWS.indexOf(row);
	const found = new Map<Order, number>(ORDERS.map((o) => [o, 0]));
	let ms = 0;
	for (let i = 0; i < count; i++) {
		const { kernel, samples, groups } = row.make(
			new Random(1, r * 65536 + i),
			i,
		);
		const start = performance.now();
		const verdict = testSymmetry(kernel, { samples, groups });
		ms += (performance.now() - start) / count;
		found.set(verdict.order, (found.get(verdict.order) ?? 0) + 1);
	}
	const right = (found.get(row.order) ?? 0) / count;
	show(row.name, [
		`${(100 * right).toFixed(0)} %`,
		...[...found.values()].map(String),
		ms.toFixed(0),
	]);
	return {
		name: row.name,
		order: row.order,
		right,
		found: Object.fromEntries(found),
	};
});
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ count, table }, null, "\t")}\n`,
	);
