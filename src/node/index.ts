/** The package's entry for Node. */
import { Gpu } from "../engine/gpu.ts";
import { reflect } from "../engine/reflect.ts";
import { openGpu } from "./adapter.ts";
import { loadShaders } from "./shaders.ts";

export * from "../api/engine.ts";

export interface EngineOptions {
	/** A device that there is already; dispose() then leaves it as it is. */
	readonly device?: GPUDevice;
	/** Shown to users. */
	readonly adapterName?: string;
	/** Where no device is given, in Node only: a part of the name of the adapter to open one on. */
	readonly adapter?: string;
}

/**
 * Makes an engine on the given device, or on one of its own: in Node of a graphics card, else of a software driver; in a browser of whatever adapter
 * it has. Throws an error that says what is missing where there is none.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Gpu> {
	const { device, adapter, adapterName } = options;
	if (!device) return openGpu({ adapter });
	const info: GPUAdapterInfo | undefined = device.adapterInfo;
	return new Gpu(device, {
		shaders: loadShaders(),
		layouts: reflect,
		adapterName: adapterName ?? info?.description,
		software: info?.isFallbackAdapter ?? false,
		keepDevice: true,
	});
}
