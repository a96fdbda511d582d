/** Unpacking of what may be a bomb: never more than is allowed. */
import { Inflate, Unzlib } from "fflate";
import { type Fail, size } from "./reading.ts";

/** As much as a file of so many bytes may unpack to: measured numbers do not shrink a hundredfold. */
export const mostUnpacked = (bytes: number): number =>
	Math.min(Math.max(2 ** 25, 100 * bytes), 2 ** 30);

/** What a stream did: its bytes, or why it is none. */
export interface Unpacked {
	readonly bytes: Uint8Array;
	/** What the library said, when the stream broke off or is none. */
	readonly broken?: string;
}

/**
 * Unpacks a zlib or raw deflate stream. What lies behind its end is ignored. Of a stream that breaks off the whole parts are returned.
 * @param most more bytes than these are refused, in one line that names `what`
 */
export function unpack(
	packed: Uint8Array,
	{ raw = false, most, what }: { raw?: boolean; most: number; what: string },
	fail: Fail,
): Unpacked {
	const parts: Uint8Array[] = [];
	let length = 0;
	let broken: string | undefined;
	let ended = false;
	const stream = new (raw ? Inflate : Unzlib)((part, final) => {
		parts.push(part);
		length += part.length;
		ended ||= final;
	});
	try {
		for (let at = 0; at < packed.length && length <= most && !ended; ) {
			const end = at + 2 ** 14;
			stream.push(packed.subarray(at, end), end >= packed.length);
			at = end;
		}
	} catch (error) {
		broken = error instanceof Error ? error.message : String(error);
	}
	if (length > most)
		fail(
			`${what} that unpacks to more than ${size(most)}`,
			"no more than that",
		);
	if (parts.length === 1) return { bytes: parts[0], broken };
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return { bytes, broken };
}
