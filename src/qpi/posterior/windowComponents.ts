/**
 * Patterns over a kernel's window, [n][size x size], as they are projected on and added up. Those that are even or odd in x and in y, as the kernel prior's are, are kept by the
 * quarter of the window, and so is what they are applied to: a fourth of the products.
 */
export class WindowComponents {
	readonly count: number;
	readonly #area: number;
	readonly #groups: readonly Group[];
	/** Nodes along the quarter's side; 0 where patterns are kept whole. */
	readonly #quarter: number;

	private constructor(components: Float32Array, area: number) {
		this.count = area > 0 ? components.length / area : 0;
		this.#area = area;
		const size = Math.round(Math.sqrt(area));
		const parities =
			size * size === area && size % 2 === 1
				? paritiesOf(components, this.count, size)
				: undefined;
		this.#quarter = parities ? (size + 1) / 2 : 0;
		this.#groups = parities
			? quartered(components, parities, size)
			: [
					{
						rows: components,
						places: Int32Array.from({ length: this.count }, (_, c) => c),
					},
				];
	}

	/** The same patterns are folded once. */
	static of(components: Float32Array, area: number): WindowComponents {
		const found = known.get(components);
		if (found && found.#area === area) return found;
		const made = new WindowComponents(components, area);
		known.set(components, made);
		return made;
	}

	/** V^T k: each pattern's sum of products with a kernel, [n]. */
	project(kernel: Float64Array): Float64Array {
		const out = new Float64Array(this.count);
		const folded = this.#quarter > 0 ? fold(kernel, this.#quarter) : [kernel];
		this.#groups.forEach(({ rows, places }, g) => {
			const values = folded[g];
			const width = values.length;
			const n = places.length;
			// Four at a time: each value is loaded once for them, and the processor adds them side by side.
			let c = 0;
			for (; c + 4 <= n; c += 4) {
				let [s0, s1, s2, s3] = [0, 0, 0, 0];
				for (let i = 0, k = c * width; i < width; i++, k++) {
					const value = values[i];
					s0 += value * rows[k];
					s1 += value * rows[k + width];
					s2 += value * rows[k + 2 * width];
					s3 += value * rows[k + 3 * width];
				}
				out[places[c]] = s0;
				out[places[c + 1]] = s1;
				out[places[c + 2]] = s2;
				out[places[c + 3]] = s3;
			}
			for (; c < n; c++) {
				let sum = 0;
				for (let i = 0; i < width; i++) sum += values[i] * rows[c * width + i];
				out[places[c]] = sum;
			}
		});
		return out;
	}

	/** V z: the patterns added up with these coefficients, [area]. */
	expand(z: Float64Array): Float64Array {
		const width = this.#quarter > 0 ? this.#quarter ** 2 : this.#area;
		const sums = this.#groups.map(({ rows, places }) => {
			const out = new Float64Array(width);
			const n = places.length;
			let c = 0;
			for (; c + 4 <= n; c += 4) {
				const a0 = z[places[c]];
				const a1 = z[places[c + 1]];
				const a2 = z[places[c + 2]];
				const a3 = z[places[c + 3]];
				for (let i = 0, k = c * width; i < width; i++, k++)
					out[i] +=
						a0 * rows[k] +
						a1 * rows[k + width] +
						a2 * rows[k + 2 * width] +
						a3 * rows[k + 3 * width];
			}
			for (; c < n; c++) {
				const a = z[places[c]];
				for (let i = 0; i < width; i++) out[i] += a * rows[c * width + i];
			}
			return out;
		});
		return this.#quarter > 0 ? unfold(sums, this.#quarter) : sums[0];
	}
}

/** Patterns of one parity, by the quarter, and their places among all. */
interface Group {
	readonly rows: Float32Array;
	readonly places: Int32Array;
}

const known = new WeakMap<Float32Array, WindowComponents>();

