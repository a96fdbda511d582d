/** Scatterers too near each other to be seen as two at first. */
import { MapConvolution } from "../../qpi/operator/convolution.ts";
import { kindOf } from "../kernels/refineMap.ts";
import { completed } from "./complete.ts";
import { parted } from "./heavy.ts";
import { placesOf } from "./places.ts";
import type { Report, Searched } from "./searched.ts";
import { findActivation } from "./sparseSteps.ts";
import { judged, type State } from "./state.ts";
import { strongest } from "./turns.ts";
import { unit } from "./windows.ts";

/** The threshold, share of the strongest correlation, and steps: far more than it takes to find the others. */
const FINE = { lambda: 0.03, steps: 150 };
/** Times that scatterers are taken for two at most: of three one is left. */
const HALVINGS = 4;

/**
 * Each kind's places from a finer activation of its kernel, which is known well by now, the other kinds taken away; then those that two explain better as two. Kept where the judge likes
 * them better.
 */
export async function takenApart(
	searched: Searched,
	state: State,
	report: Report,
): Promise<State> {
	const { size, signed, white } = searched;
	let best = state;
	const isBetter = async (sites: State["map"]["sites"]): Promise<boolean> => {
		const done = await completed({ ...best.map, sites }, size, signed, {
			...{ white, sure: true, lambda: best.fit.lambda },
			report: (marks) => report("near ones", undefined, marks),
		});
		const next = await judged(done, size);
		const better = next.judgement.score > best.judgement.score;
		if (better) best = next;
		return better;
	};
	for (let kind = 0; kind < state.map.kinds; kind++)
		await isBetter([
			...best.map.sites.filter((site) => site.kind !== kind),
			...finePlaces(searched, best, kind),
		]);
	for (let time = 0; time < HALVINGS; time++) {
		const sites = parted(best.map, best);
		if (!(sites && (await isBetter(sites)))) break;
	}
	return best;
}

function finePlaces(
	{ signed, size }: Searched,
	{ map, fit, rest }: State,
	kind: number,
): State["map"]["sites"] {
	const { nx, ny, pixel, weights } = map;
	const kernel = kindOf(fit, kind);
	// What is left, and this kind's own part.
	const own = fit.system.operator.applySpectrum(
		fit.system.operator.spectrum(kernel),
		undefined,
		kind,
	);
	const image = rest.map((v, p) => (weights[p] > 0 ? v + own[p] : 0));
	const convolution = new MapConvolution(nx, ny, size);
	const shape = unit(kernel);
	const match = convolution.mapOf(
		convolution.kernelSpectrum(shape),
		image.map((v, p) => v * weights[p]),
	);
	const lambda = FINE.lambda * strongest(match, signed);
	const x = findActivation(
		{ convolution, map: image, weights, lambda, mu: 0, signed },
		shape,
		new Float64Array(nx * ny),
		FINE.steps,
	);
	return placesOf(x, nx, ny, pixel).map((site) => ({ ...site, kind }));
}
