/** A band's joint density of states and T matrix beside the kernel's |FFT|, its lines over the cuts E(q), and a fit of its numbers. */

import { OKABE_ITO } from "../../drawing/colour.ts";
import type { HeatLayer } from "../../drawing/heat.ts";
import type { Panel } from "../../drawing/panels.ts";
import type { Band } from "../../qpi/generator/bands.ts";
import { maxOf, minOf } from "../../qpi/maths/extremes.ts";
import { smooth } from "../../qpi/maths/realFft.ts";
import {
	type BandFit,
	fitBand,
	type MeasuredQ,
} from "../../qpi/theory/fitBand.ts";
import { jointDensity, tMatrixPattern } from "../../qpi/theory/green.ts";
import { centresOf, energiesOfQ } from "../../qpi/theory/lines.ts";
import {
	cellOf,
	type Hoppings,
	type TheoryBand,
} from "../../qpi/theory/model.ts";
import { type BandSource, bandOf, familyOf } from "../../qpi/theory/source.ts";
import { patternSpectrum } from "../../qpi/theory/spectrum.ts";
import { qPointOf } from "../findings/dispersion.ts";
import { SECTOR, withError } from "../findings/spectrum.ts";
import { csv } from "./csv.ts";
import type { CutSeries, TheoryCut } from "./cuts.ts";
import { spectrumTable } from "./fftBeside.ts";
import type { Analysis } from "./items.ts";
import { reachOf, spectrumPanel } from "./spectrumPanel.ts";
import type { Supplement } from "./supplement.ts";
import { theoryCuts, theoryCutTable } from "./theoryCuts.ts";

/** Sides in Angstrom and the angle between them in degrees. */
export interface Lattice {
	readonly a: number;
	readonly b: number;
	readonly angle: number;
}

export interface TheoryOptions {
	readonly band:
		| { readonly kind: "formula"; readonly band: Band }
		| {
				readonly kind: "hoppings";
				readonly hoppings: Hoppings;
				readonly lattice: Lattice;
		  };
	/** What it is, for people. */
	readonly name: string;
	/** Of the crystal's a (or x) axis from the image's x axis, degrees. */
	readonly turn?: number;
	/** Of the hoppings' energies, what the measurement calls zero, eV. */
	readonly fermi?: number;
	/** eV. */
	readonly broadening?: number;
	/** Of the scatterer: eV on a lattice, eV A^2 in a continuum. */
	readonly potential?: number;
	/** Numbers of the band that are fitted to the measured wave vectors. */
	readonly fit?: readonly string[];
}

export interface Theory {
	/** Right of map and kernel. */
	readonly panels: readonly Panel[];
	/** Over the cuts, of each series. */
	readonly lines: readonly (readonly HeatLayer[])[];
	/** Beside the cuts, of each direction; none of single images. */
	readonly cuts: readonly TheoryCut[];
	/** What the band is, for the foot of those. */
	readonly notes: readonly string[];
	readonly supplement: Supplement;
}

/** eV: a lifetime of typical scans; electron masses and lattices alike. */
const BROADENING = 0.005;
/** eV on a lattice's point, eV A^2 in a continuum: weak in both. */
const [ON_SITE, ON_AREA] = [0.1, 10];
/** Points of the theory's grid a side, and of its window's radius at most. */
const [POINTS, MORE] = [512, 1024];
const FINE = 4.1;
/** Orbitals whose Green's functions have room. */
const MOST_ORBITALS = 32;

