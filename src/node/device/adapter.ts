import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, constants } from "node:os";
import { join } from "node:path";
import { adapterNameOf, isSoftware } from "../../engine/device/adapterInfo.ts";
import { Gpu } from "../../engine/device/gpu.ts";
import {
	joinOwnShaders,
	type Shaders,
} from "../../engine/device/ownShaders.ts";
import { Tuner } from "../../engine/device/tuner.ts";
import { embeddedSwiftShader } from "./embedded.ts";
import { EMBEDDED_SUMS } from "./embeddedSums.ts";
import { MATRIX_FEATURES, MATRIX_FLAGS, missingForMatrix } from "./matrix.ts";
import { patiently } from "./patience.ts";
import { loadParts, loadShaders } from "./shaders.ts";
import { openTuner } from "./tuning.ts";

/** The machine lacks something that the user must install; commands exit with code 2. */
export class MachineError extends Error {
	override name = "MachineError";
}

const INSTALL =
	"Install a Vulkan driver: the one of your graphics card, or Mesa's software driver lavapipe (Debian: mesa-vulkan-drivers >= 23, " +
	"for Debian 12 from bookworm-backports), or the npm package @sparticuz/chromium, which carries SwiftShader.";

/**
 * Finds an adapter: a real GPU, else a software driver of the system (lavapipe), else the SwiftShader that comes with the
 * optional dependencies. `wanted`, or the environment variable QPI_LENS_ADAPTER, overrides: "swiftshader" takes the embedded one; any
 * other word must be part of the adapter's name ("llvmpipe", "nvidia"). `flags` are Dawn's. Throws a MachineError that says what to install.
 */
export async function openAdapter(
	wanted = process.env.QPI_LENS_ADAPTER || "",
	flags: readonly string[] = [],
): Promise<GPUAdapter> {
	const embedded = wanted.toLowerCase() === "swiftshader";
	if (embedded || !systemHasLoader()) await useEmbedded();
	let adapter = await request(embedded ? "" : wanted, flags);
	if (!adapter && !wanted && process.platform === "linux") {
		// A loader without a driver that Dawn accepts, as Debian 12's own Mesa 22.3.
		await useEmbedded();
		adapter = await request("", flags);
	}
	if (!adapter)
		throw new MachineError(`no WebGPU adapter was found. ${INSTALL}`);
	return adapter;
}

/** How convolutions multiply: in f32, or in f16 on matrix units; sums, tensors and everything else are f32 in both. */
export type Precision = "f32" | "f16";

/**
 * Opens a device on the adapter that openAdapter() finds. With `tune` (the default) variants of kernels are those that were the fastest on this adapter before, else
 * the defaults. `shaders` are added to ours (see joinOwnShaders()). Throws a MachineError where precision "f16" is asked of an adapter without the units for it.
 */
export async function openGpu(
	options: {
		adapter?: string;
		profile?: boolean;
		precision?: Precision;
		tune?: boolean;
		adapterName?: string;
		shaders?: Shaders;
	} = {},
): Promise<Gpu> {
	const { profile = false, tune = true } = options;
	const matrix = options.precision === "f16";
	const adapter = await openAdapter(
		options.adapter || undefined,
		matrix ? [MATRIX_FLAGS] : [],
	);
	const { info, limits } = adapter;
	const adapterName = options.adapterName ?? adapterNameOf(info);
	const missing = matrix ? missingForMatrix(adapter) : [];
	if (missing.length > 0)
		throw new MachineError(
			`precision f16: "${adapterName}" lacks ${missing.join(", ")}. Take precision f32, or another adapter.`,
		);
	const wanted: GPUDeviceDescriptor = {
		// Subgroups: for the convolutions of software adapters (shaders/convLanes.wgsl).
		requiredFeatures: [
			...(["subgroups", "timestamp-query"] as const).filter(
				(f) => adapter.features.has(f) && (profile || f !== "timestamp-query"),
			),
			...(matrix ? MATRIX_FEATURES : []),
		],
		requiredLimits: {
			maxBufferSize: limits.maxBufferSize,
			maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
		},
	};
	const device = await adapter.requestDevice(wanted);
	return new Gpu(device, {
		shaders: await allShaders(device, options.shaders).catch((error) => {
			device.destroy();
			throw error;
		}),
		adapterName,
		software: isSoftware(info),
		matrix,
		tuner: tune ? openTuner(adapter) : new Tuner({ measure: false }),
		profile: profile && device.features.has("timestamp-query"),
		wait: patiently,
		helpers: helpersOf(adapter, wanted),
	});
}

