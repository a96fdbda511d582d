/** Phase-referenced maps at opposite energies, and rho_-(E), of each kind. */
import { axisOptions, lineConfig, panels } from "../../drawing/charts.ts";
import { clipLimit, diverging, OKABE_ITO } from "../../drawing/colour.ts";
import { type Panel, panelGrid } from "../../drawing/panels.ts";
import { superscript } from "../../drawing/picture.ts";
import { evenly } from "../../qpi/maths/evenly.ts";
import { maxOf } from "../../qpi/maths/extremes.ts";
import {
	type PhaseReferenced,
	phaseReferenced,
	type QRegion,
	realSpectrum,
} from "../findings/phaseReferenced.ts";
import { csv } from "./csv.ts";
import { errorsOf, type Item } from "./item.ts";
import type { Analysis } from "./items.ts";
import { reachOf } from "./spectrumPanel.ts";
import type { Supplement } from "./supplement.ts";

interface OfKind {
	readonly kind: number;
	readonly items: readonly Item[];
	readonly of: PhaseReferenced;
}

/** Maps that are drawn of each kind, and points of q a side. */
const [MAPS, SIDE] = [6, 96];

/** What region is integrated over, for people. */
const regionText = (region: QRegion): string =>
	region.kind === "all"
		? "all q beyond the window's disk about zero"
		: region.kind === "ring"
			? `the ring |q| = ${region.q} ± ${region.width} 1/Å`
			: `${region.disks.map(({ x, y, radius }) => `the disk of ${radius} 1/Å about (${x}, ${y})`).join(", ")} and opposite`;

export function phaseSupplement(
	analysis: Analysis,
	region: QRegion,
): Supplement {
	const { items, kinds, taken } = analysis;
	const series = kinds.map((kind): OfKind => {
		const mine = items.filter(
			({ kind: of, task, failed }) =>
				of === kind && task.energy !== undefined && !failed,
		);
		const kernels = mine.map((item) => {
			const { samples, groups } = errorsOf(item) as Partial<Item>;
			const { kernel, task } = item;
			return { energy: task.energy ?? 0, kernel, samples, groups };
		});
		return {
			...{ kind, items: mine },
			of: phaseReferenced(kernels, taken.pixel, region),
		};
	});
	if (series.every(({ of }) => of.points.length === 0))
		return {
			...{ pictures: [], files: [], result: { phase: null } },
			findings: [
				`phase: no energy of the file has its opposite there${items.some(({ failed }) => failed) ? ", energies whose extraction failed left out" : ""}: rho_- needs pairs +E and -E`,
			],
		};
	const where = regionText(region);
	return {
		pictures: [
			[
				"phase",
				"Opposite energies, phase-referenced",
				`The integral of Re[F(q, +E) − F(q, −E)] over ${where}; dashed: one standard deviation; grey: the sum in place of the difference. For a weak non-magnetic scatterer and q between two bands it keeps one sign from the smaller to the larger gap where the gaps have opposite signs, and is smaller and changes its sign where they have the same (Hirschfeld et al., Phys. Rev. B 92, 184513 (2015)). It needs a stabilisation that treats +E and −E alike.`,
				curves(series, kinds.length > 1, taken.unit || "of the kernel's unit"),
			],
			[
				"phase-maps",
				"Re[F(+E) − F(−E)]",
				"The kernel's transform about the scatterer at +E less that at −E, under a radial Hann window; zero in the middle of each scale. Circles: the region of the integral.",
				panelGrid(
					series.flatMap((s) => mapsOf(analysis, s, region, kinds.length > 1)),
					{ columns: 3, size: 220 },
				),
			],
		],
		files: [["phase.csv", tableOf(series)]],
		result: {
			phase: {
				region,
				kinds: series.map(({ kind, of }) => ({
					kind,
					points: of.points.map(({ energy, odd, even, error }) => ({
						...{ energy, odd, even, error },
					})),
					signChanges: of.changes,
				})),
			},
		},
		findings: series.flatMap(({ kind, of }) =>
			of.points.length
				? [
						`phase${kinds.length > 1 ? ` of kind ${kind}` : ""}: rho_- over ${where}, ${of.points.length} pairs of energies; ${sentence(of)}`,
					]
				: [],
		),
	};
}

const meV = (energy: number) => (1000 * energy).toFixed(1);

