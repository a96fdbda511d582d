import type { Gpu } from "./gpu.ts";

/** Threads in a workgroup of the one-dimensional kernels (their `WORKGROUP`). */
export const LINE = 64;

/**
 * Workgroup counts for `threads` threads in workgroups of 64 laid out in rows, since a dimension holds only 65,535 of them. The shader finds its
 * thread by `id.x + id.y * groups.x * 64` and drops those beyond the end.
 */
export function lines(gpu: Gpu, threads: number): [number, number] {
	const groups = Math.ceil(threads / LINE);
	const limit = gpu.limits.workgroups;
	const rows = Math.ceil(groups / limit);
	return [Math.ceil(groups / rows), rows];
}
