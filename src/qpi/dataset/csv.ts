/**
 * Reads the published dataset's text, one file a kernel: row 1 resolution and scatterer places, row 2 the axis, row 3 the kernel, then one row an image.
 * Reading is push-based, so that a 1.9 GB set streams through a few kilobytes of text; nothing here knows files.
 */

import { quote } from "../../text.ts";
import {
	ABSENT,
	DatasetError,
	type KernelFile,
	MOST_SCATTERERS,
	makeAxis,
	OPEN_END,
	PIXELS,
	RESOLUTION,
} from "./format.ts";

const MAX_FIELD = 256;
const AXIS_TOLERANCE = 1 / 4000; // of the field: 1/60 of a pixel, room for an axis printed with four digits
const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;
const LF = 10;
const COMMA = 44;
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i); // exact in float64

/**
 * Reads one file: `push` its bytes in pieces of any size, then `end`. Rows 1-3 may be ragged or padded with empty fields, zeros or NaN;
 * a last line without a newline is accepted when it is whole. Throws DatasetError at the first fault.
 */
export class KernelParser {
	readonly #file: string;
	readonly #values = new Float64Array(PIXELS + 2 * MOST_SCATTERERS);
	#row = 1;
	#column = 0; // fields of this row read so far
	#columns = this.#values.length; // what a full row has; row 1 says
	#blank = 0; // the first of the blank lines just passed: they are allowed at the end only
	#carry: Uint8Array = new Uint8Array(0);
	#cut = false; // reading the last line, which has no newline
	#axis = new Float64Array(0);
	#kernel = new Float32Array(0);
	readonly #images: Float32Array[] = [];
	readonly #scatterers: { x: number; y: number }[][] = [];

	/** @param file the name that errors give. */
	constructor(file: string) {
		this.#file = file;
	}

