import type { Pipeline, PipelineCache, PipelineChoice } from "./pipelines.ts";

/** Milliseconds by which a pipeline that must be turned into machine code is told from one that was in the driver's cache. */
const DEAR = 25;

/** A device, and its pipelines. */
interface Place {
	readonly device: GPUDevice;
	readonly pipelines: PipelineCache;
}

/**
 * Dispatches each pipeline once, for nothing. lavapipe makes machine code only then, on one thread of a device, 0.2 s for each pipeline on average, and keeps it on the disk
 * for all devices: so as soon as one is found to be dear, helpers take their share of what is left.
 *
 * @param openHelpers other devices of the same adapter, which are destroyed in the end
 */
export async function useOnce(
	own: Place,
	choices: readonly PipelineChoice[],
	openHelpers: () => Promise<readonly GPUDevice[]>,
): Promise<void> {
	const left = [...choices];
	let helping: Promise<void> | undefined;
	const help = async () => {
		const helpers = await openHelpers();
		// What a helper fails at is done when it is needed.
		await Promise.allSettled(
			helpers.map((device) =>
				work({ device, pipelines: own.pipelines.on(device) }, false),
			),
		);
		for (const device of helpers) device.destroy();
	};
	const work = async ({ device, pipelines }: Place, mayCall: boolean) => {
		for (let next = left.shift(); next; next = left.shift()) {
			await pipelines.compile([next]);
			const pipeline = pipelines.find(next);
			if (!pipeline) continue; // get() says why
			const start = performance.now();
			await dispatchNothing(device, pipeline);
			if (mayCall && performance.now() - start > DEAR) helping ??= help();
		}
	};
	await work(own, true);
	await helping;
}

/** By a count of workgroups that lies in a buffer, and is zero: no shader runs, whatever it would do without parameters. */
async function dispatchNothing(
	device: GPUDevice,
	{ layout, pipeline, bindGroupLayout }: Pipeline,
): Promise<void> {
	const { STORAGE, UNIFORM, INDIRECT } = GPUBufferUsage;
	device.pushErrorScope("validation"); // of a binding that is larger than these buffers: it is compiled when it is used
	const buffers: GPUBuffer[] = [];
	const make = (usage: number, size = 256) => {
		const buffer = device.createBuffer({ size, usage });
		buffers.push(buffer);
		return buffer;
	};
	const entries: GPUBindGroupEntry[] = layout.bindings.map(({ binding }) => ({
		binding,
		resource: { buffer: make(STORAGE) },
	}));
	const { params } = layout;
	if (params) {
		const resource = { buffer: make(UNIFORM), size: params.size };
		entries.push({ binding: params.binding, resource });
	}
	const encoder = device.createCommandEncoder();
	const pass = encoder.beginComputePass();
	pass.setPipeline(pipeline);
	const group = device.createBindGroup({ layout: bindGroupLayout, entries });
	pass.setBindGroup(0, group, params ? [0] : []);
	pass.dispatchWorkgroupsIndirect(make(INDIRECT), 0);
	pass.end();
	device.queue.submit([encoder.finish()]);
	await device.popErrorScope();
	await device.queue.onSubmittedWorkDone();
	for (const buffer of buffers) buffer.destroy();
}
