/** What lies under the ripples: a polynomial in x and y, and the levels of terraces. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import {
	type Coarse,
	columnsOf,
	exponents,
	factorise,
	normal,
	robustFit,
	surface,
} from "./polynomials.ts";
import { robustSigma, type Scan } from "./scan.ts";

export type Order = 0 | 1 | 2 | 3 | 4;
export const MOST_ORDER = 4;

export interface Background {
	readonly order: number;
	/** Of the products of Legendre polynomials, as `exponents` lists them; the constant is 0, so that the scan keeps its middle. */
	readonly coefficients: Float64Array;
	/** To be taken away from each terrace, the largest's is 0. */
	readonly levels: readonly number[];
	/** Robust standard deviation of what is left. */
	readonly sigma: number;
	/** Share of the robust variance that goes. */
	readonly share: number;
	/** For the orders 1 to 4, where the order was to be chosen. */
	readonly evidence: readonly Evidence[];
}

export interface Evidence {
	/** Power a coefficient over what the signal itself holds in polynomials of the next orders. */
	readonly excess: number;
	/** Power of all coefficients over that of what is left without the four orders. */
	readonly share: number;
}

/** Which terrace a block of the coarse scan belongs to, from 0; -1: none, and it does not count. */
export interface Terraces {
	readonly labels: Int32Array;
	readonly count: number;
}

/** Orders of the polynomials that say what the signal alone holds at wavelengths as long as a background's. */
const SIGNAL = 8;
/** Of these gains the highest quarter does not count; the rest of independent ones have this mean. */
const KEPT = { share: 0.75, mean: 0.37 };
/** An order is taken whose coefficients hold so many times the signal's power, and this share of what is left: ripples alone reach 0.05. */
const LEAST = { excess: 8, share: 0.1 };

/**
 * Fits a polynomial, and a constant for each terrace with it.
 *
 * The order by evidence: with the weights of a robust fit of fourth order, and values beyond three robust sigmas taken as three, each product of polynomials in turn takes
 * some power from the image. Ripples and noise put about as much power into the polynomials of order 5 to 8 as into those of order 1 to 4; a background puts
 * much more into the latter. The highest order is taken that stands out of the former, and is not too small to matter. So the order depends neither on the number of
 * pixels nor on how far the ripples reach, as counts of independent values (AIC, BIC) do.
 */
export function fitBackground(
	coarse: Coarse,
	order: Order | "auto",
	terraces?: Terraces,
): Background {
	const { values } = coarse;
	const all = columnsOf(coarse, order === "auto" ? SIGNAL : order);
	const steps = stepColumns(terraces);
	// Terraces come first: a staircase is no tilt.
	const columns = (n: number) => [
		all[0],
		...steps.columns,
		...all.slice(1, exponents(n).length),
	];
	const counted = terraces
		? values.map((v, p) => (terraces.labels[p] < 0 ? Number.NaN : v))
		: values;
	const found = order === "auto" ? evidence(counted, columns) : [];
	const speaks = (e: Evidence) =>
		e.excess > LEAST.excess && e.share > LEAST.share;
	const chosen = order === "auto" ? found.findLastIndex(speaks) + 1 : order;
	const fit = robustFit(columns(chosen), counted);
	const levels = [0, ...fit.coefficients.slice(1, 1 + steps.columns.length)];
	const before = robustSigma(counted);
	const rest = fit.coefficients.slice(1 + steps.columns.length);
	return {
		order: chosen,
		coefficients: Float64Array.of(0, ...rest),
		levels: steps.order.map((k) => levels[k]),
		sigma: fit.sigma,
		share: before > 0 ? Math.max(0, 1 - (fit.sigma / before) ** 2) : 0,
		evidence: found,
	};
}

/** What speaks for each order from 1 to 4. */
function evidence(
	values: Float64Array,
	columns: (order: number) => Float64Array[],
): Evidence[] {
	const fit = robustFit(columns(MOST_ORDER), values);
	const most = 3 * fit.sigma;
	const clipped = values.map((v, p) => {
		const r = fit.residual[p];
		return v - r + Math.max(-most, Math.min(most, r));
	});
	const flat = fit.weights.map((w) => (w > 0 ? 1 : 0));
	const used = columns(SIGNAL);
	const { gains } = factorise(normal(used, clipped, flat));
	const constants = used.length - exponents(SIGNAL).length;
	const powers = exponents(SIGNAL).map(
		([a, b], i) => [a + b, gains[i + constants] ** 2] as const,
	);
	const signal = powers
		.filter(([n]) => n > MOST_ORDER)
		.map(([, power]) => power)
		.sort((a, b) => a - b);
	const kept = signal.slice(0, Math.ceil(KEPT.share * signal.length));
	const usual = kept.reduce((sum, v) => sum + v, 0) / kept.length / KEPT.mean;
	const left = clipped.reduce((sum, v, p) => {
		const r = v - values[p] + fit.residual[p];
		return flat[p] ? sum + r * r : sum;
	}, 0);
	return [1, 2, 3, 4].map((order) => {
		const own = powers.filter(([n]) => n === order).map(([, power]) => power);
		const power = own.reduce((sum, v) => sum + v, 0);
		return {
			excess: usual > 0 ? power / own.length / usual : 0,
			share: left > 0 ? power / left : 0,
		};
	});
}

/** Indicators of all terraces but the largest, and at which place of [largest, ...others] each terrace is. */
function stepColumns(terraces: Terraces | undefined): {
	columns: Float64Array[];
	order: number[];
} {
	if (!terraces) return { columns: [], order: [] };
	const { labels, count } = terraces;
	const sizes = new Array(count).fill(0);
	for (const label of labels) if (label >= 0) sizes[label]++;
	const largest = sizes.indexOf(maxOf(sizes));
	const others = [...sizes.keys()].filter((k) => k !== largest);
	return {
		columns: others.map((k) =>
			Float64Array.from(labels, (label) => (label === k ? 1 : 0)),
		),
		order: sizes.map((_, k) => others.indexOf(k) + 1),
	};
}

/** The scan without the polynomial; its middle stays. */
export function removeBackground(
	scan: Scan,
	{ coefficients, order }: Background,
): Scan {
	if (order === 0) return scan;
	const under = surface(scan, coefficients, order);
	return { ...scan, image: scan.image.map((v, p) => v - under[p]) };
}
