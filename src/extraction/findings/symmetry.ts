/**
 * Which rotational symmetry about its centre, the middle of the image, a kernel supports: judged by its angular harmonics (harmonics.ts), for an n-fold kernel has those with m a
 * multiple of n, an isotropic one m = 0 alone.
 */
import {
	excess,
	mapNoise,
	match,
	spreadNoise,
	withGroups,
} from "./angularNoise.ts";
import {
	HARMONICS,
	harmonicsOf,
	meanSquare,
	overlap,
	ripples,
	type Waves,
} from "./harmonics.ts";
import { extent, sideOf } from "./radial.ts";
import type { Order } from "./rotate.ts";
import {
	ripplesOf,
	stretchOf,
	wavesOf,
	withoutSystematics,
} from "./systematics.ts";

export { type Order, rotate, symmetrise } from "./rotate.ts";

export interface SymmetryOptions {
	/** One standard deviation: of every pixel, or one for all. Without it and `samples` only `tolerance` decides. */
	uncertainty?: ArrayLike<number> | number;
	/** How many pixels err together, 4 by default (2 x 2), 1 for white noise. */
	correlation?: number;
	/** Kernels drawn from the posterior (8 or more): their spread is the error, in place of `uncertainty`. */
	samples?: readonly ArrayLike<number>[];
	/** Kernels with one of 4 or more groups of scatterers left out each: a jackknife, whose errors also hold wrong marks, background and misfit. */
	groups?: readonly ArrayLike<number>[];
	/** The order of the rotation that was imposed on the kernel and on its errors, 1 by default (none): other harmonics have nothing left but rounding, and are not tested. */
	imposed?: number;
	/** Pixels from the middle where the ripples end: by default where the kernel does (zeros, or no more than noise), at most the inscribed circle. */
	radius?: number;
	/** Standard deviations from which a harmonic is significant; 4 by default, for 60 are tried (12 orders, three parts and two shapes). */
	significance?: number;
	/** Share of the ripples' power below which a harmonic is put down to what the errors do not cover; 0.01 by default. */
	tolerance?: number;
}

export interface SymmetryScore {
	readonly order: Exclude<Order, 1>;
	/**
	 * Correlation of the ripples with themselves turned by 2 pi / order ("isotropic": mean over all angles), pixels weighted alike, means removed. The isotropic part correlates
	 * under any turn.
	 */
	readonly whole: number;
	/** The same of what is left when each ring's mean is taken off, the noise's expected power taken off too; null when nothing significant is left. "isotropic" has none. */
	readonly anisotropic: number | null;
	/** The significant harmonics that contradict this order. */
	readonly against: readonly number[];
	readonly rejected: boolean;
}

export interface Harmonic {
	readonly m: number;
	/** Share of the ripples' power (mean removed), noise and what systematic errors explain taken off; all shares and the isotropic one add up to 1 at most. */
	readonly share: number;
	/** Standard deviations above noise, the greatest over three parts of the ripples and two shapes, an amplitude and a q that go round with m; null when no errors are known, or another symmetry was imposed. */
	readonly significance: number | null;
	readonly significant: boolean;
}

export interface SymmetryVerdict {
	/** The highest order that no significant harmonic contradicts: 6 over 4 over 3 over 2, "isotropic" when none is significant. */
	readonly order: Order;
	readonly scores: readonly SymmetryScore[];
	readonly harmonics: readonly Harmonic[];
	/** The best mirror axis (radians from x, modulo pi) and the correlation of the anisotropic part with its mirror image; null where `anisotropic` is. */
	readonly mirror: { readonly axis: number; readonly score: number } | null;
	/** One sentence. */
	readonly why: string;
}

const ORDERS = ["isotropic", 6, 4, 3, 2] as const;
/**
 * Which rotational symmetry the ripples of an n x n kernel support: outside the core (one wavelength), about the scatterer, less what an elongated tip, the pixel grid and a
 * background explain (systematics.ts). "Supports" means: is not contradicted; a weak anisotropy below the noise is not seen.
 * @throws Error when an image is not square or not finite, sizes differ, or there are fewer than 8 samples or 3 groups
 */
