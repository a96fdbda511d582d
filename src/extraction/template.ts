/** One pattern that an image repeats at many places: learned from it, drawn, and looked for. */
import { dot } from "../qpi/ridge.ts";

/** A small image with mean about zero, and where it counts (0 where nothing was measured). */
export interface Field {
	readonly image: Float64Array;
	readonly weight: Float64Array;
	readonly nx: number;
	readonly ny: number;
}

/** A fractional pixel and how strong the pattern is there. */
export interface Place {
	readonly x: number;
	readonly y: number;
	readonly amplitude: number;
}

/** Taps on either side of a Lanczos interpolation. */
const TAPS = 4;

/** The values of a grid between its pixels, zero outside: `width` x `height` points at steps of one pixel from (x, y), by Lanczos interpolation. */
export function interpolate(
	grid: ArrayLike<number>,
	[nx, ny]: readonly [number, number],
	[x, y]: readonly [number, number],
	[width, height]: readonly [number, number],
): Float64Array {
	const [x0, y0] = [Math.floor(x), Math.floor(y)];
	const [a, b] = [taps(x - x0), taps(y - y0)];
	const tall = height + 2 * TAPS - 1;
	const half = new Float64Array(width * tall);
	for (let i = 0; i < width; i++)
		for (let k = 0; k < 2 * TAPS; k++) {
			const ix = x0 + i + k - TAPS + 1;
			if (ix < 0 || ix >= nx) continue;
			const shift = y0 - TAPS + 1;
			const last = Math.min(tall, ny - shift);
			for (let j = Math.max(0, -shift); j < last; j++)
				half[i * tall + j] += a[k] * grid[ix * ny + j + shift];
		}
	const out = new Float64Array(width * height);
	for (let i = 0; i < width; i++)
		for (let j = 0; j < height; j++) {
			let sum = 0;
			for (let k = 0; k < 2 * TAPS; k++) sum += b[k] * half[i * tall + j + k];
			out[i * height + j] = sum;
		}
	return out;
}

/** Steps to the eight neighbours. */
const AROUND = [-1, 0, 1].flatMap((x) =>
	[-1, 0, 1].map((y) => [x, y] as const),
);
/** Correlation with its own inversion from which a pattern counts as even. */
const EVEN = 0.8;

function taps(fraction: number): Float64Array {
	const weights = Float64Array.from({ length: 2 * TAPS }, (_, k) => {
		const d = Math.PI * (k - TAPS + 1 - fraction);
		return Math.abs(d) < 1e-9
			? 1
			: ((Math.sin(d) / d) * Math.sin(d / TAPS)) / (d / TAPS);
	});
	const total = weights.reduce((sum, w) => sum + w, 0);
	return weights.map((w) => w / total);
}

/** The pattern at the lags -hx ... hx, -hy ... hy (pixels), within an ellipse that is a disc on the surface. */
export class Template {
	readonly hx: number;
	readonly hy: number;
	/** (2 hx + 1) x (2 hy + 1), zero outside the ellipse. */
	values: Float64Array;
	/** 1 inside, falling to 0 over the outer fifth of the radius. */
	readonly #taper: Float64Array;

	constructor(hx: number, hy: number) {
		this.hx = hx;
		this.hy = hy;
		const height = 2 * hy + 1;
		this.#taper = Float64Array.from(
			{ length: (2 * hx + 1) * height },
			(_, l) => {
				const x = (Math.floor(l / height) - hx) / (hx + 0.5);
				const y = ((l % height) - hy) / (hy + 0.5);
				const t = Math.max(0, Math.min(1, 5 * Math.hypot(x, y) - 4));
				return Math.cos((Math.PI / 2) * t) ** 2;
			},
		);
		this.values = new Float64Array(this.#taper.length);
	}

