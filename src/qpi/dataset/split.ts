/**
 * Which kernels and images a training may see. Kernels stay unseen in two ways, reported apart: an energy left out of a family that is
 * trained on (easy), and a whole family left out (hard). Of a training kernel's images the last ones are held out.
 */
import { Random } from "../../random.ts";
import { said } from "../../text.ts";
import { maxOf } from "../maths/extremes.ts";
import { DatasetError } from "./format.ts";

/** The class of rotational symmetry, n-fold. */
export type Symmetry = 1 | 2 | 3 | 4 | 6;

/** What a split needs to know of a kernel. */
export interface SplitKernel {
	readonly number: number;
	readonly family: string;
	readonly symmetry: Symmetry | undefined;
	/** In eV; kernels of a family are ordered by it, or by their number where it is not known. */
	readonly energy?: number | undefined;
}

/** How to split; `unseenFraction` of the kernels are unseen, half of them by energy and half (rounded up to whole families, where they are drawn) by family. */
export interface SplitOptions {
	readonly seed: number;
	readonly unseenFraction: number;
	readonly heldOutFraction: number;
	/** At most so many images of a kernel are trained on. */
	readonly maxTraining: number;
}

/** Kernel numbers of each part, ascending and disjoint; plain JSON. */
export interface Split extends SplitOptions {
	readonly train: number[];
	readonly unseenEnergy: number[];
	readonly unseenFamily: number[];
}

/** Labels of the published set (REFERENCE of the data repository): first, last, class. */
const PUBLISHED: readonly (readonly [number, number, Symmetry])[] = [
	[10, 27, 2],
	[28, 45, 4],
	[46, 63, 6],
	[64, 81, 3],
	[91, 99, 2],
	[100, 100, 3],
];

/** The n-fold label of kernel N of the published set; undefined beyond its 100 kernels. */
export function publishedSymmetry(number: number): Symmetry | undefined {
	if (number < 1 || number > 100) return undefined;
	const run = PUBLISHED.find(([a, b]) => number >= a && number <= b);
	if (run) return run[2];
	return number % 3 === 0 ? 4 : 1; // 1-9 and 82-90: every third is 4-fold
}

/**
 * A family for kernel N of a folder without our manifest. The published list names none, but all its label runs begin and end at multiples of nine,
 * so a family is taken to be a block of nine (1-9, 10-18, ...) within one label, ordered by number in place of energy.
 * @param labelled whether the list is this set's
 */
export function publishedFamily(number: number, labelled = true): string {
	const first = number - ((number - 1) % 9);
	const symmetry = labelled && publishedSymmetry(number);
	return `${first}-${first + 8}${symmetry ? ` ${symmetry}-fold` : ""}`;
}

const DEFAULTS = {
	unseenFraction: 0.2,
	heldOutFraction: 0.2,
	maxTraining: 250,
};

function grouped<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
	const groups = new Map<K, T[]>();
	for (const item of items) {
		const group = groups.get(key(item));
		if (group) group.push(item);
		else groups.set(key(item), [item]);
	}
	return groups;
}

/**
 * Draws a split, the same one for the same kernels and seed. Families left out take turns among the symmetry classes, and a class's only family stays in training
 * unless there is no other choice. An energy left out is interior to its family where the family has three or more. Small sets may get
 * empty parts; training is only where all families are named. Throws RangeError on fractions outside [0, 1), no kernels, or a number that comes twice.
 */
export function makeSplit(
	kernels: readonly SplitKernel[],
	options: Partial<SplitOptions> & {
		readonly seed: number;
		/** Left out, those of them that are there, in place of families that are drawn. */
		readonly unseenFamilies?: readonly string[] | undefined;
	},
): Split {
	const settings: SplitOptions = {
		seed: options.seed,
		unseenFraction: options.unseenFraction ?? DEFAULTS.unseenFraction,
		heldOutFraction: options.heldOutFraction ?? DEFAULTS.heldOutFraction,
		maxTraining: options.maxTraining ?? DEFAULTS.maxTraining,
	};
	const fault = optionsFault(settings);
	if (fault) throw new RangeError(`makeSplit: ${fault}`);
	if (kernels.length === 0) throw new RangeError("makeSplit: no kernels");
	const sorted = kernels.toSorted((a, b) => a.number - b.number);
	for (let i = 1; i < sorted.length; i++)
		if (sorted[i].number === sorted[i - 1].number)
			throw new RangeError(`makeSplit: kernel ${sorted[i].number} comes twice`);

	const target = (settings.unseenFraction * sorted.length) / 2;
	const random = new Random(settings.seed, 0x5b117);
	const left = new Map(grouped(sorted, (k) => k.family));
	const given = options.unseenFamilies;
	const unseenFamily = given ? [] : drawFamilies(left, target, random);
	for (const family of given ?? []) take(left, family, unseenFamily);
	const unseenEnergy = drawEnergies([...left.values()], target, random);
	const unseen = new Set([...unseenFamily, ...unseenEnergy]);
	const numbers = (list: readonly number[]) => list.toSorted((a, b) => a - b);
	return {
		...settings,
		train: sorted.map((k) => k.number).filter((n) => !unseen.has(n)),
		unseenEnergy: numbers(unseenEnergy),
		unseenFamily: numbers(unseenFamily),
	};
}

/** Moves a family's numbers from `left` to `taken`. */
function take(
	left: Map<string, SplitKernel[]>,
	family: string,
	taken: number[],
): void {
	for (const { number } of left.get(family) ?? []) taken.push(number);
	left.delete(family);
}