export function testSymmetry(
	kernel: ArrayLike<number>,
	options: SymmetryOptions = {},
): SymmetryVerdict {
	const { samples, uncertainty, groups, correlation = 4 } = options;
	const { imposed = 1, significance: least = 4, tolerance = 0.01 } = options;
	const n = checked(kernel, options);
	const end = options.radius ?? extent(kernel, n, { samples, uncertainty });
	const { zone, q } = ripplesOf(kernel, n, end);
	const rings = ripples(kernel, zone);
	const raw = rings.map(harmonicsOf);
	const shapes = wavesOf(raw, zone);
	const waves = withoutSystematics(kernel, raw, shapes, zone, q);
	const plain = samples
		? spreadNoise(samples, zone)
		: uncertainty === undefined
			? null
			: mapNoise(uncertainty, zone, correlation);
	const noise = groups ? withGroups(plain, groups, zone) : plain;

	// area weights: a ring counts as r pixels
	const weigh = (f: (k: number) => number) =>
		zone.radii.reduce((sum, r, k) => sum + r * f(k), 0);
	const area = weigh(() => 1);
	const mean = weigh((k) => raw[k].re[0]) / area;
	const isotropic = weigh((k) => (raw[k].re[0] - mean) ** 2);
	const uneven = weigh((k) => meanSquare(rings[k]) - raw[k].re[0] ** 2);
	const total = isotropic + uneven;
	const expected = noise ? weigh((k) => noise.uneven[k]) : 0;
	const signal = uneven - expected;
	const powers = Array.from({ length: HARMONICS }, (_, i) => {
		const m = i + 1;
		const floor = noise ? weigh((k) => 2 * noise.power[k][m]) : 0;
		const power = weigh((k) => 2 * powerAt(waves[k], m));
		return Math.max(0, power - floor);
	});
	const flat = noise ? weigh((k) => noise.power[k][0]) : 0;
	const all =
		Math.max(0, isotropic - flat) +
		Math.max(
			signal,
			powers.reduce((sum, p) => sum + p, 0),
		);

	const stretch = stretchOf(raw, zone.radii);
	const harmonics: Harmonic[] = [];
	for (let m = 1; m <= HARMONICS; m++) {
		if (m % imposed !== 0) {
			const untested = { significance: null, significant: false };
			harmonics.push({ m, share: 0, ...untested });
			continue;
		}
		const share = all > 0 ? powers[m - 1] / all : 0;
		const significance =
			noise &&
			Math.max(
				excess(
					noise.power.map((row, k) => powerAt(waves[k], m) / row[m]),
					m,
					zone.radii,
					noise,
				),
				...[shapes[m], stretch].map((shape) =>
					match(waves, m, shape, zone.radii, noise),
				),
			);
		harmonics.push({
			m,
			share,
			significance,
			significant: share > tolerance && (significance ?? least) >= least,
		});
	}
	const significant = harmonics.filter((h) => h.significant);
	// What is left off the rings' means has about as many independent values as the zone has pixels.
	const anisotropic =
		significant.length > 0 &&
		signal > 3 * expected * Math.sqrt(correlation / (Math.PI * area));
	const scores = ORDERS.map((order): SymmetryScore => {
		const against = significant
			.filter(({ m }) => order === "isotropic" || m % order !== 0)
			.map(({ m }) => m);
		const rejected = against.length > 0;
		if (order === "isotropic")
			return {
				order,
				whole: total ? isotropic / total : 1,
				anisotropic: null,
				against,
				rejected,
			};
		const turned = weigh((k) => overlap(rings[k], order) - raw[k].re[0] ** 2);
		return {
			order,
			whole: total ? (isotropic + turned) / total : 1,
			anisotropic: anisotropic
				? Math.max(-1, Math.min(1, turned / signal))
				: null,
			against,
			rejected,
		};
	});
	const order = scores.find((score) => !score.rejected)?.order ?? 1;
	return {
		order,
		scores,
		harmonics,
		mirror: anisotropic ? bestMirror(raw, weigh) : null,
		why: reason(order, scores, harmonics, noise !== null),
	};
}

const powerAt = ({ re, im }: Waves, m: number) => re[m] ** 2 + im[m] ** 2;

