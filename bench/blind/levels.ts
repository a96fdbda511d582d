/** The maps of `npm run bench:blind`: one factor at a time changed about a usual map. */
import type { MapRanges } from "../../src/qpi/generator/maps.ts";

export interface Level {
	/** What is changed, and to what; for people. */
	readonly factor: string;
	readonly level: string;
	readonly ranges: MapRanges;
}

/** One number of each; several of noise and of pixels make no sense here. */
interface Recipe {
	readonly pixels: number;
	readonly field: number;
	readonly marks: number;
	readonly kinds: number;
	readonly noise: number;
	readonly spread: number;
	readonly background: number;
	readonly clusters: number;
	readonly steps: number;
}

const USUAL: Recipe = {
	...{ pixels: 256, field: 500, marks: 60, kinds: 1, noise: 0.5 },
	...{ spread: 0.15, background: 10, clusters: 0, steps: 0 },
};

/** Folder of the maps, factor, level, and what is not as usual. */
const GRID: readonly [string, string, string, Partial<Recipe>][] = [
	["usual", "usual", "", {}],
	["marks-20", "scatterers", "20", { marks: 20 }],
	["marks-120", "scatterers", "120", { marks: 120 }],
	["marks-200", "scatterers", "200", { marks: 200 }],
	["noise-0.1", "noise", "0.1", { noise: 0.1 }],
	["noise-1", "noise", "1", { noise: 1 }],
	["noise-2", "noise", "2", { noise: 2 }],
	["kinds-2", "kinds", "2", { kinds: 2 }],
	["kinds-3", "kinds", "3", { kinds: 3 }],
	["spread-0.3", "amplitudes", "0.7 to 1.3", { spread: 0.3 }],
	["spread-0.6", "amplitudes", "0.4 to 1.6", { spread: 0.6 }],
	["background-0", "background", "none", { background: 0 }],
	["background-40", "background", "40 s.d.", { background: 40 }],
	["clusters", "background", "10 s.d., 3 clusters", { clusters: 3 }],
	["steps", "background", "10 s.d., a step", { steps: 1 }],
	[
		"dense-noisy",
		"dense and noisy",
		"200 on 600x600 A, noise 1",
		{ marks: 200, field: 600, noise: 1, background: 0 },
	],
	[
		"kinds-2-noisy",
		"kinds and noise",
		"2 kinds, 80 scatterers, noise 1",
		{ kinds: 2, marks: 80, noise: 1, background: 0 },
	],
	["empty", "empty", "no scatterer", { marks: 0 }],
];

/** Small ones, to see that all works: a sixteenth of the area. */
const QUICK = { pixels: 96, field: 250 };
const QUICK_LEVELS = ["usual", "noise-1", "kinds-2", "empty"];

/** By folder. */
export const levels = (quick: boolean): Readonly<Record<string, Level>> =>
	Object.fromEntries(
		GRID.filter(([name]) => !quick || QUICK_LEVELS.includes(name)).map(
			([name, factor, level, change]) => {
				const recipe = { ...USUAL, ...change };
				const small = quick
					? { ...recipe, ...QUICK, marks: Math.ceil(recipe.marks / 4) }
					: recipe;
				return [name, { factor, level, ranges: rangesOf(small) }];
			},
		),
	);

const same = (n: number) => [n, n] as const;

function rangesOf(recipe: Recipe): MapRanges {
	const { pixels, kinds, noise, field, marks, spread, ...flaws } = recipe;
	return {
		...{ pixels: [same(pixels)], kinds, noise: [noise] },
		...{ field: same(field), marks: same(marks), spread: same(spread) },
		...{ background: same(flaws.background), clusters: same(flaws.clusters) },
		...{ steps: same(flaws.steps), missingRows: same(0) },
	};
}
