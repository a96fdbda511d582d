/** The package's entry "qpi-lens/engine" for Node. */
import type { EngineOptions } from "../api/engine.ts";
import { adapterNameOf, isSoftware } from "../engine/adapterInfo.ts";
import { Gpu } from "../engine/gpu.ts";
import { reflect } from "../engine/reflect.ts";
import { openGpu } from "./device/adapter.ts";
import { loadShaders } from "./device/shaders.ts";

export * from "../api/engine.ts";
export { MachineError } from "./device/adapter.ts";

/**
 * Makes an engine on the given device, or on one of its own: of a graphics card, else of a software driver. Rejects with a MachineError that says what to
 * install where there is none.
 *
 * @param options.adapter in Node only, and where no device is given: a part of the name of the adapter to open one on
 */
export async function createEngine(
	options: EngineOptions & { readonly adapter?: string } = {},
): Promise<Gpu> {
	const { device, adapter, adapterName } = options;
	if (!device) return openGpu({ adapter, adapterName });
	// A device can be made without them, a buffer not.
	if (!("GPUBufferUsage" in globalThis))
		Object.assign(globalThis, (await import("webgpu")).globals);
	const info = device.adapterInfo;
	return new Gpu(device, {
		shaders: loadShaders(),
		layouts: reflect,
		adapterName: adapterName ?? adapterNameOf(info),
		software: isSoftware(info),
		keepDevice: true,
	});
}