function sentence({ points, changes }: PhaseReferenced): string {
	const most = points.reduce((a, b) =>
		Math.abs(b.odd) > Math.abs(a.odd) ? b : a,
	);
	const top = `greatest at ${meV(most.energy)} meV (${most.odd.toPrecision(3)}${most.error ? `, ${Math.abs(most.odd / most.error).toFixed(0)} sigma` : ""})`;
	return `${top}; ${
		changes.length
			? `its sign changes between ${changes.map(([a, b]) => `${meV(a)} and ${meV(b)} meV`).join(", ")}`
			: "no change of sign that stands out"
	}`;
}

function curves(series: readonly OfKind[], several: boolean, unit: string) {
	const colours = [OKABE_ITO.blue, OKABE_ITO.vermilion, OKABE_ITO.green];
	const most = maxOf(
		series.flatMap(({ of: { points } }) =>
			points.flatMap(({ odd, even }) => [Math.abs(odd), Math.abs(even)]),
		),
	);
	const power = most > 0 ? Math.floor(Math.log10(most)) : 0;
	const sets = series.flatMap(({ kind, of: { points } }, i) => {
		const colour = colours[i % colours.length];
		const which = several ? `, kind ${kind}` : "";
		const set = (
			label: string,
			value: (p: (typeof points)[number]) => number,
			more: object,
		) => ({
			label,
			data: points.map((p) => ({
				x: 1000 * p.energy,
				y: value(p) / 10 ** power,
			})),
			...{ borderColor: colour, backgroundColor: colour, pointRadius: 0 },
			...{ pointStyle: "line" as const, borderWidth: 0.9, ...more },
		});
		const dashed = { borderDash: [3, 3] };
		return [
			set(`ρ₋${which}`, (p) => p.odd, {
				...{ borderWidth: 1.8, pointRadius: 3, pointStyle: "circle" },
			}),
			...(points.every(({ error }) => error !== null)
				? [1, -1].map((sign) =>
						set(
							sign > 0 ? `ρ₋${which}, ± one standard deviation` : "",
							(p) => p.odd + sign * (p.error ?? 0),
							dashed,
						),
					)
				: []),
			set(`ρ₊${which}`, (p) => p.even, {
				borderColor: OKABE_ITO.grey,
				backgroundColor: OKABE_ITO.grey,
			}),
		];
	});
	return panels(
		[
			lineConfig(
				"Integrals of Re[F(+E) ∓ F(−E)]",
				sets,
				axisOptions("energy (meV)"),
				axisOptions(`ρ (10${superscript(power)} ${unit})`),
			),
		],
		640,
		400,
	);
}

function mapsOf(
	analysis: Analysis,
	{ kind, items, of }: OfKind,
	region: QRegion,
	several: boolean,
): Panel[] {
	const { pixel } = analysis.taken;
	const disks = region.kind === "disks" ? region.disks : [];
	const rings = disks.flatMap(({ x, y, radius }) => [
		{ x, y, radius },
		{ x: -x, y: -y, radius },
	]);
	const far = rings.map(({ x, y, radius }) => Math.hypot(x, y) + 1.3 * radius);
	const reach = Math.min(Math.PI / pixel, Math.max(reachOf(analysis), ...far));
	const step = (2 * reach) / SIDE;
	const edges: [number, number] = [
		(-SIDE / 2 - 0.5) * step,
		(SIDE / 2 - 0.5) * step,
	];
	const circles =
		region.kind === "ring"
			? [region.q - region.width, region.q + region.width].filter((q) => q > 0)
			: [];
	return evenly([...of.points], MAPS).map(({ energy, plus, minus }): Panel => {
		const [a, b] = [plus, minus].map((i) =>
			realSpectrum(items[i].kernel, pixel, SIDE, step),
		);
		const values = a.map((v, p) => v - b[p]);
		const limit = clipLimit(values);
		return {
			title: `±${meV(energy)} meV${several ? `, kind ${kind}` : ""}`,
			field: { values, nx: SIDE, ny: SIDE, x: edges, y: edges },
			...{ colours: diverging, range: [-limit, limit] as const },
			unit: `${analysis.taken.unit} Å²`.trim(),
			axes: "1/Å",
			...{ circles, rings },
		};
	});
}

const tableOf = (series: readonly OfKind[]): string =>
	csv([
		[
			...["kind", "energy (eV)", "rho_-", "its standard deviation", "rho_+"],
			"its standard deviation",
		],
		...series.flatMap(({ kind, of }) =>
			of.points.map(({ energy, odd, even, error }) => [
				...[kind, energy, odd, error ?? "", even, error ?? ""],
			]),
		),
	]);
