/** Amplitudes and places of many scatterers, a step further. */
import type { Site } from "../../qpi/operator/mapOperator.ts";
import {
	type Explained,
	freeAmplitudes,
	markEquations,
} from "../marks/markEquations.ts";

/** What is expected, one standard deviation: of amplitudes about the usual one, relative, and of a step in pixels. */
const EXPECTED = { amplitude: 0.4, shift: 0.5 };
/** Steps of conjugate gradients. */
const STEPS = 40;

export interface Step {
	readonly sites: Required<Site>[];
	/** Amplitudes over their standard deviations, places held. */
	readonly significances: Float64Array;
	/** Standard deviations; of places (pixels) the neighbours taken as known. */
	readonly errors: readonly { weight: number; x: number; y: number }[];
}

/** A Gauss-Newton step of all sites together, their amplitudes about 1 or -1; of hundreds of them, in a small part of the time of adjustSites(), which also knows what it costs in evidence. */
export function step(map: Explained, sites: readonly Required<Site>[]): Step {
	const { normal, toward } = markEquations(map, sites);
	const n = toward.length;
	const unit = toward.map((_, a) =>
		a % 3 ? EXPECTED.shift : EXPECTED.amplitude,
	);
	const right = toward.map((v, a) => {
		const { weight } = sites[Math.floor(a / 3)];
		return a % 3 ? v : v + (Math.sign(weight) - weight) / unit[a] ** 2;
	});
	const change = solved(normal, right, unit);
	const { amplitudes, significances } = freeAmplitudes(
		normal,
		toward.filter((_, a) => a % 3 === 0),
		sites,
	);
	const within = (v: number) =>
		Math.max(-2 * EXPECTED.shift, Math.min(2 * EXPECTED.shift, v));
	const error = (a: number) =>
		1 / Math.sqrt(normal[a * n + a] + 1 / unit[a] ** 2);
	return {
		sites: sites.map((site, j) => ({
			...site,
			weight: site.weight + change[3 * j],
			x: site.x + within(change[3 * j + 1]),
			y: site.y + within(change[3 * j + 2]),
		})),
		significances,
		errors: sites.map((_, j) => ({
			weight: Math.abs(amplitudes[j] / (significances[j] || 1)),
			x: error(3 * j + 1),
			y: error(3 * j + 2),
		})),
	};
}

/** Conjugate gradients for (N + 1 / unit^2) change = toward, N by its lower triangle. */
function solved(
	normal: Float64Array,
	toward: Float64Array,
	unit: Float64Array,
): Float64Array {
	const n = toward.length;
	const product = (v: Float64Array) => {
		const u = v.map((x, a) => x * unit[a]);
		const out = new Float64Array(n);
		for (let a = 0; a < n; a++) {
			const row = a * n;
			let sum = normal[row + a] * u[a];
			for (let b = 0; b < a; b++) {
				const w = normal[row + b];
				if (w === 0) continue;
				sum += w * u[b];
				out[b] += w * u[a];
			}
			out[a] += sum;
		}
		return out.map((x, a) => x * unit[a] + v[a]);
	};
	const x = new Float64Array(n);
	const rest = toward.map((v, a) => v * unit[a]);
	const direction = Float64Array.from(rest);
	let power = rest.reduce((sum, v) => sum + v * v, 0);
	const enough = 1e-6 * power;
	for (let k = 0; k < STEPS && power > enough; k++) {
		const image = product(direction);
		const along = image.reduce((sum, v, a) => sum + v * direction[a], 0);
		const length = power / along;
		let left = 0;
		for (let a = 0; a < n; a++) {
			x[a] += length * direction[a];
			rest[a] -= length * image[a];
			left += rest[a] ** 2;
		}
		for (let a = 0; a < n; a++)
			direction[a] = rest[a] + (left / power) * direction[a];
		power = left;
	}
	return x.map((v, a) => v * unit[a]);
}