/** @throws RangeError where the band does not have what is to be fitted, or is too large */
export function theoryOf(
	analysis: Analysis,
	options: TheoryOptions,
	series: readonly CutSeries[],
): Theory {
	const { shown, taken } = analysis;
	const { turn = 0, fermi = 0, broadening = BROADENING, fit: names } = options;
	const { size, step } = shown.spectrum;
	const reach = ((shown.extraction.size - 1) / 2) * taken.pixel;
	const source = sourceOf(options, taken.pixel, reach, turn, fermi);
	const measured = pointsOf(analysis, series);
	const family = names?.length ? familyOf(source, names) : null;
	const fit = family && fitBand(family, measured);
	const fitted = fit && typeof fit !== "string" ? fit : null;
	const band = family && fitted ? family.at(fitted.values) : bandOf(source);
	if (band.orbitals > MOST_ORBITALS)
		throw new RangeError(
			`theory: the band has ${band.orbitals} orbitals, expected at most ${MOST_ORBITALS}`,
		);
	const energy = shown.task.energy ?? 0;
	const potential = options.potential ?? (band.continuum ? ON_AREA : ON_SITE);
	const shortest = Math.min(
		Math.hypot(...band.cell.a),
		Math.hypot(...band.cell.b),
	);
	const points = Math.min(
		MORE,
		Math.max(
			// Far waves that come round a small grid would stand there as four-fold patterns.
			band.orbitals > 8 ? POINTS / 2 : band.orbitals > 2 ? POINTS : MORE,
			smooth(Math.ceil((1.2 * FINE * reach) / shortest), 2),
		),
	);
	const at = { energy, broadening, points };
	const grid = { size, step, reach };
	const [jdos, tMatrix] = [
		jointDensity(band, at),
		tMatrixPattern(band, at, potential),
	].map((pattern) => patternSpectrum(pattern, band.cell, grid));
	const told = `at ${(1000 * energy).toFixed(0)} meV${shown.task.energy === undefined ? " (the file does not say)" : ""}, broadening ${(1000 * broadening).toFixed(1)} meV`;
	const far = reachOf(analysis);
	const what = fitted ? "fitted band" : "band as given";
	const panel = (title: string, of: typeof jdos, note: string) =>
		spectrumPanel(
			title,
			of,
			far,
			[`${what} ${told}`, note],
			shown.peak ? [shown.peak.q] : [],
		);
	// Far waves that come round the grid would stand there: a wider one, whose points are a pixel apart, for cuts show no q beyond a band's own.
	const wide = sourceOf(options, 2 * taken.pixel, reach, turn, fermi);
	const cuts = theoryCuts(
		names && fitted ? familyOf(wide, names).at(fitted.values) : bandOf(wide),
		series,
		{ broadening, points },
		potential,
	);
	const files: [string, string][] = [
		["theory-jdos.csv", spectrumTable(jdos)],
		["theory-tmatrix.csv", spectrumTable(tMatrix)],
	];
	const lines = series.map(({ degrees }) =>
		linesOf(band, degrees, series, Math.PI / taken.pixel),
	);
	files.push(["theory-lines.csv", lineTable(series, lines)]);
	if (cuts.length)
		files.push([
			"theory-cuts.csv",
			theoryCutTable(cuts, series[0].cuts[0].outgoing.q),
		]);
	const numbers = family && fitted ? valuesOf(family.names, fitted) : "";
	return {
		cuts,
		notes: [
			numbers ? `fitted: ${numbers}` : `as given: ${options.name}`,
			`broadening ${(1000 * broadening).toFixed(1)} meV, potential ${potential} ${band.continuum ? "eV Å²" : "eV"}`,
		],
		panels: [
			panel(
				"Theory: joint density of states",
				jdos,
				"under the kernel's window, on its q grid",
			),
			panel(
				"Theory: point scatterer (T matrix)",
				tMatrix,
				`scalar potential ${potential} ${band.continuum ? "eV Å²" : "eV"}; the kernel's window and q grid`,
			),
		],
		lines: lines.map((of) => of.map(layerOf(fitted ? "fitted " : ""))),
		supplement: {
			pictures: [],
			files,
			result: {
				theory: {
					band: options.name,
					...{ turn, fermi, energy, broadening, potential, points },
					lattice:
						options.band.kind === "hoppings" ? options.band.lattice : null,
					window: `radial Hann to ${reach.toFixed(1)} A, as the kernel's`,
					files: files.map(([name]) => name),
					wavevectors: measured.length,
					fit:
						family && fitted
							? { names: family.names, start: family.start, ...fitted }
							: null,
					reason: typeof fit === "string" ? fit : null,
				},
			},
			findings: [
				`theory: ${options.name}, ${told}`,
				...(family && fitted
					? [`theory: ${sentence(family.names, fitted, measured.length)}`]
					: typeof fit === "string"
						? [`theory: no fit: ${fit}`]
						: []),
			],
		},
	};
}

function sourceOf(
	{ band }: TheoryOptions,
	pixel: number,
	reach: number,
	turn: number,
	fermi: number,
): BandSource {
	const radians = (turn * Math.PI) / 180;
	if (band.kind === "formula")
		return {
			...band,
			// half a pixel, for waves are squared; no finer than the window has room for
			spacing: Math.max(pixel / 2, (FINE * reach) / POINTS),
			turn: radians,
		};
	const { a, b, angle } = band.lattice;
	return {
		kind: "hoppings",
		hoppings: band.hoppings,
		cell: cellOf(a, b, angle, radians),
		fermi,
	};
}

