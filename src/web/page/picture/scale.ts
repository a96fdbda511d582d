/** How values are written beside a picture: short, and with as many digits as tell them apart. */
import { short, superscript } from "../../../drawing/picture.ts";

const PREFIXES: Readonly<Record<number, string>> = {
	"-15": "f",
	"-12": "p",
	"-9": "n",
	"-6": "µ",
	"-3": "m",
	"3": "k",
	"6": "M",
	"9": "G",
};
/** Values that differ by less than this part of their size are written from an offset. */
const ALIKE = 1 / 50;

export interface Scale {
	/** The unit, with its prefix, and what was taken off: "pm from −120.03 nm". */
	readonly label: string;
	/** A value without its unit. */
	said(value: number, digits?: number): string;
	/** The number that is meant by what was said. */
	meant(said: number): number;
}

/** Of values between `low` and `high`: 2e-11 A are 20 pA. */
export function scaleOf(low: number, high: number, unit: string): Scale {
	const [span, most] = [high - low, Math.max(Math.abs(low), Math.abs(high))];
	if (span > 0 && span < ALIKE * most) {
		const step = 10 ** Math.floor(Math.log10(span));
		const offset = Math.round((low + high) / 2 / step) * step;
		const whole = prefixed(most, unit);
		const digits = Math.max(2, Math.ceil(Math.log10(most / step)) + 1);
		const { factor, label } = prefixed(span, unit);
		return {
			label: `${label} from ${short(offset / whole.factor, digits)} ${whole.label}`,
			said: (v, digits = 2) => short((v - offset) / factor, digits),
			meant: (said) => offset + said * factor,
		};
	}
	const { factor, label } = prefixed(most, unit);
	// Two more digits than the values have in common.
	const least = span > 0 ? Math.ceil(Math.log10(most / span)) + 2 : 2;
	return {
		label,
		said: (v, digits = 2) => short(v / factor, Math.max(digits, least)),
		meant: (said) => said * factor,
	};
}

function prefixed(
	most: number,
	unit: string,
): { factor: number; label: string } {
	const power = most > 0 ? 3 * Math.floor(Math.log10(most) / 3) : 0;
	if (power === 0 || (most >= 0.01 && most < 1e4))
		return { factor: 1, label: unit };
	const prefix = PREFIXES[power];
	return {
		factor: 10 ** power,
		label:
			prefix && /^(A|V|S|m|Hz|W|N)$/.test(unit)
				? prefix + unit
				: `10${superscript(power)} ${unit}`.trim(),
	};
}
