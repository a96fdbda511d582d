/** Damaged files through every reader: `npm run fuzz -- --reader sxm --count 100000 --seed 1`. */
import { parseArgs } from "node:util";
import { Random } from "../src/random.ts";
import { visible } from "../src/text.ts";
import { mutated } from "./fuzz/mutate.ts";
import { READERS, type Reader } from "./fuzz/readers.ts";

/** What went wrong with mutant `number` of a seed. */
export interface ReaderFault {
	readonly number: number;
	readonly what: string;
	readonly bytes: Uint8Array;
}

export interface ReaderOutcome {
	readonly read: number;
	readonly refused: number;
	/** Milliseconds of a processor: what others do on the machine does not count. */
	readonly slowest: number;
	readonly faults: readonly ReaderFault[];
}

/** Milliseconds of a processor that a mutant of a few kilobytes may take. */
const MOST_TIME = 2000;
/** What an error says that was not thought of. */
const UNTHOUGHT =
	/undefined|Cannot |is not (a function|iterable)|call stack|\[object|Invalid (array|typed)/;

/** The mutant of this number: the same ones for the same seed. */
export async function mutantOf(
	reader: Reader,
	seed: number,
	number: number,
): Promise<Uint8Array> {
	const random = new Random(seed, number);
	const whole = reader.seeds[random.integer(0, reader.seeds.length)];
	if (reader.damage && random.uniform(0, 1) < 0.5)
		return reader.damage(mutated(whole, random), random);
	return mutated(whole, random);
}

/** What is wrong with how a reader takes these bytes; undefined if it reads or refuses them as it should. */
async function faultOf(
	reader: Reader,
	bytes: Uint8Array,
	file: string,
): Promise<{ fault?: string; refused: boolean }> {
	try {
		return { fault: await reader.read(bytes, file), refused: false };
	} catch (error) {
		const { message, name } = error as Error;
		const own = reader.errors.some((E) => E === (error as Error).constructor);
		const fault = !own
			? `a ${name}: ${message}`
			: visible(message) !== message || message.length > 2500
				? `a message that is not one plain line: ${message}`
				: !(message.startsWith(file) || message.startsWith("preprocess: ")) ||
						UNTHOUGHT.test(message)
					? `a message that does not say where or what: ${message}`
					: undefined;
		return { fault, refused: true };
	}
}

/** Reads mutants `from` to `from + count` of a seed. */
export async function fuzzReader(
	name: string,
	{ count, seed, from = 0 }: { count: number; seed: number; from?: number },
): Promise<ReaderOutcome> {
	const reader = READERS[name];
	const faults: ReaderFault[] = [];
	let [read, refused, slowest] = [0, 0, 0];
	for (let number = from; number < from + count; number++) {
		const bytes = await mutantOf(reader, seed, number);
		const began = process.cpuUsage();
		const outcome = await faultOf(reader, bytes, `fuzz.${name}`);
		const { user, system } = process.cpuUsage(began);
		const took = (user + system) / 1000;
		slowest = Math.max(slowest, took);
		if (outcome.refused) refused++;
		else read++;
		const what =
			outcome.fault ?? (took > MOST_TIME ? `${took.toFixed(0)} ms` : undefined);
		if (what) faults.push({ number, what, bytes });
	}
	return { read, refused, slowest, faults };
}

/** The command; returns its exit code. */
export async function fuzzReaders(args: string[]): Promise<number> {
	const { values } = parseArgs({
		args,
		options: {
			reader: { type: "string", default: "all" },
			count: { type: "string", default: "10000" },
			seed: { type: "string", default: "1" },
			from: { type: "string", default: "0" },
		},
	});
	const names =
		values.reader === "all" ? Object.keys(READERS) : [values.reader];
	const [count, seed, from] = [values.count, values.seed, values.from].map(
		Number,
	);
	const unknown = names.find((name) => !Object.hasOwn(READERS, name));
	if (
		unknown !== undefined ||
		![count, seed, from].every(Number.isSafeInteger)
	) {
		console.error(
			`--reader is all or one of ${Object.keys(READERS).join(", ")}; --count, --seed and --from are whole numbers`,
		);
		return 1;
	}
	let bad = 0;
	for (const name of names) {
		const { read, refused, slowest, faults } = await fuzzReader(name, {
			count,
			seed,
			from,
		});
		bad += faults.length;
		console.log(
			`${name}: ${count} mutants, ${refused} refused, ${read} read, slowest ${slowest.toFixed(0)} ms, ${faults.length} faults`,
		);
		for (const { number, what } of faults.slice(0, 20))
			console.log(
				`  --reader ${name} --seed ${seed} --from ${number} --count 1: ${visible(what.slice(0, 300))}`,
			);
	}
	return bad > 0 ? 1 : 0;
}