/** Takes whole families out of `left` until `target` kernels are gone; returns their numbers. */
function drawFamilies(
	left: Map<string, SplitKernel[]>,
	target: number,
	random: Random,
): number[] {
	const families = random.shuffle([...left.values()]);
	const total = families.flat().length;
	const classes = random.shuffle([
		...grouped(families, (family) => family[0].symmetry).values(),
	]);
	const taken: number[] = [];
	if (target === 0) return taken;
	const turns = maxOf(classes.map((queue) => queue.length));
	for (let turn = 0; turn < turns; turn++)
		for (const queue of classes) {
			// The last family of a class stays, and so does one that is much too large.
			const family = turn < queue.length - 1 ? queue[turn] : undefined;
			const most = Math.max(2 * target, total / 4);
			if (
				family &&
				taken.length < target &&
				taken.length + family.length <= most
			)
				take(left, family[0].family, taken);
		}
	const smallest = families.toSorted((a, b) => a.length - b.length)[0];
	if (taken.length === 0 && smallest.length <= total / 2)
		take(left, smallest[0].family, taken);
	return taken;
}

/** One energy of each family in turn, then a second and so on, until `target` kernels are gone; at least two energies of a family stay, or one of two. */
function drawEnergies(
	families: readonly SplitKernel[][],
	target: number,
	random: Random,
): number[] {
	const taken: number[] = [];
	const ladders = random.shuffle(
		families.map((family) =>
			[...grouped(family, (k) => k.energy ?? k.number).entries()]
				.toSorted((a, b) => a[0] - b[0])
				.map(([, kernels]) => kernels),
		),
	);
	for (let round = 0; taken.length < target; round++) {
		let drawn = false;
		for (const ladder of ladders) {
			const fewest = round === 0 ? 2 : 3;
			if (ladder.length < fewest || taken.length >= target) continue;
			const interior = ladder.length > 2;
			const at = interior
				? random.integer(1, ladder.length - 1)
				: random.integer(0, ladder.length);
			for (const { number } of ladder.splice(at, 1)[0]) taken.push(number);
			drawn = true;
		}
		if (!drawn) break;
	}
	return taken;
}

/** Which of a kernel's `count` images are trained on, `[0, training)`, and which are held out, `[heldOutFrom, count)`: the last 20 % by default, at least one of two. */
export function splitObservations(
	count: number,
	split: Pick<SplitOptions, "heldOutFraction" | "maxTraining">,
): { training: number; heldOutFrom: number } {
	const wanted = Math.round(count * split.heldOutFraction);
	const heldOut =
		count > 1 && split.heldOutFraction > 0
			? Math.min(count - 1, Math.max(1, wanted))
			: 0;
	const heldOutFrom = count - heldOut;
	return { training: Math.min(heldOutFrom, split.maxTraining), heldOutFrom };
}

/** The split less the kernels that are not in `numbers` (bad files left out). */
export function restrictSplit(split: Split, numbers: Iterable<number>): Split {
	const there = new Set(numbers);
	const kept = (list: readonly number[]) => list.filter((n) => there.has(n));
	return {
		...split,
		train: kept(split.train),
		unseenEnergy: kept(split.unseenEnergy),
		unseenFamily: kept(split.unseenFamily),
	};
}

function optionsFault(o: SplitOptions): string | undefined {
	if (!Number.isInteger(o.seed))
		return `seed ${said(o.seed)} is not an integer`;
	for (const name of ["unseenFraction", "heldOutFraction"] as const)
		if (!(o[name] >= 0 && o[name] < 1))
			return `${name} ${said(o[name])} is not in [0, 1)`;
	if (!Number.isInteger(o.maxTraining) || o.maxTraining < 1)
		return `maxTraining ${said(o.maxTraining)} is not a positive integer`;
	return undefined;
}

/** Checks a split that was read from JSON; `file` is the name that errors give. With `numbers`, each of these kernels must be in exactly one part, and no other. Throws DatasetError. */
export function readSplit(
	json: unknown,
	file: string,
	numbers?: Iterable<number>,
): Split {
	const expected = "a split";
	if (typeof json !== "object" || json === null)
		throw new DatasetError(file, said(json), expected);
	const split = json as Split;
	const fault = optionsFault(split);
	if (fault) throw new DatasetError(file, fault, expected);
	const seen = new Map<number, string>();
	for (const part of ["train", "unseenEnergy", "unseenFamily"] as const) {
		const list: unknown = split[part];
		if (!Array.isArray(list))
			throw new DatasetError(file, `no list "${part}"`, expected);
		for (const n of list) {
			if (!Number.isInteger(n) || n < 1)
				throw new DatasetError(
					file,
					`${said(n)} in "${part}"`,
					"a kernel's number",
				);
			if (seen.has(n))
				throw new DatasetError(
					file,
					`kernel ${n} in "${seen.get(n)}" and in "${part}"`,
					"each kernel once",
				);
			seen.set(n, part);
		}
	}
	if (numbers) {
		const there = new Set(numbers);
		for (const n of there)
			if (!seen.has(n))
				throw new DatasetError(file, `kernel ${n} in no part`, expected);
		for (const n of seen.keys())
			if (!there.has(n))
				throw new DatasetError(
					file,
					`kernel ${n} in the split`,
					"only kernels of this dataset",
				);
	}
	return {
		seed: split.seed,
		unseenFraction: split.unseenFraction,
		heldOutFraction: split.heldOutFraction,
		maxTraining: split.maxTraining,
		train: [...split.train],
		unseenEnergy: [...split.unseenEnergy],
		unseenFamily: [...split.unseenFamily],
	};
}
