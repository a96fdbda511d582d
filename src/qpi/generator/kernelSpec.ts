import type { Band } from "./bands.ts";

/** One place of a scatterer, relative to its centre, in Angstrom, in the crystal's axes. */
export interface Site {
	x: number;
	y: number;
	/** s-wave phase shift in radians, or "black" for an absorber (f = -1/2): one-orbital bands. */
	phase?: number | "black";
	/** Potentials (v0, vz) of V = v0 + vz sz: two-orbital bands; eV on a lattice, eV A^2 in a continuum. */
	potential?: [number, number];
}

/** What a kernel is made from; plain JSON. */
export interface KernelSpec {
	/** From 1; the published set's "Kernel number". */
	number: number;
	/** Material or model, and scatterer: the same at several energies. */
	family: string;
	/** Order of the kernel's rotational symmetry. */
	symmetry: 1 | 2 | 3 | 4 | 6;
	/** eV from the Fermi level. */
	energy: number;
	/** Crystal's x axis from the image's x axis, radians. */
	rotation: number;
	/** Imaginary part of the energy in eV: lifetime, temperature and lock-in modulation together. */
	broadening: number;
	band: Band;
	sites: Site[];
}
