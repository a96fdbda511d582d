/**
 * HDF5's global heaps (file format specification 3.0, III.E): where texts of any length lie. The library steps from object to object by the length that each
 * gives, for ever where that is damaged: so they are stepped through here first.
 */
import type { Fail } from "./reading.ts";

const MARK = [0x47, 0x43, 0x4f, 0x4c];
/** Of a collection, and of an object in it: what comes before its data, with lengths of eight bytes. */
const HEADER = 16;

/** Throws where a collection's objects do not lead to its end. */
export function checkHeaps(bytes: Uint8Array, fail: Fail): void {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	for (
		let at = bytes.indexOf(MARK[0]);
		at >= 0 && at + HEADER <= bytes.length;
		at = bytes.indexOf(MARK[0], at + 1)
	) {
		if (!MARK.every((byte, i) => bytes[at + i] === byte)) continue;
		// Version 1 is the only one; anything else is refused by the library.
		if (bytes[at + 4] !== 1) continue;
		const end = at + Number(view.getBigUint64(at + 8, true));
		if (!(end <= bytes.length)) continue;
		for (let object = at + HEADER; object + HEADER <= end; ) {
			const length = Number(view.getBigUint64(object + 8, true));
			const free = view.getUint16(object, true) === 0;
			// Free space counts its own header, an object does not, and is filled up to eight bytes.
			const step = free ? length : HEADER + 8 * Math.ceil(length / 8);
			if (!(step >= HEADER && object + step <= end))
				fail(
					`a heap of texts whose object at byte ${object} is ${length} bytes long`,
					"one that ends in it: a damaged HDF5 file",
				);
			object += step;
		}
	}
}
