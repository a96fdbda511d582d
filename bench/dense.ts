/**
 * `npm run bench:dense`: whether noise or the search limits what is found in dense maps: 200 scatterers of wide patterns on 600x600 A at noise 1, drawn by other formulas than those of our generator and nearer to
 * each other. Beside what is found: in how many scatterers the amplitude would stand out, places and amplitudes of all of them unknown and the patterns known (the Cramer-Rao bound), and what the
 * judge says of the true list. Seeded.
 */
import { Command } from "commander";
import { positiveWhole } from "../src/cli/command.ts";
import { findScatterers } from "../src/extraction/blind/blind.ts";
import { judgeMarks } from "../src/extraction/kernels/judge.ts";
import { compareMarks } from "../src/extraction/marks/compareMarks.ts";
import { markEquations } from "../src/extraction/marks/markEquations.ts";
import { preprocess } from "../src/extraction/preprocess.ts";
import { Random } from "../src/random.ts";

const { seeds } = new Command("npm run bench:dense --")
	.option("--seeds <n>", "maps of each row", positiveWhole, 1)
	.parse()
	.opts<{ seeds: number }>();

const [SIZE, FIELD, MARKS, BORDER] = [256, 600, 200, 6] as const;
const PIXEL = FIELD / SIZE;

type Pattern = (x: number, y: number) => number;
/** Radial waves of a length in Angstrom on a bump of a width. */
const waves =
	(length: number, phase: number, decay: number, bump: number): Pattern =>
	(x, y) => {
		const r = Math.hypot(x, y);
		const ripple = Math.cos((2 * Math.PI * r) / length + phase);
		return (
			bump * Math.exp((-r * r) / 128) +
			(ripple * Math.exp(-r / decay)) / Math.sqrt(1 + r / 4)
		);
	};
const ring = waves(14, 0.7, 25, 0);
/** Least distance, Angstrom, and one pattern a kind. */
const ROWS: readonly [string, number, readonly Pattern[]][] = [
	["waves of 14 A, 11 A apart", 11, [ring]],
	["waves of 28 A, 11 A apart", 11, [waves(28, 2, 40, 0)]],
	["a bump in waves of 28 A, 11 A apart", 11, [waves(28, Math.PI, 40, 2)]],
	["waves of 28 A, 8 A apart", 8, [waves(28, 2, 40, 0)]],
	[
		"a ring and a pair of halves of it, 11 A apart",
		11,
		[ring, (x, y) => (ring(x - 4.5, y) + ring(x + 4.5, y)) / 2],
	],
];

interface Mark {
	readonly x: number;
	readonly y: number;
	readonly kind: number;
	readonly weight: number;
}

function drawn(random: Random, apart: number, patterns: readonly Pattern[]) {
	const marks: Mark[] = [];
	while (marks.length < MARKS) {
		const [x, y] = [0, 0].map(() => random.uniform(-0.49, 0.49) * FIELD);
		if (marks.some((m) => Math.hypot(m.x - x, m.y - y) < apart)) continue;
		const kind = 1 + (marks.length % patterns.length);
		marks.push({ x, y, kind, weight: random.uniform(0.85, 1.15) });
	}
	const clean = Float64Array.from({ length: SIZE * SIZE }, (_, p) => {
		const [x, y] = [at(Math.floor(p / SIZE), SIZE), at(p % SIZE, SIZE)];
		let sum = 0;
		for (const m of marks)
			sum += m.weight * patterns[m.kind - 1](x - m.x, y - m.y);
		return sum;
	});
	const mean = clean.reduce((a, b) => a + b, 0) / clean.length;
	const power = clean.reduce((a, b) => a + (b - mean) ** 2, 0);
	const sigma = Math.sqrt(power / clean.length);
	const image = Float32Array.from(clean, (v) => v + sigma * random.normal());
	return { marks, image, sigma };
}

const at = (i: number, n: number) => (i - (n - 1) / 2) * PIXEL;

