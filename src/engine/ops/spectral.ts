import { record } from "../autograd.ts";
import { lines } from "../dispatch.ts";
import { empty, show, type Tensor } from "../tensor.ts";

/**
 * Toeplitz operators on images, by transforms in shaders/spectral.wgsl: convolution on a periodic grid of n x n, whose corner of n/2 x n/2 is the image
 * and whose middle is the kernel. With that half to spare nothing that is kept has wrapped around.
 *
 * A filter is given by its spectrum S [B, n/2 + 1, n, 2] (index ky, then kx modulo n, then real and imaginary part), one a sample, of a real
 * filter: S(-k) = S(k)*, also within the rows ky = 0 and n/2. n is a power of two from 16 to 512.
 */

/** Grids whose lines fit into a workgroup's memory. */
const SIZES = [16, 32, 64, 128, 256, 512];

type Filter = "spectrum" | "conjugate" | "power";
const FILTERS: readonly Filter[] = ["spectrum", "conjugate", "power"];

/**
 * y = A x: x [B, m, m] lies in the middle of the grid (n >= m, zero around it), y [B, n/2, n/2] is the corner of its convolution with the filter,
 * y[r] = 1/n^2 sum_k S(k) X(k) exp(2 pi i k r / n). m is a multiple of 4. Differentiable in x; the spectrum is a constant.
 */
export function spectralConv(x: Tensor, spectrum: Tensor): Tensor {
	const n = check("spectralConv", x, spectrum);
	const side = x.shape[1];
	const y = filter(x, spectrum, "spectrum", n, middle(n, side), n / 2, 0);
	return record("spectralConv", y, [x], (dy, grads) =>
		grads.set(0, spectralConvAdjoint(dy, spectrum, side)),
	);
}

/**
 * x = A^T y, the adjoint of spectralConv: y [B, n/2, n/2] -> the middle x [B, side, side] of its correlation with the filter; the whole grid by
 * default. Differentiable in y; the spectrum is a constant.
 */
export function spectralConvAdjoint(
	y: Tensor,
	spectrum: Tensor,
	side = 2 * y.shape[1],
): Tensor {
	const n = check("spectralConvAdjoint", y, spectrum, 2);
	if (!(side > 0 && side % 4 === 0 && side <= n))
		throw new Error(
			`spectralConvAdjoint: y ${show(y.shape)} to a side of ${side}; expected a multiple of 4 up to ${n}`,
		);
	const x = filter(y, spectrum, "conjugate", n, 0, side, middle(n, side));
	return record("spectralConvAdjoint", x, [y], (dy, grads) =>
		grads.set(0, spectralConv(dy, spectrum)),
	);
}

/** A A^T y for y [B, n/2, n/2], A from the whole grid: at the price of spectralConv alone. Differentiable in y; the spectrum is a constant. */
export function spectralGram(y: Tensor, spectrum: Tensor): Tensor {
	const n = check("spectralGram", y, spectrum, 2);
	const z = filter(y, spectrum, "power", n, 0, n / 2, 0);
	return record("spectralGram", z, [y], (dy, grads) =>
		grads.set(0, spectralGram(dy, spectrum)),
	);
}

/**
 * The spectrum of points: points [B, J, 3] hold their shifts along x and y (in pixels, any fraction) and weights,
 * S(k) = sum_j w_j exp(2 pi i kx sx_j / n) exp(2 pi i ky sy_j / n), so that spectralConv gives y[r] = sum_j w_j x[r + s_j], r and s_j counted in the grid. At
 * the Nyquist frequency a factor is replaced by its real part: a real filter again, and exact for whole shifts. No gradient.
 */
export function pointSpectrum(points: Tensor, n: number): Tensor {
	const [batch, count, three] = points.shape;
	if (points.shape.length !== 3 || three !== 3 || !SIZES.includes(n))
		throw new Error(
			`pointSpectrum: points ${show(points.shape)} on a grid of ${n}; expected [B, J, 3] and one of ${SIZES.join(", ")}`,
		);
	const { gpu } = points;
	const quads = n / 8 + 1; // of frequencies from 0 to n/2
	const run = (
		entry: string,
		bindings: Record<string, Tensor>,
		threads: number,
	) =>
		gpu.run({
			shader: "spectral",
			entry,
			bindings,
			params: {
				...{ lines: threads, length: n, radix: 0, filtering: 0 },
				...{ side: count, start: 0, sideOut: 0, startOut: 0 },
			},
			workgroups: lines(gpu, threads),
		});
	const waves = empty(gpu, [batch, count, 2, quads, 8]);
	run("pointWaves", { points, waves }, waves.size / 8);
	const spectrum = empty(gpu, [batch, n / 2 + 1, n, 2]);
	run(
		"pointSpectrum",
		{ wavesIn: waves, result: spectrum },
		batch * quads * quads,
	);
	waves.dispose();
	return spectrum;
}

const middle = (n: number, side: number) => (n - side) / 2;

/** n, once the shapes of an image of at most n / part pixels a side and of the spectrum have been found to fit. */
function check(
	op: string,
	x: Tensor,
	spectrum: Tensor,
	part: 1 | 2 = 1,
): number {
	const [batch, side, columns] = x.shape;
	const n = spectrum.shape[2];
	const fits =
		spectrum.shape.length === 4 &&
		SIZES.includes(n) &&
		spectrum.shape[0] === batch &&
		spectrum.shape[1] === n / 2 + 1 &&
		spectrum.shape[3] === 2 &&
		x.shape.length === 3 &&
		side === columns &&
		(part === 2 ? side === n / 2 : side <= n && side % 4 === 0);
	if (!fits)
		throw new Error(
			`${op}: image ${show(x.shape)} and spectrum ${show(spectrum.shape)}; expected ${part === 2 ? "[B, n/2, n/2]" : "[B, m, m], m <= n a multiple of 4,"} and [B, n/2 + 1, n, 2] with n one of ${SIZES.join(", ")}`,
		);
	return n;
}

/** x [B, side, side] placed at (start, start) of the grid, filtered -> the part [B, sideOut, sideOut] at (startOut, startOut). */
function filter(
	x: Tensor,
	spectrum: Tensor,
	kind: Filter,
	n: number,
	start: number,
	sideOut: number,
	startOut: number,
): Tensor {
	const { gpu } = x;
	const [batch, side] = x.shape;
	const filtering = FILTERS.indexOf(kind);
	const run = (
		entry: string,
		bindings: Record<string, Tensor>,
		length: number,
		pairs: number,
	) => {
		let radix = length;
		while (radix > 8) radix /= 8;
		gpu.run({
			shader: "spectral",
			entry,
			bindings,
			params: {
				...{ lines: pairs, length, radix, filtering },
				...{ side, start, sideOut, startOut },
			},
			workgroups: lines(gpu, (pairs * length) / 8),
		});
	};
	const z = empty(gpu, [batch, n / 2, side, 2]);
	run("rowsIn", { image: x, rows: z }, n / 2, (batch * side) / 2);
	const zOut = empty(gpu, [batch, n / 2, sideOut, 2]);
	run("columns", { z, spectrum, zOut }, n, (batch * n) / 4);
	z.dispose();
	const y = empty(gpu, [batch, sideOut, sideOut]);
	run("rowsOut", { rowsBack: zOut, result: y }, n / 2, (batch * sideOut) / 2);
	zOut.dispose();
	return y;
}
