import type { Gpu } from "./gpu.ts";

/** Threads in a workgroup of the one-dimensional kernels (their `WORKGROUP`). */
export const LINE = 64;

/**
 * Workgroup counts for `threads` threads in workgroups of 64 laid out in rows, since a dimension holds only 65,535 of them. The shader finds its
 * thread by `id.x + id.y * groups.x * 64` and drops those beyond the end.
 */
export function lines(gpu: Gpu, threads: number): [number, number] {
	const groups = Math.ceil(threads / LINE);
	const limit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
	const rows = Math.ceil(groups / limit);
	return [Math.ceil(groups / rows), rows];
}

/**
 * Threads of a subgroup on software adapters, where lanes share what they load by broadcasts (see shaders/conv.wgsl); 0 on others, and where a
 * subgroup's size is not fixed.
 */
export function sharedLanes(gpu: Gpu): number {
	if (!gpu.software || !gpu.device.features.has("subgroups")) return 0;
	const { subgroupMinSize: least, subgroupMaxSize: most } =
		gpu.device.adapterInfo;
	return least === most && least >= 4 ? least : 0;
}
