import type { BufferView } from "./pool.ts";

/** Records a copy of a range to where the host can map it, once what is recorded has been submitted. */
export function stage(
	device: GPUDevice,
	encoder: GPUCommandEncoder,
	{ buffer, offset, bytes }: BufferView,
): GPUBuffer {
	const staging = device.createBuffer({
		label: "readback",
		size: bytes,
		usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
	});
	encoder.copyBufferToBuffer(buffer.gpuBuffer, offset, staging, 0, bytes);
	return staging;
}
