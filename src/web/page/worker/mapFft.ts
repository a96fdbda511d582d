/** |FFT| of the map that a kernel is extracted from, and the lattice that is known, for the page's views. */
import {
	type MapImage,
	mapSpectrum,
} from "../../../extraction/findings/mapSpectrum.ts";
import type { LatticeCorrection } from "../../../extraction/lattice/correction.ts";
import {
	describeLattice,
	type Pair,
} from "../../../extraction/lattice/lattice.ts";
import { vectorsWithin } from "../../../extraction/lattice/notch.ts";
import { firstZone } from "../../../extraction/lattice/zone.ts";
import {
	describeSeen,
	type SeenLattice,
} from "../../../extraction/results/seenLattice.ts";
import { spectrumPanel } from "../../../extraction/results/spectrumPanel.ts";
import { aboutZero, asLinear } from "./aboutZero.ts";
import type { MapFft, ShownLattice } from "./analysisTypes.ts";

/** @param seen a lattice that some image of the file shows, where none was given */
export function mapFftOf(
	map: MapImage,
	correction: LatticeCorrection | undefined,
	seen: SeenLattice | undefined,
	linear = false,
): MapFft {
	const spectrum = mapSpectrum(map);
	const { spacing } = map;
	const panel = spectrumPanel("", spectrum, Math.PI / spacing, []);
	const known = correction
		? {
				peaks: correction.distortion.peaks,
				lattice: correction.distortion.known ?? correction.distortion.lattice,
				told: `lattice of ${describeLattice(correction.distortion.known ?? correction.distortion.lattice)}, its Bragg peaks as measured${correction.reference ? ` in ${correction.reference}` : ""}`,
				given: true,
			}
		: seen && {
				peaks: [seen.peaks[0], seen.peaks[1]] as Pair,
				lattice: seen.lattice,
				told: describeSeen(seen),
				given: false,
			};
	const field = aboutZero(panel);
	return {
		field: linear ? asLinear(field) : field,
		linear,
		note: spectrum.note,
		lattice: known ? drawn(known, spacing) : null,
	};
}

const drawn = (
	known: Omit<ShownLattice, "vectors" | "zone">,
	spacing: number,
): ShownLattice => ({
	...known,
	vectors: vectorsWithin(known.peaks, { x: spacing, y: spacing }, 2),
	zone: firstZone(known.peaks),
});
