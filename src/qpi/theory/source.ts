/** What users say of a band: formula or hoppings, and which of its numbers are free. */
import { quote, said } from "../../text.ts";
import type { Band } from "../generator/bands.ts";
import type { BandFamily } from "./fitBand.ts";
import {
	type Cell,
	formulaBand,
	type Hopping,
	type Hoppings,
	hoppingBand,
	type TheoryBand,
} from "./model.ts";

/** Numbers of each formula; those that may be negative or zero are marked. */
const FORMULAS: Record<Band["kind"], readonly string[]> = {
	surface: ["mass", "bottom"],
	free: ["mass", "bottom"],
	quartic: ["mass", "bottom", "c4"],
	ellipse: ["mass", "massY", "bottom"],
	warped: ["mass", "bottom", "warp"],
	topological: ["velocity", "lambda"],
	dWave: ["scale", "gap", "cells"],
	pnictide: ["scale", "filling", "cells"],
};

/** {"kind": "free", "mass": 0.4, "bottom": -0.065} of text. @throws RangeError where it is no band of the generator's */
export function parseFormula(text: string): Band {
	const kinds = Object.keys(FORMULAS).join(", ");
	let band: unknown;
	try {
		band = JSON.parse(text);
	} catch {
		throw new RangeError(
			`band: found ${quote(text)}, expected JSON such as {"kind": "free", "mass": 0.4, "bottom": -0.065}`,
		);
	}
	const { kind, ...numbers } = (band ?? {}) as Record<string, unknown>;
	const names = Object.hasOwn(FORMULAS, String(kind))
		? FORMULAS[kind as Band["kind"]]
		: undefined;
	if (!names)
		throw new RangeError(
			`band: found kind ${quote(String(kind))}, expected one of ${kinds}`,
		);
	for (const name of new Set([...names, ...Object.keys(numbers)])) {
		const value = numbers[name];
		const fits =
			typeof value === "number" &&
			Number.isFinite(value) &&
			names.includes(name) &&
			(!name.startsWith("mass") || value !== 0) &&
			(name !== "cells" ||
				(Number.isInteger(value) && value > 0 && value <= 1024));
		if (!fits)
			throw new RangeError(
				`band: found ${quote(name)} = ${said(value)} in ${kind}, expected the numbers ${names.join(", ")} (eV, A, electron masses; masses not 0, cells 1 to 1024)`,
			);
	}
	return { kind, ...numbers } as unknown as Band;
}

export type BandSource =
	| {
			readonly kind: "formula";
			readonly band: Band;
			/** Of the points of a continuum, Angstrom. */
			readonly spacing: number;
			/** Radians from the image's x axis. */
			readonly turn: number;
	  }
	| {
			readonly kind: "hoppings";
			readonly hoppings: Hoppings;
			readonly cell: Cell;
			readonly fermi: number;
	  };

export const bandOf = (source: BandSource): TheoryBand =>
	source.kind === "formula"
		? formulaBand(source.band, source.spacing, source.turn)
		: hoppingBand(source.hoppings, source.cell, source.fermi);

/** Of the largest amplitude: hoppings that differ less are one and the same by symmetry. */
const SAME = 1e-4;

/**
 * The band with some of its numbers free. Of a formula: its numbers' names. Of hoppings: "shift" (eV, added to all energies), "scale" (of all amplitudes), or `t1/0`: the hopping to cell (1, 0) between the first
 * orbitals, or `t1/0/2/3` between the second and the third, with all that are as far and as large.
 * @throws RangeError for a name that the band does not have
 */
export function familyOf(
	source: BandSource,
	names: readonly string[],
): BandFamily {
	if (source.kind === "formula") {
		const band = source.band as unknown as Record<string, number>;
		for (const name of names)
			if (typeof band[name] !== "number" || name === "cells")
				throw new RangeError(
					`fit: found ${quote(name)}, expected some of ${FORMULAS[source.band.kind].filter((n) => n !== "cells").join(", ")}`,
				);
		return {
			names,
			start: names.map((name) => band[name]),
			at: (values) =>
				bandOf({
					...source,
					band: {
						...source.band,
						...Object.fromEntries(names.map((name, i) => [name, values[i]])),
					} as Band,
				}),
		};
	}
	const { hoppings, cell } = source;
	const tied = names.map((name) =>
		name === "shift" || name === "scale" ? null : tiedTo(name, hoppings, cell),
	);
	return {
		names,
		start: names.map((name, i) =>
			name === "shift" ? 0 : name === "scale" ? 1 : (tied[i]?.value ?? 0),
		),
		at(values) {
			let [shift, scale] = [0, 1];
			const changed = new Map<Hopping, number>();
			names.forEach((name, i) => {
				if (name === "shift") shift = values[i];
				else if (name === "scale") scale = values[i];
				else
					for (const hopping of tied[i]?.all ?? [])
						changed.set(hopping, values[i]);
			});
			const list = hoppings.hoppings.map((hopping) => {
				const re = changed.get(hopping) ?? hopping.re;
				return { ...hopping, re: scale * re, im: scale * hopping.im };
			});
			return hoppingBand(
				{ ...hoppings, hoppings: list },
				cell,
				source.fermi - shift,
			);
		},
	};
}

function tiedTo(
	name: string,
	{ hoppings, orbitals }: Hoppings,
	{ a, b }: Cell,
): { value: number; all: Hopping[] } {
	const [, x, y, from = "1", to = "1"] =
		/^t(-?\d+)\/(-?\d+)(?:\/(\d+)\/(\d+))?$/.exec(name) ?? [];
	const one = hoppings.find(
		(h) =>
			h.x === Number(x) &&
			h.y === Number(y) &&
			h.from === Number(from) - 1 &&
			h.to === Number(to) - 1,
	);
	if (x === undefined || !one)
		throw new RangeError(
			`fit: found ${quote(name)}, expected shift, scale, or a hopping that the file has, such as t1/0 or t1/0/1/1 (cells along a and b, orbitals from 1 to ${orbitals})`,
		);
	const far = (h: Hopping) =>
		Math.hypot(h.x * a[0] + h.y * b[0], h.x * a[1] + h.y * b[1]);
	const largest = hoppings.reduce((m, h) => Math.max(m, Math.abs(h.re)), 0);
	const all = hoppings.filter(
		(h) =>
			Math.abs(h.re - one.re) <= SAME * largest &&
			Math.abs(far(h) - far(one)) < 1e-3 &&
			((h.from === one.from && h.to === one.to) ||
				(h.from === one.to && h.to === one.from)),
	);
	return { value: one.re, all };
}
