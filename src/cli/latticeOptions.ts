/** The options of what is done by a scan's atomic lattice: `detect` and `extract` share them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkLattice, type Lattice } from "../extraction/lattice/lattice.ts";
import type { Normalisation } from "../extraction/results/normalise.ts";
import { positive } from "./command.ts";

/** What `latticeOptions` adds. */
export interface LatticeChoice {
	lattice?: Lattice;
	drift?: boolean;
	calibrate?: boolean;
	bragg?: "keep" | "remove";
	braggWidth?: number;
	normalise?: Normalisation;
}

/** "3.9,3.9,90": two sides in Angstrom and the angle between them in degrees. */
export function lattice(text: string): Lattice {
	const numbers = text
		.split(",")
		.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
	const [a, b, angle] = numbers;
	try {
		if (numbers.length !== 3) throw new RangeError("");
		checkLattice({ a, b, angle });
	} catch {
		throw new InvalidArgumentError(
			"Expected both sides in Angstrom and the angle between them, 20 to 160 degrees: a,b,angle.",
		);
	}
	return { a, b, angle };
}

export function latticeOptions(command: Command): Command {
	return command
		.option(
			"--lattice <a,b,angle>",
			"the atomic lattice, in Angstrom and degrees: the scan gets the size and shear at which its Bragg peaks lie where they should, and q is told in reciprocal lattice units too",
			lattice,
		)
		.option(
			"--drift",
			"take out drift and shear that change across the scan, by the phases of its Bragg peaks (Lawler-Fujita)",
		)
		.option(
			"--no-calibrate",
			"with --lattice: leave size and shear as they are",
		)
		.addOption(
			new Option(
				"--bragg <how>",
				"the lattice's own waves: taken out, or kept (default)",
			).choices(["keep", "remove"]),
		)
		.option(
			"--bragg-width <q>",
			"half width at half depth of what --bragg remove takes out, in 1/Angstrom (default: a 21st of the Bragg peaks' q)",
			positive,
		)
		.addOption(
			new Option(
				"--normalise <how>",
				"of a stack, against the set-point effect: feenstra, (dI/dV)/(I/V) with the file's current; ratio, g(E)/g(-E) (default: none)",
			).choices(["feenstra", "ratio", "none"]),
		);
}
