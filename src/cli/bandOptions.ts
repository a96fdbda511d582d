/** The options of `extract` that name a band to compare with. */
import type { Command } from "commander";
import type { Lattice } from "../extraction/lattice/lattice.ts";
import type { TheoryOptions } from "../extraction/results/theory.ts";
import { FormatError } from "../formats/measurement.ts";
import { readWannier } from "../formats/wannier.ts";
import { readText } from "../node/files/input.ts";
import { cellOf } from "../qpi/theory/model.ts";
import { familyOf, parseFormula } from "../qpi/theory/source.ts";
import { number, positive } from "./command.ts";
import { lattice } from "./latticeOptions.ts";

/** What `bandOptions` adds. */
export interface BandChoice {
	band?: string;
	cell?: Lattice;
	lattice?: Lattice;
	bandTurn?: number;
	fermi?: number;
	broadening?: number;
	potential?: number;
	fitBand?: string[];
}

/** Adds the options that name a band to compare with. */
export function bandOptions(command: Command): Command {
	return command
		.option(
			"--band <band>",
			'joint density of states and T matrix of a band, beside |FFT| and over the cuts: Wannier90\'s FILE_hr.dat, or a formula: \'{"kind": "free", "mass": 0.4, "bottom": -0.065}\'',
		)
		.option(
			"--cell <a,b,angle>",
			"the surface cell of the hoppings, in Angstrom and degrees (default: that of --lattice)",
			lattice,
		)
		.option(
			"--band-turn <degrees>",
			"of the band's a or x axis from the image's x axis (default: 0)",
			number,
		)
		.option(
			"--fermi <eV>",
			"the Fermi energy in the scale of FILE_hr.dat (default: 0)",
			number,
		)
		.option("--broadening <eV>", "of the band (default: 0.005)", positive)
		.option(
			"--potential <V>",
			"of the point scatterer: eV on a lattice (default: 0.1), eV A^2 of a formula without one (default: 10)",
			number,
		)
		.option(
			"--fit-band <names>",
			"numbers of the band that are fitted to the measured q(E): of a formula mass,bottom,...; of hoppings shift, scale, t1/0 (to cell 1,0) or t1/0/1/2 (orbitals 1 to 2)",
			(text: string) => text.split(",").map((name) => name.trim()),
		);
}

/** What is to be computed; undefined without a band. Throws FormatError or RangeError where the band cannot be had. */
export async function bandChoice(
	options: BandChoice,
): Promise<TheoryOptions | undefined> {
	const { band, cell: given, bandTurn: turn, fitBand: fit } = options;
	const lattice = given ?? options.lattice;
	const { fermi, broadening, potential } = options;
	const rest = { turn, fermi, broadening, potential, fit };
	if (band === undefined) {
		const [without] = (
			[
				["cell", given],
				["band-turn", turn],
				["fermi", fermi],
				["broadening", broadening],
				["potential", potential],
				["fit-band", fit],
			] as const
		).filter(([, value]) => value !== undefined);
		if (without)
			throw new FormatError(
				`--${without[0]} is of a band, and there is none: expected --band too`,
			);
		return undefined;
	}
	if (band.trim().startsWith("{")) {
		const formula = parseFormula(band);
		// said now, not after the extraction
		familyOf(
			{ kind: "formula", band: formula, spacing: 1, turn: 0 },
			fit ?? [],
		);
		return {
			...{ ...rest, name: band.trim() },
			band: { kind: "formula", band: formula },
		};
	}
	if (!lattice)
		throw new FormatError(
			`${band} has hoppings between cells and not their size: expected --cell a,b,angle (Angstrom, degrees)`,
		);
	const text = new TextEncoder().encode(await readText(band));
	const { note, ...hoppings } = readWannier(text, band);
	const cell = cellOf(lattice.a, lattice.b, lattice.angle, 0);
	familyOf({ kind: "hoppings", hoppings, cell, fermi: 0 }, fit ?? []);
	return {
		...{ ...rest, name: `${band}: ${note}` },
		band: { kind: "hoppings", hoppings, lattice },
	};
}
