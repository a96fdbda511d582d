/** Energies of a band along directions, as functions of the wave vector q = 2(k - k0) that scattering back from k to -k about a centre k0 has. */
import { EigenvalueDecomposition, Matrix as Real } from "ml-matrix";
import { Matrix } from "../maths/matrix.ts";
import { fractionsOf, type TheoryBand } from "./model.ts";

/** Where -k is k but for a reciprocal vector: pockets that a band with inversion has lie about these, in fractions of a* and b*. */
export const CENTRES = [
	{ name: "Γ", u: 0, v: 0 },
	{ name: "X", u: 0.5, v: 0 },
	{ name: "Y", u: 0, v: 0.5 },
	{ name: "M", u: 0.5, v: 0.5 },
] as const;
export type Centre = { name: string; u: number; v: number };

/** Those of a band: a continuum has one. */
export const centresOf = ({ continuum }: TheoryBand): readonly Centre[] =>
	continuum ? CENTRES.slice(0, 1) : CENTRES;

/** Eigenvalues of H at fractions (u, v), ascending, eV. */
export function energiesAt(
	band: TheoryBand,
	u: number,
	v: number,
): Float64Array {
	const n = band.orbitals;
	const h = new Matrix(n);
	band.hamiltonian(u, v, h);
	if (n === 1) return h.re;
	// [[Re, -Im], [Im, Re]] has each eigenvalue twice
	const real = new Real(2 * n, 2 * n);
	for (let i = 0; i < n; i++)
		for (let j = 0; j < n; j++) {
			const [re, im] = [h.re[i * n + j], h.im[i * n + j]];
			real.set(i, j, re);
			real.set(i + n, j + n, re);
			real.set(i, j + n, -im);
			real.set(i + n, j, im);
		}
	const values = Float64Array.from(
		new EigenvalueDecomposition(real, { assumeSymmetric: true })
			.realEigenvalues,
	).sort();
	return Float64Array.from({ length: n }, (_, i) => values[2 * i]);
}

/** Eigenvalues at k0 + q/2 along a direction (radians from the image's x axis). */
export function energiesOfQ(
	band: TheoryBand,
	centre: Centre,
	direction: number,
	q: number,
): Float64Array {
	const [u, v] = fractionsOf(
		band.cell,
		(q / 2) * Math.cos(direction),
		(q / 2) * Math.sin(direction),
	);
	return energiesAt(band, centre.u + u, centre.v + v);
}
