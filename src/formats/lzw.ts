/** TIFF's LZW and PackBits (TIFF 6.0, sections 13 and 9): at most so many bytes come out. */

const CLEAR = 256;
const END = 257;

/** Codes of 9 to 12 bits, high bit first; each but the first after a clear adds one to the table. What is damaged ends early. */
export function lzw(packed: Uint8Array, most: number): Uint8Array {
	const out = new Uint8Array(most);
	// Entry c is what was written at from[c], that long.
	const from = new Uint32Array(4097);
	const length = new Uint32Array(4097);
	let [written, next, width] = [0, 258, 9];
	let [held, bits, at] = [0, 0, 0];
	while (written < most) {
		while (bits < width && at < packed.length) {
			held = ((held << 8) | packed[at++]) & 0xffffff;
			bits += 8;
		}
		if (bits < width) break;
		bits -= width;
		const code = (held >>> bits) & ((1 << width) - 1);
		if (code === END) break;
		if (code === CLEAR) {
			[next, width] = [258, 9];
			continue;
		}
		const begin = written;
		if (code < 256) out[written++] = code;
		else {
			// The newest entry is the last piece and its own first byte.
			if (code >= next) break;
			const end = from[code] + length[code];
			for (let i = from[code]; i < end && written < most; i++)
				out[written++] = out[i];
		}
		// The entry that the next code completes: this piece and one byte more.
		if (next <= 4096) {
			from[next] = begin;
			length[next] = written - begin + 1;
			next++;
		}
		if (next > (1 << width) - 1 && width < 12) width++;
	}
	return out.subarray(0, written);
}

/** Runs of a byte, and bytes as they are. */
export function packBits(packed: Uint8Array, most: number): Uint8Array {
	const out = new Uint8Array(most);
	let [written, at] = [0, 0];
	while (at < packed.length && written < most) {
		const head = (packed[at++] << 24) >> 24;
		if (head >= 0)
			for (let i = 0; i <= head && at < packed.length && written < most; i++)
				out[written++] = packed[at++];
		else if (head > -128) {
			for (let i = 0; i < 1 - head && written < most; i++)
				out[written++] = packed[at];
			at++;
		}
	}
	return out.subarray(0, written);
}
