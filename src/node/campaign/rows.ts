/** The rows of a table over many inputs, one for each kind of scatterers, taken from its result.json. */

import { NAMES } from "../../extraction/results/items.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";

/** Of a stack, the energy that is explained best; null where nothing is known. */
export interface Row {
	readonly channel: string | null;
	/** eV, the lowest and the highest. */
	readonly energies: readonly [number, number] | null;
	readonly method: string;
	/** From 1, and of how many. */
	readonly kind: number;
	readonly kinds: number;
	readonly scatterers: number;
	/** Share of the variance of held-out pixels. */
	readonly explained: number | null;
	/** 1/Angstrom. */
	readonly q: Estimate | null;
	/** Electron masses, and eV. */
	readonly mass: Estimate | null;
	readonly bottom: Estimate | null;
	/** "isotropic", or the order of the rotation; null where the extraction failed. */
	readonly symmetry: string | null;
}

export interface Estimate {
	readonly value: number;
	/** One standard deviation. */
	readonly error: number;
}

/** What of result.json is looked at. */
interface Result extends ResultItem {
	readonly shown?: string;
	readonly items?: readonly (ResultItem & {
		readonly label: string;
		readonly index: number;
	})[];
	readonly dispersion: Dispersed | null;
	readonly dispersions?: readonly ((Dispersed & { kind: number }) | null)[];
	readonly input: {
		readonly channel?: string;
		readonly energies?: readonly (number | null)[];
	};
}

interface ResultItem {
	readonly method: string;
	readonly kernel: { readonly kind: number };
	readonly scatterers: number;
	readonly explainedVariance: {
		readonly heldOut: Readonly<Record<string, number | null>>;
	};
	readonly q: { readonly q: number; readonly error: number } | null;
	/** Null where the extraction failed. */
	readonly symmetry: {
		readonly n: number;
		readonly isotropic: boolean;
	} | null;
}

interface Dispersed {
	readonly fit: {
		readonly mass: number;
		readonly massError: number;
		readonly bottom: number;
		readonly bottomError: number;
	} | null;
}

/** A row of each kind. @param result what a result.json of ours holds */
export function rowsOf(result: unknown): Row[] {
	const { shown, items, dispersion, dispersions, input, ...one } =
		result as Result;
	const index = items?.find(({ label }) => label === shown)?.index;
	const kinds = items?.filter((item) => item.index === index) ?? [one];
	const known = (input.energies ?? []).filter((e) => e !== null);
	const energies =
		known.length > 0 ? ([minOf(known), maxOf(known)] as const) : null;
	return kinds.map((item): Row => {
		const { method, kernel, scatterers, explainedVariance, q, symmetry } = item;
		const band = dispersions
			? dispersions.find((of) => of?.kind === kernel.kind)
			: dispersion;
		const fit = band?.fit;
		return {
			channel: input.channel ?? null,
			energies,
			method: NAMES[method as keyof typeof NAMES],
			...{ kind: kernel.kind, kinds: kinds.length, scatterers },
			explained: explainedVariance.heldOut[method] ?? null,
			q: q && { value: q.q, error: q.error },
			mass: fit ? { value: fit.mass, error: fit.massError } : null,
			bottom: fit ? { value: fit.bottom, error: fit.bottomError } : null,
			symmetry:
				symmetry && (symmetry.isotropic ? "isotropic" : String(symmetry.n)),
		};
	});
}
