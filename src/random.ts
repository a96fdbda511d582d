/**
 * Philox4x32-10 (Salmon et al., SC'11, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator, so that
 * the same numbers can be drawn on the CPU and in a shader (shaders/random.wgsl), in any order, and a run is resumed from two integers.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

function mulhi(a: number, b: number): number {
	const al = a & 0xffff;
	const ah = a >>> 16;
	const bl = b & 0xffff;
	const bh = b >>> 16;
	const mid1 = ah * bl + ((al * bl) >>> 16);
	const mid2 = al * bh + (mid1 & 0xffff);
	return (ah * bh + Math.floor(mid1 / 65536) + Math.floor(mid2 / 65536)) >>> 0;
}

/** Ten Philox rounds: a 128-bit counter and a 64-bit key to four unsigned 32-bit integers. */
export function philox(
	counter: readonly [number, number, number, number],
	key: readonly [number, number],
): [number, number, number, number] {
	let [c0, c1, c2, c3] = counter;
	let [k0, k1] = key;
	for (let round = 0; round < 10; round++) {
		const h0 = mulhi(M0, c0);
		const l0 = Math.imul(M0, c0) >>> 0;
		const h1 = mulhi(M1, c2);
		const l1 = Math.imul(M1, c2) >>> 0;
		c0 = (h1 ^ c1 ^ k0) >>> 0;
		c1 = l1;
		c2 = (h0 ^ c3 ^ k1) >>> 0;
		c3 = l0;
		k0 = (k0 + W0) >>> 0;
		k1 = (k1 + W1) >>> 0;
	}
	return [c0, c1, c2, c3];
}

/** A stream of random numbers; `seed` and `stream`, whole numbers of 32 bits, name it, and `drawn` is its whole state. Throws where they are not. */
export class Random {
	readonly seed: number;
	readonly stream: number;
	/** How many 32-bit integers have been drawn; set it to go on where an earlier run stopped. */
	drawn = 0;
	#block: [number, number, number, number] = [0, 0, 0, 0];
	#blockIndex = -1;

	constructor(seed: number, stream = 0) {
		for (const [name, value] of Object.entries({ seed, stream }))
			if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
				throw new RangeError(
					`Random: ${name} ${value}; expected a whole number from 0 to ${2 ** 32 - 1}`,
				);
		this.seed = seed;
		this.stream = stream;
	}

	/** A uniform 32-bit unsigned integer. */
	uint32(): number {
		const index = Math.floor(this.drawn / 4);
		if (index !== this.#blockIndex) {
			this.#block = philox(
				[index >>> 0, Math.floor(index / 2 ** 32), 0, 0],
				[this.seed, this.stream],
			);
			this.#blockIndex = index;
		}
		return this.#block[this.drawn++ % 4];
	}

	/** Uniform on [0, 1) with 53 bits, or on [low, high). */
	uniform(low = 0, high = 1): number {
		const high26 = this.uint32() >>> 6;
		const low27 = this.uint32() >>> 5;
		return low + ((high26 * 2 ** 27 + low27) / 2 ** 53) * (high - low);
	}

	/** A uniform integer on [low, high). */
	integer(low: number, high: number): number {
		return low + Math.floor(this.uniform() * (high - low));
	}

	/** Standard normal (Box-Muller; the second value is dropped so that the state stays one integer). */
	normal(): number {
		const u = 1 - this.uniform();
		return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.uniform());
	}

	/** Shuffles in place (Fisher-Yates) and returns the same array. */
	shuffle<T>(items: T[]): T[] {
		for (let i = items.length - 1; i > 0; i--) {
			const j = this.integer(0, i + 1);
			[items[i], items[j]] = [items[j], items[i]];
		}
		return items;
	}
}