/** The image's side, once the input is found to be in order. */
function checked(
	kernel: ArrayLike<number>,
	{ samples, uncertainty, groups, radius }: SymmetryOptions,
): number {
	const n = sideOf(kernel, "testSymmetry");
	const circle = (n - 1) / 2;
	if (radius !== undefined && !(radius >= 4 && radius <= circle))
		throw new Error(
			`testSymmetry: expected a radius of 4 to ${circle} pixels, got ${radius}`,
		);
	const lists = {
		sample: samples ?? [],
		uncertainty:
			typeof uncertainty === "object" && !samples ? [uncertainty] : [],
		"kernel of a group": groups ?? [],
	};
	for (const [name, list] of Object.entries(lists))
		for (const other of list)
			if (sideOf(other, "testSymmetry") !== n)
				throw new Error(
					`testSymmetry: the kernel has ${n * n} pixels, its ${name} ${other.length}`,
				);
	if (samples && samples.length < 8)
		throw new Error(
			`testSymmetry: expected at least 8 samples, got ${samples.length}`,
		);
	if (groups && groups.length < 3)
		throw new Error(
			`testSymmetry: expected at least 3 groups, got ${groups.length}`,
		);
	return n;
}

function reason(
	order: Order,
	scores: readonly SymmetryScore[],
	harmonics: readonly Harmonic[],
	known: boolean,
): string {
	const show = (m: number) => {
		const { share, significance } = harmonics[m - 1];
		const sigma =
			significance === null
				? ""
				: `, ${significance.toFixed(0)} sigma above noise`;
		return `m = ${m} (${(100 * share).toFixed(1)} % of the power${sigma})`;
	};
	const strongest = (list: readonly number[]) =>
		[...list].sort(
			(a, b) => harmonics[b - 1].share - harmonics[a - 1].share,
		)[0];
	const all = scores[0].against;
	const by = known
		? "the errors"
		: "the tolerance (the kernel's errors are unknown)";
	if (order === "isotropic")
		return `Isotropic: no angular harmonic of the ripples up to m = ${HARMONICS} stands out by ${by}.`;
	if (order === 1)
		return `No rotational symmetry: the strongest harmonic is ${show(strongest(all))}, and every order from 2 to 6 is contradicted by ${scores
			.slice(1)
			.map((s) => show(strongest(s.against)))
			.filter((text, i, list) => list.indexOf(text) === i)
			.join(" or ")}.`;
	const score = scores.find((s) => s.order === order);
	const correlation =
		score?.anisotropic == null
			? ""
			: `; turned by ${360 / order} degrees its anisotropic part correlates with itself by ${score.anisotropic.toFixed(2)}`;
	return `${order}-fold: not isotropic because of ${show(strongest(all))}, and by ${by} no harmonic that is not a multiple of ${order}${correlation}.`;
}

/** Axes that are tried, over pi. */
const AXES = 192;

/** Mirrored about the axis phi, K(r, theta) becomes K(r, 2 phi - theta), and a_m becomes its conjugate times exp(-2i m phi). */
function bestMirror(
	waves: readonly Waves[],
	weigh: (f: (k: number) => number) => number,
): { axis: number; score: number } {
	const orders = Array.from({ length: HARMONICS }, (_, i) => i + 1);
	const squares = orders.map((m) => {
		const [re, im] = [
			weigh((k) => waves[k].re[m] ** 2 - waves[k].im[m] ** 2),
			weigh((k) => 2 * waves[k].re[m] * waves[k].im[m]),
		];
		return { m, re, im, all: weigh((k) => powerAt(waves[k], m)) };
	});
	const all = squares.reduce((sum, s) => sum + s.all, 0);
	let best = { axis: 0, score: Number.NEGATIVE_INFINITY };
	for (let i = 0; i < AXES; i++) {
		const axis = (Math.PI * i) / AXES;
		const score =
			squares.reduce(
				(sum, { m, re, im }) =>
					sum + re * Math.cos(2 * m * axis) - im * Math.sin(2 * m * axis),
				0,
			) / all;
		if (score > best.score) best = { axis, score };
	}
	return best;
}
