/** The engine on a browser's device. */
import { ENGINE_OPTIONS, type EngineOptions } from "../api/options.ts";
import { checkNames } from "../engine/basics/options.ts";
import { adapterNameOf, isSoftware } from "../engine/device/adapterInfo.ts";
import { Gpu } from "../engine/device/gpu.ts";
import { joinOwnShaders } from "../engine/device/ownShaders.ts";
import { unpackShaders } from "./unpackShaders.ts";

/** Which browsers have WebGPU, for people whose browser does not. */
export const WHERE =
	"WebGPU is in Chrome and Edge (113 or later; on Linux only recent versions have it switched on), Safari (26 or later) and Firefox (141 or later on Windows, 145 or later on Macs with Apple chips)";

/** The browser has no WebGPU, or it finds no adapter. */
export class NoWebGpuError extends Error {
	override name = "NoWebGpuError";
}

/** Makes an engine on the given device, or on one of its own. Throws a NoWebGpuError that says which browsers have WebGPU where there is none. */
export async function createEngine(options: EngineOptions = {}): Promise<Gpu> {
	checkNames("createEngine", options, ENGINE_OPTIONS);
	const ours = await unpackShaders();
	const device = options.device ?? (await requestDevice());
	const shaders = await joinOwnShaders(device, ours, options.shaders).catch(
		(error) => {
			if (!options.device) device.destroy();
			throw error;
		},
	);
	const info: GPUAdapterInfo | undefined = device.adapterInfo;
	return new Gpu(device, {
		shaders,
		adapterName: options.adapterName ?? adapterNameOf(info),
		software: isSoftware(info),
		keepDevice: options.device !== undefined,
	});
}

async function requestDevice(): Promise<GPUDevice> {
	const gpu: GPU | undefined = navigator.gpu;
	if (!gpu)
		throw new NoWebGpuError(
			`this browser has no WebGPU${isSecureContext ? "" : " outside of https and localhost"}. ${WHERE}.`,
		);
	const adapter =
		(await gpu.requestAdapter({ powerPreference: "high-performance" })) ??
		(await gpu.requestAdapter());
	if (!adapter)
		throw new NoWebGpuError(
			`this browser has WebGPU, but finds no graphics adapter for it: its settings or a driver may switch it off. ${WHERE}.`,
		);
	const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
	return adapter.requestDevice({
		// For the convolutions of software adapters (shaders/convLanes.wgsl).
		requiredFeatures: adapter.features.has("subgroups") ? ["subgroups"] : [],
		requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
	});
}
