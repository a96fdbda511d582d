/**
 * `npm run bench:judge`: whether the judge of marks (src/extraction/kernels/judge.ts) puts the true scatterers first, on small maps of one and two kinds: against half of them, twice as many, one less or more,
 * all moved, random ones, a single one, one kind taken for two, and two for one. Seeded; writes --json FILE.
 */
import { Command } from "commander";
import { positiveWhole } from "../src/cli/command.ts";
import { judgeMarks } from "../src/extraction/kernels/judge.ts";
import type { MapMark } from "../src/extraction/kernels/markedMap.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import { makeMap } from "../src/qpi/generator/maps.ts";
import { Random } from "../src/random.ts";

const { cases, seed, json } = new Command("npm run bench:judge --")
	.option("--cases <n>", "maps", positiveWhole, 100)
	.option("--seed <n>", "seed", positiveWhole, 1)
	.option("--json <file>", "where the figures go")
	.parse()
	.opts<{ cases: number; seed: number; json?: string }>();

type Mark = Required<MapMark>;

/** Lists of scatterers that a map might be thought to have. */
function listsOf(
	truth: readonly Mark[],
	side: { readonly x: number; readonly y: number },
	random: Random,
): Record<string, readonly Mark[]> {
	const kinds = Math.max(...truth.map(({ kind }) => kind));
	const anywhere = (mark: Mark): Mark => ({
		...mark,
		x: random.uniform(-0.48, 0.48) * side.x,
		y: random.uniform(-0.48, 0.48) * side.y,
	});
	const first = truth.filter(({ kind }) => kind === 1);
	const split = new Set(
		random.shuffle([...first]).slice(0, Math.floor(first.length / 2)),
	);
	return {
		true: truth,
		// Kinds take turns in the list: half of each.
		half: truth.slice(0, Math.ceil(truth.length / 2)),
		"one less": truth.slice(0, -1),
		double: [...truth, ...truth.map(anywhere)],
		"one more": [...truth, anywhere(truth[0])],
		"off by 3 A": truth.map((mark) => ({
			...mark,
			x: mark.x + 3 * random.normal(),
			y: mark.y + 3 * random.normal(),
		})),
		random: truth.map(anywhere),
		single: truth.slice(0, 1),
		"one kind split": truth.map((mark) =>
			split.has(mark) ? { ...mark, kind: kinds + 1 } : mark,
		),
		...(kinds > 1
			? { "kinds merged": truth.map((mark) => ({ ...mark, kind: 1 })) }
			: {}),
	};
}

interface Row {
	readonly noise: number;
	readonly kinds: number;
	readonly marks: number;
	readonly scores: Readonly<Record<string, number>>;
	readonly explained: Readonly<Record<string, number>>;
}

const began = performance.now();
const rows: Row[] = [];
for (let i = 0; i < cases; i++) {
	const random = new Random(seed, i);
	const kinds = 1 + (i % 2);
	const noise = [0.3, 0.5, 1][Math.floor(i / 2) % 3];
	const marks = kinds * random.integer(14, 21);
	const made = makeMap(
		{ pixels: [128, 104], field: 330, marks, kinds, noise, spread: 0.15 },
		seed,
		i,
	);
	const { image, nx, ny, pixel, scatterers } = made;
	const side = { x: nx * pixel, y: ny * pixel };
	const scores: Record<string, number> = {};
	const explained: Record<string, number> = {};
	for (const [name, list] of Object.entries(
		listsOf(scatterers, side, random),
	)) {
		const map = { image, nx, ny, pixel, marks: list };
		const found = await judgeMarks(map);
		scores[name] = found.score;
		explained[name] = found.explained;
	}
	rows.push({ noise, kinds, marks, scores, explained });
	const [best] = Object.entries(scores).sort(([, a], [, b]) => b - a);
	if (best[0] !== "true")
		console.log(
			`map ${i + 1} (${kinds} ${kinds > 1 ? "kinds" : "kind"}, ${marks} scatterers, noise ${noise}): ${best[0]} ${best[1].toFixed(4)}, true ${scores.true.toFixed(4)}`,
		);
}
const seconds = (performance.now() - began) / 1000;

const mean = (values: readonly number[]) =>
	values.reduce((sum, v) => sum + v, 0) / values.length;
const names = [...new Set(rows.flatMap(({ scores }) => Object.keys(scores)))];
const table = names.map((name) => {
	const here = rows.filter(({ scores }) => name in scores);
	return {
		name,
		cases: here.length,
		score: mean(here.map(({ scores }) => scores[name])),
		explained: mean(here.map(({ explained }) => explained[name])),
		/** How often the true list is put before this one. */
		below: here.filter(({ scores }) => scores[name] < scores.true).length,
	};
});
const first = rows.filter(({ scores }) =>
	Object.entries(scores).every(([n, v]) => n === "true" || v < scores.true),
).length;
console.log("list            score  held out  below the true one");
for (const { name, cases: n, score, explained, below } of table)
	console.log(
		`${name.padEnd(15)} ${score.toFixed(3).padStart(6)}  ${explained.toFixed(3).padStart(6)}   ${name === "true" ? "" : `${below} of ${n}`}`,
	);
console.log(
	`the true list first in ${first} of ${rows.length} maps; ${seconds.toFixed(0)} s`,
);
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ cases, seed, first, seconds, table, rows }, null, "\t")}\n`,
	);
