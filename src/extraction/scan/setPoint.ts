/**
 * The set point's part in a stack of dI/dV, and what takes it out: where the feedback holds I at one bias, the tip's height follows the local density of states up to that bias, and
 * divides every layer by it. The normalised conductance (dI/dV)/(I/V) (Feenstra, Stroscio, Fein, Surf. Sci. 181, 295 (1987)) and the ratio g(E)/g(-E) (Hanaguri et al., Nature
 * Phys. 3, 865 (2007)) have no such factor.
 */
import { maxOf } from "../../qpi/maths/extremes.ts";
import { median, robustSigma } from "./scan.ts";

type Images = readonly Float32Array[];

/** Where current and voltage are zero. */
export interface Offsets {
	/** V: taken from every bias. */
	readonly bias: number;
	/** A (the current's unit): taken from every current. */
	readonly current: number;
	/** "crossing": spectra of different height cross there; "mean": the mean I(V) is zero there, and no offset of the current can be told. */
	readonly by: "crossing" | "mean";
}

/** Share of the largest value within which a curve passes for zero: a gap's middle is its middle. */
const NEAR_ZERO = 0.02;
/** Spectra that differ by less, all in all, do not show where they cross. */
const DIFFERENT = 0.02;

/**
 * Where spectra I(V) cross, which is where the voltage is zero and the current its amplifier's offset: there alone does the current not depend on the tip's height. Where all are alike, where their mean
 * is zero.
 * @param current one image a bias
 * @param biases V
 * @throws RangeError where the current has one sign only
 */
export function offsetsOf(current: Images, biases: readonly number[]): Offsets {
	const order = [...biases.keys()].sort((a, b) => biases[a] - biases[b]);
	const volts = order.map((k) => biases[k]);
	const images = order.map((k) => current[k]);
	const means = images.map(meanOf);
	const spreads = images.map((image, k) =>
		covariance(image, image, means[k], means[k]),
	);
	const most = spreads.indexOf(maxOf(spreads));
	if (Math.sqrt(spreads[most]) > DIFFERENT * Math.abs(means[most])) {
		const shared = images.map((image, k) =>
			covariance(image, images[most], means[k], means[most]),
		);
		const sign = volts[most] < 0 ? -1 : 1;
		const bias = crossing(
			shared.map((s) => sign * s),
			volts,
		);
		if (bias !== undefined) {
			const k = Math.max(
				1,
				volts.findIndex((v) => v >= bias),
			);
			return {
				...{ bias, by: "crossing" },
				current: cubicAt(means, volts, k, bias),
			};
		}
	}
	const bias = crossing(means, volts);
	if (bias === undefined)
		throw new RangeError(
			`set point: the current does not change its sign from ${volts[0]} to ${volts[volts.length - 1]} V, expected an I(V) through zero`,
		);
	return { bias, current: 0, by: "mean" };
}

function meanOf(image: Float32Array): number {
	let [sum, n] = [0, 0];
	for (const v of image) if (Number.isFinite(v)) [sum, n] = [sum + v, n + 1];
	return n > 0 ? sum / n : Number.NaN;
}

function covariance(
	a: Float32Array,
	b: Float32Array,
	ma: number,
	mb: number,
): number {
	let [sum, n] = [0, 0];
	a.forEach((v, p) => {
		const product = (v - ma) * (b[p] - mb);
		if (Number.isFinite(product)) [sum, n] = [sum + product, n + 1];
	});
	return n > 0 ? sum / n : 0;
}

/** Where a curve goes through zero, upwards or downwards, nearest to x = 0: the middle of where it is as good as zero. */
function crossing(
	values: readonly number[],
	x: readonly number[],
): number | undefined {
	const near = NEAR_ZERO * maxOf(values.map(Math.abs));
	const found: number[] = [];
	let last = -1;
	values.forEach((v, k) => {
		if (!(Math.abs(v) > near)) return;
		if (last >= 0 && Math.sign(values[last]) !== Math.sign(v)) {
			const level = Math.sign(values[last]) * near;
			found.push(
				k === last + 1
					? levelAt(values, x, k, 0)
					: (levelAt(values, x, last + 1, level) +
							levelAt(values, x, k, -level)) /
							2,
			);
		}
		last = k;
	});
	return found.sort((a, b) => Math.abs(a) - Math.abs(b))[0];
}

