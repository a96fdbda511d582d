import type { Gpu } from "./gpu.ts";

/** Threads in a workgroup of the one-dimensional kernels. */
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

/**
 * How many threads of a workgroup share a row in kernels that sum over rows: a power of two, up to 64. On GPUs neighbours read neighbours; the
 * threads of a software adapter are the faster the less they wait for each other, as long as all cores have some.
 */
export function teamOf(gpu: Gpu, rows: number, columns: number): number {
	const wanted = gpu.software
		? Math.min(columns, Math.ceil(1024 / rows))
		: columns / 4;
	return Math.min(LINE, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}
