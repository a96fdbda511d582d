/** What to type for the results that the page has. */
import { shellWord } from "../../text.ts";
import type { PeakShape } from "../findings/peakFit.ts";
import type { PointGroup } from "../findings/pointGroups.ts";
import type { FindOptions } from "./findScatterers.ts";
import type { TakeOptions } from "./take.ts";

/** The options of `extract` that decide its results. */
export interface ExtractSettings
	extends Omit<TakeOptions, "scatterers" | "mask" | "find" | "onFind">,
		Omit<FindOptions, "seeds"> {
	/** Files' names. */
	readonly scatterers?: string;
	readonly mask?: string;
	/** A key of METHODS. */
	readonly method: string;
	/** Radius of the kernels, Angstrom. */
	readonly window?: number;
	readonly symmetry?: number;
	/** Whether `refined` may move scatterers: so it does where it is not said. */
	readonly adjust?: boolean;
	readonly seed: number;
	/** Where a search starts from. */
	readonly seedWindow?: FindOptions["seeds"];
	/** Those of PhysicsOptions; a ring of true is that of q*. */
	readonly cut?: readonly number[];
	readonly peakShape?: PeakShape;
	readonly ring?: readonly number[] | true;
	readonly symmetrised?: readonly PointGroup[];
	/** A folder's name, where they are not the shipped ones. */
	readonly weights?: string;
}

/** The command line that extracts from `files`, several of them as one series, with these settings; what is the default is left out. */
export const commandOf = (
	files: string | readonly string[],
	settings: ExtractSettings,
): string => {
	const names = [files].flat();
	return [
		"npx qpi-lens extract",
		...(names.length > 1 ? ["--series"] : []),
		// What begins with a dash would be taken for an option.
		...names.map((file) =>
			shellWord(file.startsWith("-") ? `./${file}` : file),
		),
		...argumentsOf(settings).map((argument) => {
			const [, option, value] = /^(--[^=]+=)(.*)$/s.exec(argument) ?? [];
			return option ? `${option}${shellWord(value)}` : argument;
		}),
	].join(" ");
};

/** The options of `extract` that say these settings, as a program is given them; what is the default is left out. */
export function argumentsOf(settings: ExtractSettings): string[] {
	const { crop, lattice, method, seed } = settings;
	const values: Record<string, unknown> = {
		channel: settings.channel,
		energy: settings.energy,
		image: settings.image,
		field: settings.field,
		crop:
			crop &&
			("size" in crop
				? [crop.x, crop.y, crop.size]
				: [crop.x, crop.y, crop.width, crop.height]
			).join(),
		axes: settings.axes,
		orientation: settings.orientation,
		mask: settings.mask,
		flatten: settings.flatten,
		background: settings.background,
		clip: settings.clip,
		"low-pass": settings.lowPass,
		pixel: settings.pixel,
		lattice: lattice && [lattice.a, lattice.b, lattice.angle].join(),
		bragg: settings.bragg,
		"bragg-width": settings.braggWidth,
		normalise: settings.normalise,
		max: settings.max,
		scatterers: settings.scatterers,
		kinds: settings.kinds,
		method: method === "auto" ? undefined : method,
		window: settings.window,
		symmetry: settings.symmetry,
		seed: seed === 1 ? undefined : seed,
		cut: settings.cut,
		"peak-shape": settings.peakShape,
		ring: settings.ring === true ? undefined : settings.ring,
		symmetrised: settings.symmetrised,
		weights: settings.weights,
	};
	return [
		...Object.entries(values)
			.filter(([, value]) => value !== undefined)
			// A negative number would be taken for an option.
			.map(([name, value]) => `--${name}=${value}`),
		...(settings.seedWindow ?? []).map(
			({ x, y, size }) => `--seed-window=${[x, y, size].join()}`,
		),
		...(settings.ring === true ? ["--ring"] : []),
		...(settings.repair === false ? ["--no-repair"] : []),
		...(settings.clusters === false ? ["--no-clusters"] : []),
		...(settings.stepEdges === false ? ["--no-steps"] : []),
		...(settings.drift ? ["--drift"] : []),
		...(settings.calibrate === false ? ["--no-calibrate"] : []),
		...(settings.signed ? ["--signed"] : []),
		...(settings.adjust === false ? ["--no-adjust"] : []),
		...(settings.detect ? ["--detect"] : []),
	];
}
