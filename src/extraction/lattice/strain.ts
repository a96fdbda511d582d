/** The linear map that puts measured Bragg peaks where a known lattice has them, with as little turning as may be. */
import { maxOf } from "../../qpi/maths/extremes.ts";
import {
	inverse,
	length,
	type Matrix,
	type Pair,
	product,
	rotation,
	rows,
	times,
	type Vector,
} from "./lattice.ts";

/**
 * The map M of places, r to M r, under which waves of the measured wave vectors get the ideal ones, turned as a whole so that M is nearest to the identity (then it
 * is symmetric: a pure strain).
 */
export function calibration(
	measured: Pair,
	ideal: Pair,
): { readonly matrix: Matrix; readonly peaks: Pair } {
	const plain = product(inverse(rows(ideal)), rows(measured));
	const angle = Math.atan2(plain.xy - plain.yx, plain.xx + plain.yy);
	const turn = rotation(angle);
	return {
		matrix: product(turn, plain),
		peaks: [times(turn, ideal[0]), times(turn, ideal[1])],
	};
}

/** Largest element of M - 1; infinite where the pairs are of different hands. */
export function strain(measured: Pair, ideal: Pair): number {
	const hand = ([p, q]: Pair) => Math.sign(p.x * q.y - p.y * q.x);
	if (hand(measured) !== hand(ideal)) return Number.POSITIVE_INFINITY;
	const { matrix: m } = calibration(measured, ideal);
	return maxOf([m.xx - 1, m.yy - 1, m.xy, m.yx].map((v) => Math.abs(v)));
}

/** Whether a wave vector is shorter than both components of Nyquist allow. */
export const within = (
	q: Vector,
	spacing: { readonly x: number; readonly y: number },
): boolean =>
	length(q) > 0 &&
	Math.abs(q.x) < Math.PI / spacing.x &&
	Math.abs(q.y) < Math.PI / spacing.y;
