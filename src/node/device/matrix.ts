/**
 * What the f16 kernels (shaders/convMatrix.wgsl, convWeightMatrix.wgsl) need of an adapter. Chrome hides its matrix units, so they are for
 * Node only.
 */

/** Dawn's features; the last is not in WebGPU yet, so its types do not know it. */
export const MATRIX_FEATURES = [
	"shader-f16",
	"subgroups",
	"chromium-experimental-subgroup-matrix" as GPUFeatureName,
] as const;

/** Dawn lists them only if asked to: the first for matrices, the second because it else hides shader-f16 on NVIDIA. */
export const MATRIX_FLAGS =
	"enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia";

/** A product that the units compute: result [M, N] += left [M, K] right [K, N]. */
interface MatrixConfig {
	readonly componentType: string;
	readonly resultType: string;
	readonly M: number;
	readonly N: number;
	readonly K: number;
}

/** What the adapter lacks of the f16 kernels' needs, in words; nothing where they can run. */
export function missingForMatrix(
	adapter: Pick<GPUAdapter, "features" | "info">,
): string[] {
	const missing = MATRIX_FEATURES.filter(
		(feature) => !adapter.features.has(feature),
	).map((feature) => `the feature ${feature}`);
	const { subgroupMinSize: least, subgroupMaxSize: most } = adapter.info;
	if (least !== 32 || most !== 32)
		missing.push(`subgroups of 32 threads (it has ${least} to ${most})`);
	const { subgroupMatrixConfigs: configs = [] } = adapter.info as {
		subgroupMatrixConfigs?: Iterable<MatrixConfig>;
	};
	const fits = (c: MatrixConfig) =>
		c.componentType === "f16" &&
		c.resultType === "f32" &&
		[c.M, c.N, c.K].every((size) => size === 16);
	if (![...configs].some(fits))
		missing.push("16x16x16 matrices of f16 with sums in f32");
	return missing;
}
