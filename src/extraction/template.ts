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

	/** What `image` (zero outside and where the field does not count) holds around a place, in the window. */
	gather(
		{ image, weight, nx, ny }: Field,
		{ x, y }: { readonly x: number; readonly y: number },
	): Float64Array {
		const seen = image.map((v, p) => v * weight[p]);
		return this.#gather(seen, nx, ny, x, y);
	}

	#gather(seen: Float64Array, nx: number, ny: number, x: number, y: number) {
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
			for (const { x, y, amplitude } of places) {
				const patch = this.#gather(image, nx, ny, x, y);
				for (let l = 0; l < sum.length; l++) sum[l] += amplitude * patch[l];
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

	/** The matched filter: at each pixel the amplitude that fits `image` best; 0 where less than a quarter of the pattern's power is seen. */
	match({ weight, nx, ny }: Field, image: Float64Array): Float64Array {
		const { hx, hy, values } = this;
		const height = 2 * hy + 1;
		const enough = dot(values, values) / 4;
		const out = new Float64Array(nx * ny);
		for (let x = 0; x < nx; x++)
			for (let y = 0; y < ny; y++) {
				let [sum, norm] = [0, 0];
				for (
					let jx = Math.max(0, x - hx);
					jx <= Math.min(nx - 1, x + hx);
					jx++
				) {
					const row = (jx - x + hx) * height + hy - y;
					for (
						let jy = Math.max(0, y - hy);
						jy <= Math.min(ny - 1, y + hy);
						jy++
					) {
						const p = jx * ny + jy;
						const t = values[row + jy] * weight[p];
						sum += t * image[p];
						norm += t * t;
					}
				}
				out[x * ny + y] = norm > enough ? sum / norm : 0;
			}
		return out;
	}

	/** Where the pattern's centre of power lies, pixels from lag 0: of what is above a quarter of its largest value, so that noise does not count. */
	centre(): { x: number; y: number } {
		const height = 2 * this.hy + 1;
		const least =
			this.values.reduce((top, v) => Math.max(top, Math.abs(v)), 0) / 4;
		let [x, y, total] = [0, 0, 0];
		this.values.forEach((v, l) => {
			if (Math.abs(v) < least) return;
			x += v * v * (Math.floor(l / height) - this.hx);
			y += v * v * ((l % height) - this.hy);
			total += v * v;
		});
		return total > 0 ? { x: x / total, y: y / total } : { x: 0, y: 0 };
	}
}