/** A curve's value between points k - 1 and k: the cubic through the four about it. */
function cubicAt(
	values: readonly number[],
	x: readonly number[],
	k: number,
	where: number,
): number {
	const first = Math.max(0, Math.min(values.length - 4, k - 2));
	const points = [0, 1, 2, 3].map((i) => first + i).filter((i) => i < x.length);
	return points.reduce(
		(sum, i) =>
			sum +
			points.reduce(
				(term, j) => (j === i ? term : (term * (where - x[j])) / (x[i] - x[j])),
				values[i],
			),
		0,
	);
}

/** Where a curve has a level between points k - 1 and k, at which it lies on either side of it. */
function levelAt(
	values: readonly number[],
	x: readonly number[],
	k: number,
	level: number,
): number {
	let [low, high] = [x[k - 1], x[k]];
	const up = values[k] > values[k - 1];
	for (let turn = 0; turn < 40; turn++) {
		const middle = (low + high) / 2;
		if (cubicAt(values, x, k, middle) < level === up) low = middle;
		else high = middle;
	}
	return (low + high) / 2;
}

export interface Normalised {
	readonly images: Images;
	/** eV */
	readonly energies: readonly number[];
	/** What was done, for people. */
	readonly told: string;
}

/** I/V below this share of its median at the ends of the sweep is as good as zero. */
const FLOOR = 0.05;

/**
 * (dI/dV) / (I/V), both offsets taken away; 1 everywhere of a metal whose I is proportional to V, if the unit of dI/dV fits. In place of I/V stands sqrt((I/V)^2 + c^2), c a twentieth of the median |I/V| at the ends of the sweep: in a
 * gap, where I is nothing but noise, the quotient stays finite. At V = 0 I/V is that of the neighbouring biases.
 * @param conductance one image a bias, in any unit: a lock-in's is brought to that of the current's slope
 */
export function normalisedConductance(
	conductance: Images,
	current: Images,
	biases: readonly number[],
	{ bias, current: zero }: Offsets,
): Normalised {
	const volts = biases.map((v) => v - bias);
	const ratios = staticConductance(current, volts, zero);
	const ends = [Math.min, Math.max].map((most) =>
		ratios[volts.indexOf(most(...volts))].map(Math.abs),
	);
	const floor = (FLOOR * (median(ends[0]) + median(ends[1]))) / 2;
	const scale = slopeScale(conductance, current, volts);
	let [low, all] = [0, 0];
	const images = conductance.map((image, k) =>
		image.map((g, p) => {
			const r = ratios[k][p];
			if (Number.isFinite(r)) all++;
			if (Math.abs(r) < floor) low++;
			return (scale * g) / Math.hypot(r, floor);
		}),
	);
	return {
		images,
		energies: volts,
		told: `(dI/dV)/(I/V): bias offset ${milli(bias)} mV and current offset ${zero.toPrecision(3)} taken away; floor of I/V ${floor.toPrecision(3)}, above ${(100 * (low / Math.max(1, all))).toFixed(1)} % of the values; dI/dV times ${scale.toPrecision(3)} is the slope of I(V)`,
	};
}

const milli = (v: number) => Number((1000 * v).toPrecision(3));

/** I/V of each layer; where V is less than half a step the mean of the neighbouring layers'. */
function staticConductance(
	current: Images,
	volts: readonly number[],
	zero: number,
): Images {
	const order = [...volts.keys()].sort((a, b) => volts[a] - volts[b]);
	const step = median(order.slice(1).map((k, i) => volts[k] - volts[order[i]]));
	const far = order.filter(
		(k) => Math.abs(volts[k]) >= 0.5 * step * (1 - 1e-6),
	);
	const plain = (k: number) => current[k].map((i) => (i - zero) / volts[k]);
	return volts.map((v, k) => {
		if (far.includes(k)) return plain(k);
		const below = far.filter((j) => volts[j] < v).at(-1);
		const above = far.find((j) => volts[j] > v);
		const [a, b] = [below ?? above, above ?? below];
		if (a === undefined || b === undefined) return plain(k);
		const [left, right] = [plain(a), plain(b)];
		return left.map((x, p) => (x + right[p]) / 2);
	});
}

