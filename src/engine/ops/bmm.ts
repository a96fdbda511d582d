import { checkNames } from "../basics/options.ts";
import { show } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
import { record } from "../tensors/autograd.ts";
import {
	checkFits,
	checkTensors,
	empty,
	type Tensor,
} from "../tensors/tensor.ts";

export interface BmmOptions {
	/** `a` is [B, K, M]: its matrices are taken transposed. Default false. */
	readonly transposeA?: boolean;
	/** `b` is [B, N, K]. Default false. */
	readonly transposeB?: boolean;
}

/** A factor of a product, and whether its matrices are taken transposed. */
export type Factor = readonly [matrices: Tensor, transposed: boolean];

/**
 * Matrix products, one a sample: a [B, M, K], b [B, K, N] -> y [B, M, N], y[i] = a[i] b[i], with either of them transposed if asked for: A B, A Bᵀ, Aᵀ B or Aᵀ Bᵀ.
 * Throws where shapes do not fit.
 */
export function bmm(a: Tensor, b: Tensor, options: BmmOptions = {}): Tensor {
	checkNames("bmm", options, ["transposeA", "transposeB"]);
	checkTensors("bmm", { a, b });
	const { transposeA = false, transposeB = false } = options;
	const [batch, m, k] = sizes(a, transposeA);
	const [samples, inner, n] = sizes(b, transposeB);
	if (
		[a, b].some(({ shape }) => shape.length !== 3) ||
		batch !== samples ||
		k !== inner
	)
		throw new Error(
			`bmm: a ${show(a.shape)} and b ${show(b.shape)}; expected ${transposeA ? "[B, K, M]" : "[B, M, K]"} and ${transposeB ? "[B, N, K]" : "[B, K, N]"}`,
		);
	checkFits("bmm", [batch, m, n], a, b);
	const y = empty(a.gpu, [batch, m, n]);
	multiply([a, transposeA], [b, transposeB], y);
	return record(
		"bmm",
		y,
		[a, b],
		(dy, grads) => {
			// dA = dY Bᵀ and dB = Aᵀ dY. Where a factor is stored transposed, so is its gradient.
			const [g, gᵀ] = [false, true].map((turned): Factor => [dy, turned]);
			if (grads.wants(0)) {
				const da = grads.out(0);
				if (transposeA) multiply([b, transposeB], gᵀ, da);
				else multiply(g, [b, !transposeB], da);
			}
			if (grads.wants(1)) {
				const db = grads.out(1);
				if (transposeB) multiply(gᵀ, [a, transposeA], db);
				else multiply([a, !transposeA], g, db);
			}
		},
		[a, b],
	);
}

/** Samples, rows and columns of a factor. */
function sizes({ shape }: Tensor, transposed: boolean) {
	const [batch, rows, columns] = shape;
	return transposed ? [batch, columns, rows] : [batch, rows, columns];
}

/** y[i] = A[i] B[i]. The shapes have been checked. */
export function multiply(
	[a, transposeA]: Factor,
	[b, transposeB]: Factor,
	y: Tensor,
): void {
	const { gpu } = y;
	const { lanes } = gpu;
	const [batch, m, k] = sizes(a, transposeA);
	const n = y.shape[2];
	// Tiles of y, and how many a workgroup takes.
	const [rows, columns, tiles] = lanes
		? [8, 4 * lanes, 32 / lanes]
		: [64, 64, 1];
	const groups = Math.ceil(
		(batch * Math.ceil(m / rows) * Math.ceil(n / columns)) / tiles,
	);
	const flag = (condition: boolean) => (condition ? 1 : 0);
	gpu.run({
		shader: lanes ? "bmmLanes" : "bmmTiled",
		entry: "multiply",
		constants: {
			...(lanes && { LANES: lanes }),
			TRANSPOSE_A: flag(transposeA),
			TRANSPOSE_B: flag(transposeB),
			VECTOR_A: flag(a.shape[2] % 4 === 0),
			VECTOR_B: flag(b.shape[2] % 4 === 0),
		},
		bindings: { a, a4: a, b, b4: b, y },
		params: { m, n, k, batch },
		workgroups: lines(gpu, groups * LINE),
	});
	gpu.statistics.flop += 2 * batch * m * n * k;
}