/** For lavapipe, whose machine code goes through Mesa's cache on the disk: a device for each further core, up to three. */
function helpersOf({ info }: GPUAdapter, wanted: GPUDeviceDescriptor) {
	const kept = !/^(1|true)$/.test(process.env.MESA_SHADER_CACHE_DISABLE ?? "");
	const count = Math.min(4, availableParallelism()) - 1;
	const gpu = instances.at(-1);
	if (!gpu || !kept || count === 0 || !/llvmpipe/.test(adapterNameOf(info)))
		return undefined;
	const open = async () => (await gpu.requestAdapter())?.requestDevice(wanted);
	return async () =>
		(await Promise.all(Array.from({ length: count }, open))).filter(
			(device) => device !== undefined,
		);
}

/** Our shaders and a caller's. Rejects as joinOwnShaders() does. */
export const allShaders = (device: GPUDevice, own?: Shaders) =>
	joinOwnShaders(device, { shaders: loadShaders(), parts: loadParts() }, own);

/** One line for people: which adapter runs, and how to get a faster one where it is a software driver. */
export function describeAdapter(gpu: Gpu): string {
	if (!gpu.software)
		return `adapter: ${gpu.adapterName}${gpu.matrix ? ", convolutions in f16" : ""}`;
	const hint = /swiftshader/i.test(gpu.adapterName)
		? "a software driver; Mesa's lavapipe >= 23 is about 4x faster, a graphics card far more"
		: "a software driver; a graphics card with a Vulkan driver is far faster";
	return `adapter: ${gpu.adapterName} (${hint})`;
}

/** The addon is a file of its own that cannot be bundled, so its name is built in a way that bundlers do not recognise. */
export const loadDawn = (name = "webgpu"): Promise<typeof import("webgpu")> =>
	import(name);

// Dawn's instances must outlive their devices.
const instances: GPU[] = [];

async function request(
	name: string,
	flags: readonly string[],
): Promise<GPUAdapter | null> {
	const { create, globals } = await loadDawn();
	Object.assign(globalThis, globals);
	const open = (adapter?: string) => {
		// Times of profile() are else rounded to 65 us.
		const all = ["disable-dawn-features=timestamp_quantization", ...flags];
		const gpu = create(adapter ? [...all, `adapter=${adapter}`] : all);
		instances.push(gpu);
		return gpu.requestAdapter({ powerPreference: "high-performance" });
	};
	if (!name) return open().catch(() => null);
	try {
		return await open(name);
	} catch (error) {
		// dawn.node matches case, and where it finds nothing lists what there is.
		const names = [...String(error).matchAll(/name: '([^']*)'/g)].map(
			([, found]) => found,
		);
		const alike = names.find((found) =>
			found.toLowerCase().includes(name.toLowerCase()),
		);
		if (alike) return open(alike);
		throw new MachineError(
			`no WebGPU adapter is named like "${name}"; there is ${names.map((n) => `"${n}"`).join(", ") || "none"}. ${INSTALL}`,
		);
	}
}

/**
 * Whether this machine can have a graphics card: on Linux its driver's device files say so, elsewhere only Dawn does. To open Dawn takes half a second, and on a software adapter
 * Vulkan's limits make it print two lines.
 */
export const mayHaveCard = (): boolean =>
	process.platform !== "linux" ||
	["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].some((path) => existsSync(path));

/** Whether the dynamic linker finds a Vulkan loader (only Linux needs the question: elsewhere Dawn uses Metal or D3D12). */
function systemHasLoader(): boolean {
	if (process.platform !== "linux") return true;
	return openLibrary("libvulkan.so.1");
}

/** dlopen of a library that is no Node addon: Node complains that it did not register itself, and leaves it loaded. */
function openLibrary(path: string): boolean {
	const NODELETE = 0x1000;
	try {
		process.dlopen(
			{ exports: {} },
			path,
			constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | NODELETE,
		);
		return true;
	} catch (error) {
		return /did not self-register/.test(String(error));
	}
}

async function useEmbedded(): Promise<void> {
	if (process.platform !== "linux" || process.arch !== "x64")
		throw new MachineError(
			`the embedded SwiftShader is for Linux on x86-64, this is ${process.platform} on ${process.arch}. ${INSTALL}`,
		);
	let root: string;
	let version: string;
	try {
		// A bundle of CommonJS has no address of its own.
		const { resolve } = createRequire(import.meta.url ?? process.argv[1]);
		root = join(resolve("@sparticuz/chromium"), "../../..");
		({ version } = JSON.parse(
			await readFile(join(root, "package.json"), "utf8"),
		));
	} catch {
		throw new MachineError(
			`no Vulkan driver was found, and the embedded SwiftShader is not installed. ${INSTALL}`,
		);
	}
	const { icd, loader } = await embeddedSwiftShader(
		join(root, "bin/swiftshader.tar.br"),
		undefined,
		EMBEDDED_SUMS[version],
	).catch((error: Error) => {
		throw new MachineError(
			`the embedded SwiftShader cannot be unpacked: ${error.message}`,
		);
	});
	process.env.VK_DRIVER_FILES = icd;
	if (!systemHasLoader() && !openLibrary(loader))
		throw new MachineError(
			`the Vulkan loader ${loader} cannot be loaded. ${INSTALL}`,
		);
}