/** What brings a lock-in's dI/dV to the slope of the mean current: by least squares over the inner layers. */
function slopeScale(
	conductance: Images,
	current: Images,
	volts: readonly number[],
): number {
	const order = [...volts.keys()].sort((a, b) => volts[a] - volts[b]);
	const [g, i] = [conductance.map(meanOf), current.map(meanOf)];
	let [both, squares] = [0, 0];
	for (let n = 1; n + 1 < order.length; n++) {
		const [a, k, b] = [order[n - 1], order[n], order[n + 1]];
		both += (g[k] * (i[b] - i[a])) / (volts[b] - volts[a]);
		squares += g[k] ** 2;
	}
	return squares > 0 && both !== 0 ? both / squares : 1;
}

/** Of the median |g(-E)| of its layer: what is below is no denominator. */
const LEAST = 0.05;

/**
 * Z(E) = g(E) / g(-E) for the energies above zero whose opposite was measured too; between layers g(-E) is interpolated. Not a number where g(-E) is as good as zero.
 * @throws RangeError where no energy has its opposite
 */
export function energyRatio(
	conductance: Images,
	energies: readonly number[],
	offset = 0,
): Normalised {
	const shifted = energies.map((e) => e - offset);
	const order = [...shifted.keys()].sort((a, b) => shifted[a] - shifted[b]);
	const lowest = shifted[order[0]];
	const slack = 1e-6 * maxOf(shifted.map(Math.abs));
	const chosen = order.filter(
		(k) => shifted[k] > slack && -shifted[k] >= lowest - slack,
	);
	if (chosen.length === 0 || !(lowest < 0))
		throw new RangeError(
			`ratio g(E)/g(-E): energies from ${milli(lowest)} to ${milli(shifted[order[order.length - 1]])} meV hold none with its opposite, expected both signs`,
		);
	let [lost, all] = [0, 0];
	const images = chosen.map((k) => {
		const opposite = between(conductance, shifted, order, -shifted[k]);
		const least = LEAST * median(opposite.map(Math.abs));
		return conductance[k].map((g, p) => {
			const below = opposite[p];
			if (Number.isFinite(g) && Number.isFinite(below)) all++;
			if (Math.abs(below) > least) return g / below;
			if (Number.isFinite(below)) lost++;
			return Number.NaN;
		});
	});
	return {
		images,
		energies: chosen.map((k) => shifted[k]),
		told: `ratio g(E)/g(-E) of ${chosen.length} energies${offset ? `, bias offset ${milli(offset)} mV taken away` : ""}; ${(100 * (lost / Math.max(1, all))).toFixed(1)} % of the values left out, where g(-E) is below a twentieth of its median`,
	};
}

/** The image at an energy between those measured. */
function between(
	images: Images,
	energies: readonly number[],
	order: readonly number[],
	energy: number,
): Float32Array {
	const above = order.find((k) => energies[k] >= energy - 1e-12) ?? order[0];
	const below = order[Math.max(0, order.indexOf(above) - 1)];
	const width = energies[above] - energies[below];
	const t = width > 0 ? (energy - energies[below]) / width : 1;
	if (t > 1 - 1e-6) return images[above];
	return images[below].map((v, p) => v + t * (images[above][p] - v));
}

/** A current that the feedback holds differs from place to place by less than this share of itself. */
const HELD = 0.05;

/** Whether the feedback held the current in every layer. */
export const isConstantCurrent = (current: Images): boolean =>
	current.length > 0 &&
	current.every((image) => {
		const middle = Math.abs(median(image));
		return middle > 0 && robustSigma(image) < HELD * middle;
	});
