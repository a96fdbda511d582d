/**
 * What the engine asks of a device at each dispatch, read once: every look at `device.limits` makes an object that is dear and whose memory the garbage
 * collector does not see.
 */

export interface Limits {
	/** Workgroups in one dimension. */
	readonly workgroups: number;
	/** Bytes of the largest buffer that a kernel can bind whole, a multiple of 256; at most 4 GiB, whose elements all kernels can count by 32 bits. */
	readonly bufferBytes: number;
}

export function limitsOf(device: GPUDevice): Limits {
	const {
		maxComputeWorkgroupsPerDimension,
		maxStorageBufferBindingSize,
		maxBufferSize,
	} = device.limits;
	return {
		workgroups: maxComputeWorkgroupsPerDimension,
		// Some devices allow 4 bytes less than a power of two.
		bufferBytes:
			256 *
			Math.floor(
				Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32) / 256,
			),
	};
}

/**
 * Threads of a subgroup of a software adapter, where lanes share what they load by broadcasts (see shaders/convLanes.wgsl); 0 where a subgroup's size is not
 * fixed, or not from 4 to 32, the size of their workgroups.
 */
export function lanesOf(device: GPUDevice): number {
	if (!device.features.has("subgroups")) return 0;
	const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapterInfo;
	return least === most && least >= 4 && least <= 32 ? least : 0;
}
