/** When an extraction failed: then nothing is claimed of its kernel. */

/** Below this share of the variance a kernel explains next to nothing of its image. */
export const LITTLE = 0.1;

/**
 * Why nothing is to be claimed of a kernel (no q*, symmetry, dispersion or missed scatterers, with or without errors); null where the extraction succeeded. What its errors say
 * does not matter: noise that is fitted has errors too, and maxima that stand out by them.
 * @param explained shares of the variance that the kernel explains: of held-out pixels, or where those are not known of the fitted ones
 */
export function failureOf(
	explained:
		| { readonly heldOut: number | null; readonly inSample: number }
		| undefined,
): string | null {
	if (!explained) return null;
	const { heldOut, inSample } = explained;
	const share = heldOut ?? inSample;
	// NaN, of a map without any variance, is no success.
	if (share >= LITTLE) return null;
	const said = Number.isFinite(share)
		? share.toFixed(Math.abs(share) < 0.0995 ? 3 : 2)
		: "nothing";
	return `the kernel explains ${said} of the variance of ${heldOut === null ? "the fitted" : "held-out"} pixels, expected ${LITTLE} or more`;
}