/** Signs under a mirror in x and in y. */
const PARITIES = [
	[1, 1],
	[1, -1],
	[-1, 1],
	[-1, -1],
] as const;
/** Of a pattern's largest value: what interpolation leaves of its symmetry is exact to rounding. */
const TOLERANCE = 1e-5;

/** The parity of each pattern, an index of PARITIES; undefined where one has none. */
function paritiesOf(
	components: Float32Array,
	count: number,
	size: number,
): Uint8Array | undefined {
	const area = size * size;
	const parities = new Uint8Array(count);
	for (let c = 0; c < count; c++) {
		const v = components.subarray(c * area, (c + 1) * area);
		let most = 0;
		for (const value of v) most = Math.max(most, Math.abs(value));
		const found = PARITIES.findIndex(([sx, sy]) => {
			for (let x = 0; x < size; x++)
				for (let y = 0; y < size; y++) {
					const here = v[x * size + y];
					const inX = sx * v[(size - 1 - x) * size + y];
					const inY = sy * v[x * size + size - 1 - y];
					if (Math.abs(here - inX) > TOLERANCE * most) return false;
					if (Math.abs(here - inY) > TOLERANCE * most) return false;
				}
			return true;
		});
		if (found < 0) return undefined;
		parities[c] = found;
	}
	return parities;
}

function quartered(
	components: Float32Array,
	parities: Uint8Array,
	size: number,
): Group[] {
	const middle = (size - 1) / 2;
	const quarter = middle + 1;
	return PARITIES.map((_, parity) => {
		const places = Int32Array.from(
			[...parities.keys()].filter((c) => parities[c] === parity),
		);
		const rows = new Float32Array(places.length * quarter * quarter);
		let at = 0;
		for (const c of places)
			for (let i = 0; i < quarter; i++)
				for (let j = 0; j < quarter; j++)
					rows[at++] = components[(c * size + middle + i) * size + middle + j];
		return { rows, places };
	});
}

/** For each parity, what its patterns' quarters meet in a kernel: the sum of its four quarters with their signs. */
function fold(kernel: Float64Array, quarter: number): Float64Array[] {
	const middle = quarter - 1;
	const size = 2 * quarter - 1;
	const out = PARITIES.map(() => new Float64Array(quarter * quarter));
	for (let i = 0; i < quarter; i++) {
		const [here, there] = [(middle + i) * size, (middle - i) * size];
		for (let j = 0; j < quarter; j++) {
			const at = i * quarter + j;
			// Nodes on an axis are their own mirror images, and count once.
			const a = kernel[here + middle + j];
			const b = i > 0 ? kernel[there + middle + j] : 0;
			const c = j > 0 ? kernel[here + middle - j] : 0;
			const d = i > 0 && j > 0 ? kernel[there + middle - j] : 0;
			out[0][at] = a + b + c + d;
			out[1][at] = a + b - c - d;
			out[2][at] = a - b + c - d;
			out[3][at] = a - b - c + d;
		}
	}
	return out;
}

/** A kernel from its parts of each parity, by the quarter. */
function unfold(parts: readonly Float64Array[], quarter: number): Float64Array {
	const middle = quarter - 1;
	const size = 2 * quarter - 1;
	const out = new Float64Array(size * size);
	const [p0, p1, p2, p3] = parts;
	for (let i = 0; i < quarter; i++) {
		const [here, there] = [(middle + i) * size, (middle - i) * size];
		for (let j = 0; j < quarter; j++) {
			const at = i * quarter + j;
			const [a, b, c, d] = [p0[at], p1[at], p2[at], p3[at]];
			if (i > 0 && j > 0) out[there + middle - j] = a - b - c + d;
			if (j > 0) out[here + middle - j] = a - b + c - d;
			if (i > 0) out[there + middle + j] = a + b - c - d;
			out[here + middle + j] = a + b + c + d;
		}
	}
	return out;
}
