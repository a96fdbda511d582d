/** Numbers out of bytes that may end too early: every read is checked against what is there. */
import { decodeText, type Fail } from "./reading.ts";

/** Names of NumPy's kind: i, u or f and the bytes of one. */
export type NumberType =
	| "i1"
	| "u1"
	| "i2"
	| "u2"
	| "i4"
	| "u4"
	| "i8"
	| "u8"
	| "f4"
	| "f8";

export const bytesOf = (type: NumberType): number => Number(type[1]);

/** Reads one after the other. */
export class Cursor {
	at = 0;
	readonly bytes: Uint8Array;
	private readonly view: DataView;
	readonly fail: Fail;
	little: boolean;

	/** @param little whether the low byte comes first */
	constructor(bytes: Uint8Array, fail: Fail, little = true) {
		this.bytes = bytes;
		this.fail = fail;
		this.little = little;
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	get left(): number {
		return this.bytes.length - this.at;
	}

	/** Throws where fewer bytes than these are left for `what`. */
	need(count: number, what: string): void {
		if (!(count >= 0 && count <= this.left))
			this.fail(
				`${Math.max(this.left, 0)} bytes at byte ${this.at}`,
				`${count} of ${what}: cut short?`,
			);
	}

	/** Goes to a byte of the file. */
	seek(at: number, what: string): void {
		if (!(at >= 0 && at <= this.bytes.length))
			this.fail(
				`byte ${at} as the place of ${what}`,
				`one of the file's ${this.bytes.length}`,
			);
		this.at = at;
	}

	number(type: NumberType, what: string): number {
		this.need(bytesOf(type), what);
		const value = valueAt(this.view, this.at, type, this.little);
		this.at += bytesOf(type);
		return value;
	}

	take(count: number, what: string): Uint8Array {
		this.need(count, what);
		this.at += count;
		return this.bytes.subarray(this.at - count, this.at);
	}

	/** So many bytes as text, up to the first zero among them. */
	text(count: number, what: string): string {
		const bytes = this.take(count, what);
		const end = bytes.indexOf(0);
		return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
	}

	/** Text up to and without a zero, which is read too. */
	line(what: string): string {
		const end = this.bytes.indexOf(0, this.at);
		if (end < 0)
			this.fail(
				`no zero after byte ${this.at}`,
				`one that ends ${what}: cut short?`,
			);
		const text = decodeText(this.bytes.subarray(this.at, end));
		this.at = end + 1;
		return text;
	}

	/** So many numbers of one type; the array owns its memory. */
	numbers(
		count: number,
		type: NumberType,
		what: string,
	): Float32Array | Float64Array {
		const step = bytesOf(type);
		this.need(count * step, what);
		// What a float holds exactly, or has in the file, takes no more than a float.
		const small = ["f4", "i1", "u1", "i2", "u2"].includes(type);
		const values = small ? new Float32Array(count) : new Float64Array(count);
		for (let i = 0; i < count; i++)
			values[i] = valueAt(this.view, this.at + i * step, type, this.little);
		this.at += count * step;
		return values;
	}
}

function valueAt(
	view: DataView,
	at: number,
	type: NumberType,
	little: boolean,
): number {
	switch (type) {
		case "i1":
			return view.getInt8(at);
		case "u1":
			return view.getUint8(at);
		case "i2":
			return view.getInt16(at, little);
		case "u2":
			return view.getUint16(at, little);
		case "i4":
			return view.getInt32(at, little);
		case "u4":
			return view.getUint32(at, little);
		case "i8":
			return Number(view.getBigInt64(at, little));
		case "u8":
			return Number(view.getBigUint64(at, little));
		case "f4":
			return view.getFloat32(at, little);
		case "f8":
			return view.getFloat64(at, little);
	}
}