/** Of the branches along the cuts of the kind that is shown; else its peaks along them, else the mean q* of each energy. */
function pointsOf(
	{ shown, items }: Analysis,
	series: readonly CutSeries[],
): MeasuredQ[] {
	const mine = series.filter(({ kind }) => kind === shown.kind);
	let branch = 0;
	const along = mine.flatMap(({ degrees, branches, cuts }) => {
		const direction = (degrees * Math.PI) / 180;
		const lists = branches.length
			? branches.map(({ points }) => points.filter(({ merged }) => !merged))
			: cuts.flatMap(({ item, peaks: [peak] }) =>
					peak && cuts.length < 3
						? [[{ energy: item.task.energy ?? 0, peak }]]
						: [],
				);
		return lists.flatMap((points) => {
			branch++;
			return points.map(({ energy, peak }): MeasuredQ => {
				const { q, error, systematic } = qPointOf(energy, peak);
				return {
					...{ energy, q, error, systematic, direction, branch },
					width: SECTOR,
				};
			});
		});
	});
	if (along.length > 0) return along;
	return items.flatMap(({ kind, task, peak }) =>
		kind === shown.kind && peak && task.energy !== undefined
			? [{ ...qPointOf(task.energy, peak), direction: null, branch: 0 }]
			: [],
	);
}

interface Line {
	readonly degrees: number;
	readonly centre: string;
	/** From 1, the lowest first. */
	readonly band: number;
	readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Steps of q along a line. */
const STEPS = 160;

/** Those of the band that cross the measured energies. */
function linesOf(
	band: TheoryBand,
	degrees: number,
	series: readonly CutSeries[],
	nyquist: number,
): Line[] {
	const energies = series.flatMap(({ cuts }) =>
		cuts.map(({ item }) => item.task.energy ?? 0),
	);
	const [low, high] = [minOf(energies), maxOf(energies)];
	return centresOf(band).flatMap((centre) => {
		const q = Array.from(
			{ length: STEPS + 1 },
			(_, i) => (i / STEPS) * nyquist,
		);
		const values = q.map((v) =>
			energiesOfQ(band, centre, (degrees * Math.PI) / 180, v),
		);
		return Array.from({ length: band.orbitals }, (_, b): Line => {
			const points = q.map((x, i) => ({ x, y: 1000 * values[i][b] }));
			return { degrees, centre: centre.name, band: b + 1, points };
		}).filter(({ points }) =>
			points.some(
				({ y }, i) =>
					i > 0 &&
					Math.max(y, points[i - 1].y) >= 1000 * low &&
					Math.min(y, points[i - 1].y) <= 1000 * high,
			),
		);
	});
}

/** By centre; black is Γ. */
const COLOURS: Record<string, string> = {
	Γ: "#111111",
	X: OKABE_ITO.orange,
	Y: OKABE_ITO.grey,
	M: OKABE_ITO.green,
};

const layerOf =
	(which: string) =>
	({ centre, band, points }: Line): HeatLayer => ({
		name: `theory, ${which}band ${band}: q = 2k about ${centre}`,
		colour: COLOURS[centre],
		...{ points, line: true, dashed: true },
	});

const valuesOf = (
	names: readonly string[],
	{ values, errors }: BandFit,
): string =>
	names
		.map(
			(name, i) =>
				`${name} = ${withError(values[i], errors[i]).replace("+-", "±")}`,
		)
		.join(", ");

const sentence = (
	names: readonly string[],
	fit: BandFit,
	count: number,
): string => {
	const { chi2, degrees, inflation, centres } = fit;
	return `fit to ${count} wave vectors, scattering back about ${[...new Set(centres)].join(", ")}: ${valuesOf(names, fit)} (chi2/dof = ${(chi2 / degrees).toFixed(2)}${inflation > 1 ? `; errors scaled by ${inflation.toFixed(1)}` : ""})`;
};

const lineTable = (
	series: readonly CutSeries[],
	lines: readonly (readonly Line[])[],
): string =>
	csv([
		["direction (degrees)", "centre", "band", "q (1/Angstrom)", "energy (eV)"],
		...lines
			// one series a direction: kinds have the same lines
			.filter(
				(_, i) =>
					series.findIndex((s) => s.degrees === series[i].degrees) === i,
			)
			.flat()
			.flatMap(({ degrees, centre, band, points }) =>
				points.map(({ x, y }) => [degrees, centre, band, x, y / 1000]),
			),
	]);