	/** Takes the next piece of the file. */
	push(chunk: Uint8Array | string): void {
		let bytes =
			typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
		if (this.#carry.length > 0) {
			const joined = new Uint8Array(this.#carry.length + bytes.length);
			joined.set(this.#carry);
			joined.set(bytes, this.#carry.length);
			bytes = joined;
		}
		// Only whole fields are read, so that the loop below needs no check for the end: each field there has its delimiter.
		let end = bytes.length;
		while (end > 0 && bytes[end - 1] !== COMMA && bytes[end - 1] !== LF) end--;
		this.#carry = bytes.slice(end);
		this.#fields(bytes, end);
		if (this.#carry.length > MAX_FIELD)
			this.#odd(this.#carry.subarray(0, MAX_FIELD));
	}

	/** Says that the file is over; returns what it held. */
	end(): KernelFile {
		const images = this.#images.length;
		if (this.#carry.length > 0 || this.#column > 0) {
			this.#cut = true;
			this.push("\n");
		}
		this.#cut = false;
		if (this.#row === 1 || (this.#blank === 1 && this.#kernel.length === 0))
			throw this.#error("an empty file", "a row with the resolution");
		const row = this.#blank || this.#row;
		if (this.#axis.length === 0)
			throw this.#error("the end of the file", "the axis", 0, row);
		if (this.#kernel.length === 0)
			throw this.#error(
				"no kernel row: the file ends",
				`${PIXELS} columns`,
				0,
				row,
			);
		if (this.#images.length === 0)
			throw this.#error(
				"the end of the file",
				"at least one row with an image",
				0,
				row,
			);
		const whole =
			images === this.#images.length ||
			this.#values[this.#columns - 1] === ABSENT;
		return {
			kernel: this.#kernel,
			axis: this.#axis,
			images: this.#images,
			scatterers: this.#scatterers,
			...(whole ? {} : { warning: OPEN_END }),
		};
	}

	/** Reads the fields in `bytes[0, end)`, each of which ends with a comma or a newline. */
	#fields(bytes: Uint8Array, end: number): void {
		const values = this.#values;
		let at = 0;
		while (at < end) {
			const start = at;
			let c = bytes[at];
			const negative = c === 45;
			if (negative) c = bytes[++at];
			const digitsStart = at;
			let mantissa = 0;
			let exponent = 0;
			// 16 digits give a double but for its last bit; the rest cannot matter to a float32.
			for (; c >= 48 && c <= 57; c = bytes[++at])
				if (mantissa < 1e15) mantissa = mantissa * 10 + (c - 48);
				else exponent++;
			let digits = at - digitsStart;
			if (c === 46) {
				const pointAt = at;
				for (c = bytes[++at]; c >= 48 && c <= 57; c = bytes[++at])
					if (mantissa < 1e15) {
						mantissa = mantissa * 10 + (c - 48);
						exponent--;
					}
				digits += at - pointAt - 1;
			}
			if (digits > 0 && (c === 101 || c === 69)) {
				c = bytes[++at];
				const down = c === 45;
				if (down || c === 43) c = bytes[++at];
				const from = at;
				let power = 0;
				for (; c >= 48 && c <= 57; c = bytes[++at]) power = power * 10 + c - 48;
				exponent += down ? -power : power;
				if (at === from) digits = 0;
			}
			let value: number;
			if (digits > 0 && (c === COMMA || c === LF)) {
				if (exponent === 0) value = mantissa;
				else if (exponent < 0 && exponent >= -22)
					value = mantissa / POWERS[-exponent];
				else if (exponent > 0 && exponent <= 22)
					value = mantissa * POWERS[exponent];
				else value = Number(`${mantissa}e${exponent}`);
				if (negative) value = -value;
				// Not what overflows, nor NaN of an exponent with too many digits.
				if (!(Math.abs(value) <= MAX_FLOAT32))
					value = this.#odd(bytes.subarray(start, at));
			} else {
				while (c !== COMMA && c !== LF) c = bytes[++at];
				const blank =
					c === LF &&
					this.#column === 0 &&
					(at === start || (at === start + 1 && bytes[start] === 13));
				if (blank) {
					if (this.#blank === 0) this.#blank = this.#row;
					this.#row++;
					at++;
					continue;
				}
				value = this.#odd(bytes.subarray(start, at));
			}
			if (this.#blank > 0) {
				this.#row = this.#blank;
				throw this.#error("a blank line", "no blank line before the end", 1);
			}
			if (this.#column === this.#columns)
				throw this.#error(
					`more than ${this.#columns} columns`,
					`${this.#columns}`,
					this.#columns + 1,
				);
			values[this.#column++] = value;
			at++;
			if (c === LF) {
				this.#endRow();
				this.#row++;
				this.#column = 0;
			}
		}
	}

	/** A field that the fast loop does not read: blanks, `+`, padding (NaN is returned), or a fault. */
	#odd(bytes: Uint8Array): number {
		const text = new TextDecoder()
			.decode(bytes.subarray(0, MAX_FIELD + 1))
			.trim(); // drops a byte-order mark and the CR of a CRLF too
		const column = this.#column + 1;
		const missing = text === "" || /^[+-]?nan$/i.test(text);
		const needed = [2, RESOLUTION, PIXELS][this.#row - 1] ?? this.#columns;
		if (missing && column > needed) return Number.NaN;
		const number =
			/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ||
			/^[+-]?inf(inity)?$/i.test(text);
		const value = Number(text);
		if (number && Math.abs(value) <= MAX_FLOAT32) return value;
		const found = missing
			? text || "an empty field"
			: number
				? `an infinite value (${text})`
				: quote(text, 24);
		throw this.#error(
			found,
			number || missing ? "a finite number" : "a number",
			column,
		);
	}

	#endRow(): void {
		const [values, count] = [this.#values, this.#column];
		if (this.#row === 1) this.#endHeader();
		else if (this.#row === 2) {
			this.#count(RESOLUTION, "the axis of 64 columns");
			const half = -values[0];
			// Beyond it the place of what is absent would be inside.
			if (!(half > 0 && half < ABSENT))
				throw this.#error(
					`${values[0]}`,
					`the axis's start, half the field below 0 and above -${ABSENT} Angstrom`,
					1,
				);
			const axis = makeAxis(2 * half);
			for (let i = 0; i < RESOLUTION; i++)
				if (!(Math.abs(values[i] - axis[i]) < 2 * half * AXIS_TOLERANCE))
					throw this.#error(
						`${values[i]}`,
						`${axis[i].toFixed(3)}, as the axis is linspace(${-half}, ${half}, ${RESOLUTION})`,
						i + 1,
					);
			this.#padding(RESOLUTION);
			this.#axis = values.slice(0, RESOLUTION);
		} else if (this.#row === 3) {
			this.#count(PIXELS, `a kernel row of at least ${PIXELS} columns`);
			for (let i = PIXELS; i < count; i++) {
				const v = values[i];
				if (v && !(v === ABSENT && i >= PIXELS + 2))
					throw this.#error(
						`no kernel row but an image with a scatterer at ${v}`,
						"the kernel, its one scatterer at (0, 0)",
						i + 1,
					);
			}
			this.#kernel = Float32Array.from(values.subarray(0, PIXELS));
		} else {
			this.#count(this.#columns, `${this.#columns} columns`);
			const scatterers: { x: number; y: number }[] = [];
			for (let i = PIXELS; i < count; i += 2) {
				const [x, y] = [values[i], values[i + 1]];
				if ((x === ABSENT) !== (y === ABSENT))
					throw this.#error(
						`the scatterer (${x}, ${y})`,
						`a position, or ${ABSENT} in both places`,
						i + 2,
					);
				if (x !== ABSENT) scatterers.push({ x, y });
			}
			this.#images.push(Float32Array.from(values.subarray(0, PIXELS)));
			this.#scatterers.push(scatterers);
		}
	}

	#endHeader(): void {
		const [resolution, places] = this.#values;
		this.#count(2, "the resolution and the number of scatterers");
		if (resolution !== RESOLUTION)
			throw this.#error(`resolution ${resolution}`, `${RESOLUTION}`, 1);
		if (!Number.isInteger(places) || places < 1 || places > MOST_SCATTERERS)
			throw this.#error(
				`${places} as the largest number of scatterers`,
				`an integer from 1 to ${MOST_SCATTERERS}`,
				2,
			);
		this.#padding(2);
		this.#columns = PIXELS + 2 * places;
		if (this.#column > this.#columns)
			throw this.#error(
				`${this.#column} columns`,
				`at most ${this.#columns}`,
				this.#columns + 1,
			);
	}

	#count(needed: number, expected: string): void {
		if (this.#column < needed)
			throw this.#error(
				`${this.#column} column${this.#column === 1 ? "" : "s"}`,
				expected,
				this.#column,
			);
	}

	#padding(from: number): void {
		for (let i = from; i < this.#column; i++)
			if (this.#values[i])
				throw this.#error(
					`${this.#values[i]}`,
					"the end of the row, or padding (empty, 0, NaN)",
					i + 1,
				);
	}

	#error(
		found: string,
		expected: string,
		column = 0,
		row = this.#row,
	): DatasetError {
		const cut = this.#cut ? "a truncated last line: " : "";
		return new DatasetError(
			this.#file,
			cut + found,
			expected,
			row,
			column || undefined,
		);
	}
}

/** Reads a whole file's text at once; `file` is the name that errors give. */
export function parseKernelFile(
	text: Uint8Array | string,
	file: string,
): KernelFile {
	const parser = new KernelParser(file);
	parser.push(text);
	return parser.end();
}
