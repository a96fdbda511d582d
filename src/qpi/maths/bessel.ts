/**
 * The Hankel function of the first kind and order zero, `H0(z) = J0(z) + i Y0(z)`: the wave that a point scatterer sends out
 * in two dimensions. Power series inside |z| = 12, Hankel's asymptotic series outside (Abramowitz & Stegun 9.1.12, 9.1.13, 9.2.7); both
 * are good to about 1e-10 there.
 */

const EULER = 0.5772156649015329;
const SWITCH = 12;

/**
 * H0 of the first kind at `re + i im`, as `[real, imaginary]`.
 * For Re z > 0 and Im z from 0 to about 3 (weakly damped waves): with strong damping the series loses digits to cancellation.
 */
export function hankel0(re: number, im = 0): [number, number] {
	if (!(re > 0 && im >= 0))
		throw new RangeError(
			`hankel0: expected Re z > 0 and Im z >= 0, got ${re} + ${im}i`,
		);
	return Math.hypot(re, im) < SWITCH ? series(re, im) : asymptotic(re, im);
}

function series(x: number, y: number): [number, number] {
	const qr = (y * y - x * x) / 4; // -z^2/4
	const qi = (-x * y) / 2;
	let [tr, ti, jr, ji, sr, si, harmonic] = [1, 0, 1, 0, 0, 0, 0];
	for (let k = 1; k < 60; k++) {
		[tr, ti] = [(tr * qr - ti * qi) / (k * k), (tr * qi + ti * qr) / (k * k)];
		harmonic += 1 / k;
		jr += tr;
		ji += ti;
		sr -= harmonic * tr;
		si -= harmonic * ti;
		if (Math.abs(tr) + Math.abs(ti) < 1e-18) break;
	}
	// Y0 = (2/pi) [(ln(z/2) + gamma) J0 + sum]
	const lr = Math.log(Math.hypot(x, y) / 2) + EULER;
	const li = Math.atan2(y, x);
	const yr = (2 / Math.PI) * (lr * jr - li * ji + sr);
	const yi = (2 / Math.PI) * (lr * ji + li * jr + si);
	return [jr - yi, ji + yr];
}

function asymptotic(x: number, y: number): [number, number] {
	// sum of i^k a_k / z^k with a_k / a_(k-1) = -(2k - 1)^2 / 8k, stopped at its smallest term
	const norm = x * x + y * y;
	const [wr, wi] = [y / norm, x / norm]; // i / z
	let [tr, ti, sr, si, last] = [1, 0, 1, 0, Number.POSITIVE_INFINITY];
	for (let k = 1; k < 40; k++) {
		const f = -((2 * k - 1) ** 2) / (8 * k);
		[tr, ti] = [f * (tr * wr - ti * wi), f * (tr * wi + ti * wr)];
		const size = Math.abs(tr) + Math.abs(ti);
		if (size > last || size < 1e-17) break;
		last = size;
		sr += tr;
		si += ti;
	}
	const amplitude = Math.sqrt(2 / (Math.PI * Math.sqrt(norm))) * Math.exp(-y);
	const phase = x - Math.PI / 4 - Math.atan2(y, x) / 2;
	const [er, ei] = [amplitude * Math.cos(phase), amplitude * Math.sin(phase)];
	return [er * sr - ei * si, er * si + ei * sr];
}

/** J0(x) ... J_last(x) of the first kind, x >= 0, by downward recurrence (Miller; Abramowitz & Stegun 9.12) to about 1e-14. */
export function besselJ(x: number, last: number): Float64Array {
	const values = new Float64Array(last + 1);
	if (x === 0) {
		values[0] = 1;
		return values;
	}
	let [above, here, norm] = [0, 1e-300, 0];
	for (let m = 2 * Math.ceil(0.55 * Math.max(last, x) + 20); m >= 0; m--) {
		if (m <= last) values[m] = here;
		// J0 + 2 (J2 + J4 + ...) = 1
		if (m % 2 === 0) norm += m ? 2 * here : here;
		const below = ((2 * m) / x) * here - above;
		above = here;
		here = below;
		if (Math.abs(here) > 1e200) {
			here *= 1e-200;
			above *= 1e-200;
			norm *= 1e-200;
			for (let k = m; k <= last; k++) values[k] *= 1e-200;
		}
	}
	return values.map((v) => v / norm);
}
