/** The package's entry "qpi-lens/engine" for Node. */

import type { EngineOptions } from "../api/engine.ts";
import { ENGINE_OPTIONS } from "../api/options.ts";
import { checkNames } from "../engine/basics/options.ts";
import { adapterNameOf, isSoftware } from "../engine/device/adapterInfo.ts";
import { Gpu } from "../engine/device/gpu.ts";
import { allShaders, loadDawn, openGpu } from "./device/adapter.ts";
import { patiently } from "./device/patience.ts";

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
	checkNames("createEngine", options, ENGINE_OPTIONS);
	const { device, ...opening } = options;
	if (!device) return openGpu(opening);
	// A device can be made without them, a buffer not.
	if (!("GPUBufferUsage" in globalThis))
		Object.assign(globalThis, (await loadDawn()).globals);
	const info = device.adapterInfo;
	return new Gpu(device, {
		shaders: await allShaders(device, options.shaders),
		adapterName: options.adapterName ?? adapterNameOf(info),
		software: isSoftware(info),
		keepDevice: true,
		wait: patiently,
	});
}
