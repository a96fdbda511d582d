/** The options of `extract` that ask for more than the kernel. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PeakShape } from "../extraction/findings/peakFit.ts";
import type { QRegion } from "../extraction/findings/phaseReferenced.ts";
import {
	POINT_GROUPS,
	type PointGroup,
} from "../extraction/findings/pointGroups.ts";
import {
	cutsOf,
	groupsOf,
	ringsOf,
} from "../extraction/results/analysisText.ts";
import type { PhysicsOptions } from "../extraction/results/physics.ts";
import { type BandChoice, bandChoice, bandOptions } from "./bandOptions.ts";

/** What `physicsOptions` adds. */
export interface PhysicsChoice extends BandChoice {
	mapFft: boolean;
	cut?: number[];
	peakShape?: PeakShape;
	ring?: number[] | true;
	symmetrised?: PointGroup[];
	phase?: QRegion | true;
}

/** Of a region's disks, so many at most. */
const MOST = 12;

/** As commander wants it refused. */
const typed =
	<T>(read: (text: string) => T) =>
	(text: string): T => {
		try {
			return read(text);
		} catch (error) {
			throw new InvalidArgumentError((error as Error).message);
		}
	};

const region = (text: string): QRegion => {
	const parts = text
		.split(";")
		.map((part) =>
			part.split(",").map((v) => (v.trim() === "" ? Number.NaN : Number(v))),
		);
	const fits = parts.every(
		(p) => p.every(Number.isFinite) && (p.at(-1) ?? 0) > 0,
	);
	if (fits && parts.length === 1 && parts[0].length === 2 && parts[0][0] > 0)
		return { kind: "ring", q: parts[0][0], width: parts[0][1] };
	if (fits && parts.length <= MOST && parts.every((p) => p.length === 3))
		return {
			kind: "disks",
			disks: parts.map(([x, y, radius]) => ({ x, y, radius })),
		};
	throw new InvalidArgumentError(
		"Expected a ring q,width or disks qx,qy,radius;qx,qy,radius in 1/Angstrom.",
	);
};

/** Adds the options that ask for more than the kernel. */
export function physicsOptions(command: Command): Command {
	return bandOptions(command)
		.option("--no-map-fft", "no |FFT| of the map beside the kernel's")
		.option(
			"--cut <degrees>",
			"line cuts E(q) along these directions from the x axis, with fitted peaks and branches: 0,45",
			typed(cutsOf),
		)
		.addOption(
			new Option(
				"--peak-shape <name>",
				"line that is fitted to peaks of cuts; a window-limited one is nearer to the Gaussian, the default",
			).choices(["lorentzian", "gaussian"] as const),
		)
		.option(
			"--ring [q]",
			"|F| around the ring of q*, or around these |q| in 1/Angstrom",
			typed(ringsOf),
		)
		.option(
			"--symmetrised <groups>",
			`symmetrised kernels beside the kernel: some of ${POINT_GROUPS.join(",")}`,
			typed(groupsOf),
		)
		.option(
			"--phase [region]",
			"of a stack with +E and -E: the integral of Re[F(q,+E) - F(q,-E)], for the signs of gaps, over all q, a ring q,width or disks qx,qy,radius;... (1/Angstrom)",
			region,
		);
}

/** What the program calls them. Throws FormatError or RangeError where the band cannot be had. */
export async function physicsChoice(
	options: PhysicsChoice,
): Promise<PhysicsOptions> {
	const { mapFft, cut, peakShape, ring, symmetrised, phase } = options;
	return {
		...{ mapFft, cut, peakShape, symmetrised },
		ring: ring === true ? "q*" : ring,
		phase: phase === true ? { kind: "all" } : phase,
		theory: await bandChoice(options),
	};
}
