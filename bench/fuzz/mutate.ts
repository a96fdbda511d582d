/** Damage to files: what disks, programs and people who want to hurt do to them. */
import type { Random } from "../../src/random.ts";

/** Text that breaks readers. */
const TOKENS = [
	...[
		"",
		"0",
		"-1",
		"1e999",
		"1e1000000000000000000000",
		"-inf",
		"nan",
		"1e-400",
	],
	...["65536", "2147483648", "9007199254740993", "0x10", "1,5", "3.4e38", "٣"],
	...["null", "[]", "{}", "true", "__proto__", "constructor"],
	...[
		"\u001b[2J",
		"\u0007",
		"\u009b",
		"\u202e",
		"\u2028",
		"\r",
		"\n",
		"\n\n",
		"\0",
	],
	...[
		'"',
		"'",
		":",
		";",
		"=",
		",",
		"\t",
		"#",
		"x",
		":SCANIT_END:",
		":HEADER_END:",
	],
	...["9".repeat(4000), " ".repeat(4000), "(".repeat(4000), "[".repeat(4000)],
].map((token) => new TextEncoder().encode(token));
/** The bits of 32-bit floats: largest, infinite, not a number, 1e30, the smallest. */
const FLOATS = [0x7f7fffff, 0xff7fffff, 0x7f800000, 0x7fc00000, 0x7149f2ca, 1];
const isDigit = (byte: number) => byte >= 48 && byte <= 57;

const joined = (...parts: Uint8Array[]): Uint8Array =>
	new Uint8Array(Buffer.concat(parts));

type Mutator = (bytes: Uint8Array, random: Random) => Uint8Array;
const any = (random: Random, length: number) =>
	random.integer(0, Math.max(1, length));
/** A piece of the bytes, short ones more often. */
function piece(bytes: Uint8Array, random: Random): [number, number] {
	const length = Math.floor(bytes.length ** random.uniform(0, 1));
	const from = any(random, bytes.length - length + 1);
	return [from, from + length];
}
/** Most of what can go wrong is in the beginning. */
const place = (bytes: Uint8Array, random: Random) =>
	any(
		random,
		random.uniform(0, 1) < 0.5 ? Math.min(bytes.length, 1500) : bytes.length,
	);

const MUTATORS: readonly Mutator[] = [
	(bytes, random) => {
		const copy = bytes.slice();
		for (let n = random.integer(1, 9); n > 0 && copy.length > 0; n--)
			copy[place(copy, random)] ^= 1 << random.integer(0, 8);
		return copy;
	},
	(bytes, random) => {
		const copy = bytes.slice();
		for (let n = random.integer(1, 5); n > 0 && copy.length > 0; n--)
			copy[place(copy, random)] = random.integer(0, 256);
		return copy;
	},
	(bytes, random) => bytes.slice(0, any(random, bytes.length)),
	(bytes, random) => {
		const [from, to] = piece(bytes, random);
		return joined(bytes.subarray(0, from), bytes.subarray(to));
	},
	(bytes, random) => {
		const [from, to] = piece(bytes, random);
		return joined(bytes.subarray(0, to), bytes.subarray(from));
	},
	(bytes, random) => {
		const at = place(bytes, random);
		const token = TOKENS[random.integer(0, TOKENS.length)];
		return joined(bytes.subarray(0, at), token, bytes.subarray(at));
	},
	(bytes, random) => {
		let from = place(bytes, random);
		while (from < bytes.length && !isDigit(bytes[from])) from++;
		let to = from;
		while (to < bytes.length && isDigit(bytes[to])) to++;
		const token = TOKENS[random.integer(0, TOKENS.length)];
		return joined(bytes.subarray(0, from), token, bytes.subarray(to));
	},
	(bytes, random) => {
		const copy = bytes.slice();
		const view = new DataView(copy.buffer);
		const places = Math.floor(copy.length / 4);
		// Counted from the end: there the numbers are.
		for (let n = random.integer(1, 40); n > 0 && places > 0; n--)
			view.setUint32(
				copy.length - 4 * random.integer(1, places + 1),
				FLOATS[random.integer(0, FLOATS.length)],
				random.uniform(0, 1) < 0.5,
			);
		return copy;
	},
];

/** One to three kinds of damage, one after another. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
	let result = bytes;
	for (let n = random.integer(1, 4); n > 0; n--)
		result = MUTATORS[random.integer(0, MUTATORS.length)](result, random);
	return result;
}

const VALUES: readonly unknown[] = [
	...[null, "", "\u001b", [], {}, [null], -1, 0.5, 1e300, true, "__proto__"],
	Array.from({ length: 50 }, () => null),
];

/** JSON text with one value of it, at any depth, replaced or left out. */
export function mutatedJson(text: string, random: Random): string {
	const root: unknown[] = [JSON.parse(text)];
	let parent: object = root;
	let key: string | number = 0;
	for (;;) {
		const value: unknown = Reflect.get(parent, key);
		const keys = Object.keys(Object(value));
		if (typeof value === "string" || keys.length === 0) break;
		if (random.uniform(0, 1) < 0.2) break;
		parent = value as object;
		key = keys[random.integer(0, keys.length)];
	}
	const value = VALUES[random.integer(0, VALUES.length + 1)];
	if (value === undefined) Reflect.deleteProperty(parent, key);
	else Reflect.set(parent, key, value);
	return JSON.stringify(root[0] ?? null);
}
