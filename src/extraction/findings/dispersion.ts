/**
 * q(E) of a stack of kernels and the parabola through it. A wave that is scattered back changes its momentum by q = 2k, so that a free-electron-like band
 * `E = E0 + hbar^2 k^2 / 2m` reads `E = E0 + hbar^2 (q/2)^2 / 2m` (Crommie, Lutz & Eigler, Nature 363, 524 (1993); Hasegawa & Avouris, Phys. Rev. Lett. 71, 1071 (1993)).
 */
import { fitParabola, meV, type ParabolaFit, type QPoint } from "./parabola.ts";
import {
	heldPeaks,
	type Peak,
	type PeakOptions,
	type Profile,
	type ProfileOptions,
	profile,
	withError,
} from "./spectrum.ts";

export { fitParabola, type ParabolaFit, type QPoint } from "./parabola.ts";

/** What one energy says. */
export interface DispersionPoint {
	/** eV. */
	readonly energy: number;
	/** The peak on the branch; null when this energy has none. */
	readonly peak: Peak | null;
	/** All peaks of this energy that hold, most prominent first. */
	readonly candidates: readonly Peak[];
}

export interface Dispersion {
	/** In the order of the kernels. */
	readonly points: readonly DispersionPoint[];
	/** Null where a parabola means nothing; `reason` then says why. */
	readonly fit: ParabolaFit | null;
	readonly reason: string | null;
}

export interface DispersionOptions
	extends Omit<ProfileOptions, "uncertainty" | "samples" | "groups">,
		Omit<PeakOptions, "heldOut"> {
	/** Of each kernel, one standard deviation a pixel. */
	uncertainties?: readonly ArrayLike<number>[];
	/** Of each kernel, draws from its posterior. */
	samples?: readonly (readonly ArrayLike<number>[])[];
	/** Of each kernel, those with one group of scatterers left out each; undefined where there are none. */
	groups?: readonly (readonly ArrayLike<number>[] | undefined)[];
	/** Of each kernel, the share of the variance of held-out pixels that it explains; null where it is not known. */
	heldOut?: readonly (number | null)[];
}

/** Parts of a peak's systematic error that all energies have in common, and that each has of its own, as stacks of rings without noise have them (npm run bench:significance). */
const [COMMON, OWN] = [1.1, 0.3];

/**
 * q(E) of kernels of one scatterer at several energies (eV), along `direction` or over all directions, and its parabola.
 * @throws Error when the numbers of energies, kernels, uncertainties or samples differ, or an energy is not finite
 */
export function dispersion(
	energies: readonly number[],
	kernels: readonly ArrayLike<number>[],
	options: DispersionOptions = {},
): Dispersion {
	const { uncertainties, samples, groups, heldOut } = options;
	for (const [name, list] of Object.entries({
		kernels,
		uncertainties,
		samples,
		groups,
		heldOut,
	}))
		if (list && list.length !== energies.length)
			throw new Error(
				`dispersion: ${energies.length} energies but ${list.length} ${name}`,
			);
	if (!energies.every(Number.isFinite))
		throw new Error("dispersion: an energy is not a finite number");
	const profiles = kernels.map((kernel, i) =>
		profile(kernel, {
			...options,
			uncertainty: uncertainties?.[i],
			samples: samples?.[i],
			groups: groups?.[i],
		}),
	);
	return dispersionOf(energies, profiles, {
		...options,
		draws: samples?.map(({ length }) => length),
	});
}

/** The same from the kernels' profiles, where there are some already. */
export function dispersionOf(
	energies: readonly number[],
	profiles: readonly Profile[],
	options: Omit<PeakOptions, "heldOut"> &
		Pick<DispersionOptions, "heldOut"> & {
			/** Of each kernel, how many draws its errors are the spread of. */
			readonly draws?: readonly number[];
		} = {},
): Dispersion {
	const { heldOut, draws } = options;
	const candidates = profiles.map((of, i) =>
		heldPeaks(of, { ...options, heldOut: heldOut?.[i] }),
	);
	const branch = followBranch(energies, candidates);
	const points = energies.map((energy, i) => ({
		energy,
		peak: branch[i],
		candidates: candidates[i],
	}));
	const result = fitParabola(
		points.flatMap(({ energy, peak }, i) =>
			peak ? [qPointOf(energy, peak, draws?.[i])] : [],
		),
	);
	return typeof result === "string"
		? { points, fit: null, reason: result }
		: { points, fit: result, reason: null };
}

