/** The package's entry for Node. */
import { Gpu } from "../engine/gpu.ts";
import { reflect } from "../engine/reflect.ts";
import { isSoftware, nameOf, openGpu } from "./adapter.ts";
import { loadShaders } from "./shaders.ts";

export * from "../api/engine.ts";
export { MachineError } from "./adapter.ts";
export { openWeights } from "./weights.ts";

export interface EngineOptions {
	/** A device that there is already; dispose() then leaves it as it is. */
	readonly device?: GPUDevice;
	/** Shown to users. */
	readonly adapterName?: string;
	/** Where no device is given, in Node only: a part of the name of the adapter to open one on. */
	readonly adapter?: string;
}

/**
 * Makes an engine on the given device, or on one of its own: of a graphics card, else of a software driver. Rejects with a MachineError that says what to
 * install where there is none.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Gpu> {
	const { device, adapter, adapterName } = options;
	if (!device) return openGpu({ adapter });
	// A device can be made without them, a buffer not.
	if (!("GPUBufferUsage" in globalThis))
		Object.assign(globalThis, (await import("webgpu")).globals);
	const info = device.adapterInfo;
	return new Gpu(device, {
		shaders: loadShaders(),
		layouts: reflect,
		adapterName: adapterName ?? nameOf({ info }),
		software: isSoftware(info),
		keepDevice: true,
	});
}
