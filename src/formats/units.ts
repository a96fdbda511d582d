/** Units as instruments' programs write them. */

const PREFIXES: Readonly<Record<string, number>> = {
	...{ "": 1, k: 1e3, m: 1e-3, u: 1e-6, µ: 1e-6, μ: 1e-6 },
	...{ n: 1e-9, p: 1e-12, f: 1e-15, a: 1e-18 },
};

function factor(unit: string, base: RegExp): number | undefined {
	const found = new RegExp(`^([kmuµμnpfa]?)(?:${base.source})$`, "i").exec(
		unit.trim(),
	);
	return found ? PREFIXES[found[1]] : undefined;
}

/** Metres of one of this unit of length; undefined if it is none. */
export const metresIn = (unit: string): number | undefined =>
	/^(Å|Å|Ang\.?|Angstroms?)$/i.test(unit.trim())
		? 1e-10
		: factor(unit, /m|meters?|metres?/);

/** Volt of one of this unit, or eV of one of energy; undefined if it is neither. */
export const voltsIn = (unit: string): number | undefined =>
	factor(unit, /e?V|volts?/);

/** The voltage that a text like "-45 mV" says, in V; a number without a unit is taken for V. NaN if it says none. */
export function voltage(text: string): number {
	const [, number = "", unit = ""] =
		/^\s*([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(\S*)/i.exec(text) ?? [];
	const scale = unit === "" ? 1 : voltsIn(unit);
	if (!number || scale === undefined) return NaN;
	return Number(number.replace(",", ".")) * scale;
}