/** A peak at an energy (eV) as the parabola's fit takes it. @param draws how many its errors are the spread of */
export const qPointOf = (
	energy: number,
	peak: Peak,
	draws?: number,
): QPoint => ({
	energy,
	q: peak.q,
	error: Math.hypot(peak.statistical, OWN * peak.systematic),
	systematic: COMMON * peak.systematic,
	degrees: draws === undefined ? undefined : draws - 1,
});

/** Energies that a branch may leap over, and how far (1/A) a peak may well lie from the straight line of q^2 over E through the two before it. */
const [LEAP, TOLERANCE] = [6, 0.008];

/**
 * The branch through peaks at several energies (in any order): of all ways to pick at most one peak an energy, the one with the greatest sum of strengths (prominence over the
 * greatest of its energy) less the squares of its bends, by dynamic programming over pairs of neighbours. A bend is how far a q lies from where the two before it
 * point, along straight lines of q^2 over E, which parabolic bands follow and others nearly.
 * @returns one peak or null for each energy
 */
export function followBranch(
	energies: readonly number[],
	candidates: readonly (readonly Peak[])[],
): (Peak | null)[] {
	const order = energies
		.map((_, i) => i)
		.sort((a, b) => energies[a] - energies[b]);
	/** Paths by their last two peaks; `before` is the path without the last. */
	interface Path {
		readonly at: number;
		readonly peak: Peak;
		readonly before: Path | null;
		readonly score: number;
	}
	const ending: Path[][] = [];
	let best: Path | null = null;
	order.forEach((index, at) => {
		const strongest = candidates[index][0]?.prominence;
		ending[at] = candidates[index].flatMap((peak) => {
			const gain = peak.prominence / strongest;
			const paths: Path[] = [{ at, peak, before: null, score: gain }];
			// the best way to each peak that may come before this one
			for (let from = Math.max(0, at - LEAP); from < at; from++) {
				const reached = new Map<Peak, Path>();
				for (const path of ending[from]) {
					if (energies[order[from]] === energies[index]) continue;
					const score = path.score + gain - bend(path, peak, energies[index]);
					const known = reached.get(path.peak);
					if (!known || score > known.score)
						reached.set(path.peak, { at, peak, before: path, score });
				}
				paths.push(...reached.values());
			}
			return paths;
		});
		for (const path of ending[at])
			if (!best || path.score > best.score) best = path;
	});
	function bend(
		{ at, peak, before }: Path,
		next: Peak,
		energy: number,
	): number {
		if (!before) return 0;
		const [e0, e1] = [energies[order[before.at]], energies[order[at]]];
		const ratio = (energy - e1) / (e1 - e0);
		const expected = peak.q ** 2 + ratio * (peak.q ** 2 - before.peak.q ** 2);
		const off = (next.q ** 2 - expected) / (2 * next.q);
		// the line's own errors grow with the distance
		const spread =
			Math.hypot(1, 1 + ratio, ratio) * Math.max(TOLERANCE, next.error);
		return (off / spread) ** 2;
	}
	const branch: (Peak | null)[] = energies.map(() => null);
	for (let path: Path | null = best as Path | null; path; path = path.before)
		branch[order[path.at]] = path.peak;
	return branch;
}

/** The fit in one sentence, or why there is none. */
export function describeDispersion({
	points,
	fit,
	reason,
}: Dispersion): string {
	if (!fit) return `No parabola: ${reason}.`;
	const { mass, massError, bottom, bottomError, chi2, degrees } = fit;
	const notes = [`${fit.used} of ${points.length} energies`];
	if (degrees > 0) notes.push(`chi2/dof = ${(chi2 / degrees).toFixed(2)}`);
	if (fit.inflation >= 1.05)
		notes.push(`errors scaled by ${fit.inflation.toFixed(1)}`);
	if (fit.dropped.length)
		notes.push(`left out as outliers: ${fit.dropped.map(meV).join(", ")} meV`);
	if (fit.massSystematic > 0)
		notes.push(
			`of the errors ${withError(0, fit.massSystematic).split(" ").pop()} m_e and ${withError(
				0,
				fit.bottomSystematic * 1000,
			)
				.split(" ")
				.pop()} meV systematic`,
		);
	const kind = mass < 0 ? "hole-like, " : "";
	return `m* = ${withError(mass, massError)} m_e, E0 = ${withError(bottom * 1000, bottomError * 1000)} meV (${kind}${notes.join("; ")}).`;
}