	get #size(): [number, number] {
		return [2 * this.hx + 1, 2 * this.hy + 1];
	}

	/** What an image of nx x ny holds around a place, zero outside it, in the window. The image has to be zero where the field does not count. */
	gather(
		seen: Float64Array,
		nx: number,
		ny: number,
		{ x, y }: { readonly x: number; readonly y: number },
	): Float64Array {
		const patch = interpolate(
			seen,
			[nx, ny],
			[x - this.hx, y - this.hy],
			this.#size,
		);
		for (let l = 0; l < patch.length; l++) patch[l] *= this.#taper[l];
		return patch;
	}

	/** Adds amplitude * pattern at a place to an image of nx x ny. */
	addTo(
		image: Float64Array,
		nx: number,
		ny: number,
		{ x, y, amplitude }: Place,
	): void {
		const { hx, hy } = this;
		const [x0, y0] = [Math.round(x), Math.round(y)];
		const [width, height] = this.#size;
		const shifted = interpolate(
			this.values,
			[width, height],
			[x0 - x, y0 - y],
			[width, height],
		);
		for (let i = Math.max(0, hx - x0); i < Math.min(width, nx + hx - x0); i++)
			for (
				let j = Math.max(0, hy - y0);
				j < Math.min(height, ny + hy - y0);
				j++
			)
				image[(x0 + i - hx) * ny + y0 + j - hy] +=
					amplitude * shifted[i * height + j];
	}

	/** sum_j a_j T(r - r_j), zero where the field does not count. */
	render({ nx, ny, weight }: Field, places: readonly Place[]): Float64Array {
		const out = new Float64Array(nx * ny);
		for (const place of places) this.addTo(out, nx, ny, place);
		for (let p = 0; p < out.length; p++) out[p] *= weight[p];
		return out;
	}

	/** Least squares for the pattern at given places: a few steps of conjugate gradients from zero on the damped normal equations. */
	learn(field: Field, places: readonly Place[], iterations = 6): void {
		const { nx, ny } = field;
		const back = (image: Float64Array) => {
			const sum = new Float64Array(this.#taper.length);
			for (const place of places) {
				const patch = this.gather(image, nx, ny, place);
				for (let l = 0; l < sum.length; l++)
					sum[l] += place.amplitude * patch[l];
			}
			return sum;
		};
		const damping =
			(0.3 * places.reduce((sum, { amplitude }) => sum + amplitude ** 2, 0)) /
			places.length;
		const solution = new Float64Array(this.#taper.length);
		const rest = back(field.image.map((v, p) => v * field.weight[p]));
		let direction = rest.slice();
		let power = dot(rest, rest);
		const start = power;
		for (let k = 0; k < iterations && power > 1e-12 * start; k++) {
			this.values = direction;
			const normal = back(this.render(field, places));
			for (let l = 0; l < normal.length; l++)
				normal[l] += damping * direction[l];
			const step = power / dot(direction, normal);
			for (let l = 0; l < solution.length; l++) {
				solution[l] += step * direction[l];
				rest[l] -= step * normal[l];
			}
			const next = dot(rest, rest);
			direction = direction.map((d, l) => rest[l] + (next / power) * d);
			power = next;
		}
		this.values = solution;
	}

	/**
	 * The matched filter: at each pixel the amplitude that fits an image (zero where the field does not count) best; 0 where less than a quarter of the pattern's
	 * power is seen.
	 */
	match({ weight, nx, ny }: Field, seen: Float64Array): Float64Array {
		const { hx, hy, values } = this;
		const height = 2 * hy + 1;
		const total = dot(values, values);
		const all = weight.every((w) => w === 1);
		const out = new Float64Array(nx * ny);
		for (let x = 0; x < nx; x++)
			for (let y = 0; y < ny; y++) {
				const [x0, x1] = [Math.max(0, x - hx), Math.min(nx - 1, x + hx)];
				const [y0, y1] = [Math.max(0, y - hy), Math.min(ny - 1, y + hy)];
				const whole = all && x1 - x0 === 2 * hx && y1 - y0 === 2 * hy;
				let [sum, norm] = [0, whole ? total : 0];
				for (let jx = x0; jx <= x1; jx++) {
					const lag = (jx - x + hx) * height + hy - y;
					const row = jx * ny;
					for (let jy = y0; jy <= y1; jy++)
						sum += values[lag + jy] * seen[row + jy];
					if (whole) continue;
					for (let jy = y0; jy <= y1; jy++)
						norm += (values[lag + jy] * weight[row + jy]) ** 2;
				}
				out[x * ny + y] = norm > total / 4 ? sum / norm : 0;
			}
		return out;
	}

	/**
	 * The pattern's centre, pixels from lag 0: the point about which it is even, T(c + r) = T(c - r), within two pixels of its centre of power (of what is above a quarter of its largest value); for a
	 * pattern that is not nearly even, the centre of power.
	 */
	centre(): { x: number; y: number } {
		const { hx, hy, values } = this;
		const height = 2 * hy + 1;
		const least = values.reduce((top, v) => Math.max(top, Math.abs(v)), 0) / 4;
		let [x, y, power] = [0, 0, 0];
		values.forEach((v, l) => {
			if (Math.abs(v) < least) return;
			x += v * v * (Math.floor(l / height) - hx);
			y += v * v * ((l % height) - hy);
			power += v * v;
		});
		if (power === 0) return { x: 0, y: 0 };
		const mass = { x: x / power, y: y / power };
		// T convolved with itself at twice the centre
		const even = (cx: number, cy: number) => {
			const [width, back] = [2 * hx + 1, values.slice().reverse()];
			const shifted = interpolate(
				back,
				[width, height],
				[-2 * cx, -2 * cy],
				[width, height],
			);
			return dot(values, shifted) / dot(values, values);
		};
		let [cx, cy] = [mass.x, mass.y];
		let best = even(cx, cy);
		for (let step = 1; step > 0.01; step /= 2)
			for (const [dx, dy] of AROUND) {
				const [u, v] = [cx + step * dx, cy + step * dy];
				if (Math.hypot(u - mass.x, v - mass.y) > 2) continue;
				const found = even(u, v);
				if (found > best) [best, cx, cy] = [found, u, v];
			}
		return best > EVEN ? { x: cx, y: cy } : mass;
	}
}
