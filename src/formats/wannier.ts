/** Wannier90's seedname_hr.dat: the Hamiltonian between Wannier functions (Wannier90 user guide, section "seedname_hr.dat"). */
import {
	decodeText,
	type Fail,
	failFor,
	quote,
	wholeNumber,
} from "./reading.ts";

/** An amplitude <0 from| H |(x, y) to>, eV, over its cell's degeneracy; orbitals from 0. */
export interface WannierHopping {
	readonly x: number;
	readonly y: number;
	readonly from: number;
	readonly to: number;
	readonly re: number;
	readonly im: number;
}

export interface WannierHoppings {
	readonly orbitals: number;
	/** Of a bulk crystal those along c are summed up: the band at kz = 0. */
	readonly hoppings: readonly WannierHopping[];
	/** What was read, for people. */
	readonly note: string;
}

const MAX_TEXT = 2 ** 26;
/** Functions and cells that a file may announce, and their product's square times cells. */
const [MOST_ORBITALS, MOST_CELLS, MOST_TERMS] = [512, 1e5, 1e6];
const FARTHEST = 1000;
/** eV: nothing in a crystal is as large. */
const LARGEST = 1e4;
/** Of the largest amplitude: what both directions of a hopping may differ by, for files have six decimals. */
const HERMITIAN = 1e-4;

/**
 * A comment; the number of Wannier functions; that of cells; the cells' degeneracies; then for each cell and pair a line `R1 R2 R3 m n Re Im`, each once.
 * @throws FormatError where it is not that, or H is not Hermitian
 */
export function readWannier(bytes: Uint8Array, file: string): WannierHoppings {
	const fail: Fail = failFor(file);
	if (bytes.length > MAX_TEXT)
		fail(`${bytes.length} bytes`, `at most ${MAX_TEXT} of text`);
	if (bytes.includes(0)) fail("a zero byte", "text as Wannier90 writes it");
	const lines = decodeText(bytes).split(/\r\n|\n|\r/);
	const orbitals = wholeNumber(
		lines[1],
		"number of Wannier functions (line 2)",
		fail,
	);
	const cells = wholeNumber(lines[2], "number of cells (line 3)", fail);
	if (
		orbitals > MOST_ORBITALS ||
		cells > MOST_CELLS ||
		orbitals ** 2 * cells > MOST_TERMS
	)
		fail(
			`${orbitals} functions in ${cells} cells`,
			`at most ${MOST_ORBITALS} functions, ${MOST_CELLS} cells and ${MOST_TERMS} amplitudes`,
		);
	const degeneracies: number[] = [];
	let at = 3;
	for (; degeneracies.length < cells; at++) {
		if (at >= lines.length)
			fail(`${degeneracies.length} degeneracies`, `${cells}, one a cell`);
		for (const word of lines[at].trim().split(/\s+/)) {
			if (word === "") continue;
			degeneracies.push(
				wholeNumber(
					word,
					`degeneracy ${degeneracies.length + 1} (line ${at + 1})`,
					fail,
				),
			);
		}
	}
	if (degeneracies.length > cells)
		fail(`${degeneracies.length} degeneracies by line ${at}`, `${cells}`);
	/** Summed over c: [x, y] -> matrix of re, im. */
	const sums = new Map<string, { x: number; y: number; h: Float64Array }>();
	const seen = new Set<string>();
	let layers = false;
	for (let cell = 0; cell < cells; cell++)
		for (let pair = 0; pair < orbitals ** 2; pair++, at++) {
			const words = (lines[at] ?? "").trim().split(/\s+/);
			const [x, y, z, m, n, re, im] = words.map(Number);
			const whole = [x, y, z, m, n].every(Number.isInteger);
			const finite = Math.abs(re) <= LARGEST && Math.abs(im) <= LARGEST;
			if (words.length !== 7 || !whole || !finite)
				fail(
					at < lines.length
						? `line ${at + 1} = ${quote(lines[at])}`
						: `the end after ${lines.length} lines`,
					`R1 R2 R3 m n Re Im, whole numbers and energies within ${LARGEST} eV (amplitude ${cell * orbitals ** 2 + pair + 1} of ${cells * orbitals ** 2})`,
				);
			if (Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) > FARTHEST)
				fail(
					`cell (${x}, ${y}, ${z}) in line ${at + 1}`,
					`cells within ${FARTHEST}`,
				);
			if (Math.min(m, n) < 1 || Math.max(m, n) > orbitals)
				fail(
					`functions ${m}, ${n} in line ${at + 1}`,
					`numbers from 1 to ${orbitals}`,
				);
			const name = `${x},${y},${z},${m},${n}`;
			if (seen.has(name))
				fail(`(${name}) once more in line ${at + 1}`, "each amplitude once");
			seen.add(name);
			layers ||= z !== 0;
			const key = `${x},${y}`;
			let sum = sums.get(key);
			if (!sum) {
				sum = { x, y, h: new Float64Array(2 * orbitals ** 2) };
				sums.set(key, sum);
			}
			const p = 2 * ((m - 1) * orbitals + n - 1);
			sum.h[p] += re / degeneracies[cell];
			sum.h[p + 1] += im / degeneracies[cell];
		}
	const rest = lines.slice(at).findIndex((line) => line.trim() !== "");
	if (rest >= 0)
		fail(
			`line ${at + rest + 1} = ${quote(lines[at + rest])}`,
			`the end after line ${at}`,
		);
	let largest = 0;
	for (const { h } of sums.values())
		for (const v of h) largest = Math.max(largest, Math.abs(v));
	const hoppings: WannierHopping[] = [];
	for (const { x, y, h } of sums.values()) {
		const back = sums.get(`${-x || 0},${-y || 0}`)?.h;
		for (let from = 0; from < orbitals; from++)
			for (let to = 0; to < orbitals; to++) {
				const p = 2 * (from * orbitals + to);
				const q = 2 * (to * orbitals + from);
				const [re, im] = [h[p], h[p + 1]];
				const off = Math.hypot(
					re - (back?.[q] ?? 0),
					im + (back?.[q + 1] ?? 0),
				);
				if (off > HERMITIAN * largest)
					fail(
						`an amplitude to (${x}, ${y}), functions ${from + 1} to ${to + 1}, that differs from its return by ${off.toPrecision(3)} eV`,
						"a Hermitian Hamiltonian",
					);
				if (re !== 0 || im !== 0) hoppings.push({ x, y, from, to, re, im });
			}
	}
	return {
		orbitals,
		hoppings,
		note: `${orbitals} Wannier function${orbitals > 1 ? "s" : ""} in ${cells} cells${layers ? "; cells along c summed up: the band at kz = 0" : ""}`,
	};
}
