/** The patterns of a map's scatterers: one or several kinds in the same electrons. */
import type { Random } from "../../random.ts";
import { correlation } from "../scores/metrics.ts";
import { orbitals } from "./bands.ts";
import { randomKernel } from "./families.ts";
import { kernelModel } from "./kernel.ts";
import type { KernelSpec } from "./kernelSpec.ts";

export interface MapPattern {
	/** The scatterer's family; of further kinds the first one's, whose band it is, and the one that the sites are of. */
	readonly family: string;
	/** At (x, y) in Angstrom from the scatterer; unit root mean square within 60 A. */
	evaluate(x: number, y: number): number;
}

/** Angstrom: how far a pattern goes; it fades out over the last sixth. The generator's tables are good to 640. */
const REACH = 600;
/** Angstrom: patterns are scaled, and compared, within this radius. */
const NEAR = 60;
/** Kinds whose patterns correlate more than this, with either sign, cannot be told apart. */
const ALIKE = 0.8;

/** Patterns of `count` kinds: a random kernel, and other sites in its band, at its energy. */
export function drawPatterns(random: Random, count: number): MapPattern[] {
	let first = randomKernel(random);
	if (count === 1) return [patternOf(first)];
	// Sites are laid on other bands than their own only where both have one orbital.
	while (orbitals(first.band) > 1) first = randomKernel(random);
	// The analytic Green's function of "surface" is for single sites; "free" is the same band with one for any.
	if (first.band.kind === "surface")
		first = { ...first, band: { ...first.band, kind: "free" } };
	const found = [patternOf(first)];
	while (found.length < count) {
		const { family, band, sites } = randomKernel(random);
		if (orbitals(band) > 1) continue;
		const next = patternOf({
			...first,
			family: `${first.family}: ${family}`,
			sites,
		});
		const alike = ({ near }: { near: number[] }) =>
			Math.abs(correlation(near, next.near)) > ALIKE;
		if (!found.some(alike)) found.push(next);
	}
	return found;
}

/** A kernel's pattern, and a sample of it near the scatterer. */
function patternOf(spec: KernelSpec): MapPattern & { readonly near: number[] } {
	const model = kernelModel(spec);
	const near: number[] = [];
	for (let x = -NEAR; x <= NEAR; x += 3)
		for (let y = -NEAR; y <= NEAR; y += 3)
			if (Math.hypot(x, y) <= NEAR) near.push(model.evaluate(x, y));
	const power = near.reduce((sum, v) => sum + v * v, 0) / near.length;
	const scale = 1 / Math.sqrt(power);
	return {
		family: spec.family,
		near,
		evaluate(x, y) {
			const r = Math.sqrt(x * x + y * y);
			if (r >= REACH) return 0;
			const fading = Math.max(0, (6 * r) / REACH - 5);
			const window = (1 + Math.cos(Math.PI * fading)) / 2;
			return scale * window * model.evaluate(x, y);
		},
	};
}
