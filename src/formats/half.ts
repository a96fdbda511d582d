/** IEEE 754 binary16 in software: Float16Array is younger than the oldest Node and browsers that we serve. */

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** The 16 bits nearest to `value` (ties to even); what is beyond 65504 becomes an infinity, NaN stays NaN. */
export function toHalf(value: number): number {
	single[0] = value;
	const bits = word[0];
	const sign = (bits >>> 16) & 0x8000;
	const magnitude = bits & 0x7fffffff;
	if (magnitude > 0x7f800000) return sign | 0x7e00;
	if (magnitude >= 0x47800000) return sign | 0x7c00;
	if (magnitude < 0x38800000) {
		// Subnormal: units of 2^-24. Adding 0.5 puts that unit at the last bit of the float32, whose addition rounds to even.
		word[0] = magnitude;
		single[0] += 0.5;
		return sign | (word[0] - 0x3f000000);
	}
	// Rebias the exponent (127 to 15) and round away 13 bits; a carry into the exponent is the right answer, up to infinity.
	const odd = (magnitude >>> 13) & 1;
	return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** The number that 16 bits stand for. */
export function fromHalf(bits: number): number {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >>> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	if (exponent === 31) return fraction ? NaN : sign * Infinity;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