/** Of each scatterer its amplitude over the least standard deviation that it can be known with. */
function bound(
	marks: readonly Mark[],
	patterns: readonly Pattern[],
	sigma: number,
): number[] {
	const size = 2 * Math.floor(100 / PIXEL) + 1;
	const kernels = Float64Array.from(
		{ length: patterns.length * size * size },
		(_, i) => {
			const p = i % (size * size);
			return patterns[Math.floor(i / (size * size))](
				at(Math.floor(p / size), size),
				at(p % size, size),
			);
		},
	);
	const pixels = new Float64Array(SIZE * SIZE);
	const { normal } = markEquations(
		{
			...{ nx: SIZE, ny: SIZE, rest: pixels, weights: pixels.map(() => 1) },
			...{ kernels, size, sigma, reach: Math.round(60 / PIXEL) },
		},
		marks.map(({ x, y, weight, kind }) => ({
			...{ x: x / PIXEL + (SIZE - 1) / 2, y: y / PIXEL + (SIZE - 1) / 2 },
			...{ weight, kind: kind - 1 },
		})),
	);
	const variances = inverseDiagonal(normal, 3 * marks.length);
	return marks.map(({ weight }, j) => weight / Math.sqrt(variances[3 * j]));
}

/** Of a positive symmetric matrix given by its lower triangle, by Cholesky. */
function inverseDiagonal(matrix: Float64Array, n: number): Float64Array {
	const low = new Float64Array(n * n);
	for (let i = 0; i < n; i++)
		for (let j = 0; j <= i; j++) {
			let v = matrix[i * n + j];
			for (let k = 0; k < j; k++) v -= low[i * n + k] * low[j * n + k];
			low[i * n + j] = i === j ? Math.sqrt(v) : v / low[j * n + j];
		}
	const out = new Float64Array(n);
	const column = new Float64Array(n);
	for (let c = 0; c < n; c++)
		for (let i = c; i < n; i++) {
			let v = i === c ? 1 : 0;
			for (let k = c; k < i; k++) v -= low[i * n + k] * column[k];
			column[i] = v / low[i * n + i];
			out[c] += column[i] ** 2;
		}
	return out;
}

for (const [name, apart, patterns] of ROWS)
	for (let seed = 1; seed <= seeds; seed++) {
		const { marks, image, sigma } = drawn(new Random(seed), apart, patterns);
		const standing = bound(marks, patterns, sigma);
		const spacing = { x: PIXEL, y: PIXEL };
		const { scan, weights, order } = preprocess({
			...{ image, nx: SIZE, ny: SIZE, spacing },
		});
		const map = { nx: SIZE, ny: SIZE, pixel: PIXEL, weights, order };
		const before = process.cpuUsage();
		const found = await findScatterers({ ...map, images: [scan.image] });
		const { user, system } = process.cpuUsage(before);
		const visible = marks.map(({ x, y }) =>
			[x, y].every((v) => Math.abs(v) < FIELD / 2 - BORDER),
		);
		const count = visible.filter(Boolean).length;
		const pairs = compareMarks(found.marks, marks).flatMap((k) => k.pairs);
		const seen = pairs.filter(({ truth }) => visible[truth]).length;
		const clear = standing.filter((z, j) => visible[j] && z > 5.5).length;
		const judged = { ...map, image: scan.image };
		const [own, real] = await Promise.all(
			[found.marks, marks].map((list) =>
				judgeMarks({ ...judged, marks: [...list] }),
			),
		);
		console.log(
			`${name}, seed ${seed}: ${found.kinds.length} of ${patterns.length} kinds, recall ${(seen / count).toFixed(3)}, precision ${(pairs.length / found.marks.length).toFixed(3)}; beyond 5.5 standard deviations by the bound ${(clear / count).toFixed(3)}; judge ${own.score.toFixed(4)}, of the true list ${real.score.toFixed(4)}; ${((user + system) / 1e6).toFixed(0)} s`,
		);
	}
