import type { Tuner } from "./tuner.ts";

export interface GpuOptions {
	/** WGSL sources by name, e.g. `{conv: "..."}`. */
	readonly shaders: Readonly<Record<string, string>>;
	/** Shown to users and written to reports. */
	readonly adapterName?: string;
	/** The adapter runs on the CPU: kernels that keep their tiles in registers are chosen. */
	readonly software?: boolean;
	/** Chooses between variants of kernels; by default one that remembers nothing. */
	readonly tuner?: Tuner;
	/** Convolutions use matrix units, which multiply in f16 and sum in f32. The device must have the features that src/node/device/matrix.ts lists. */
	readonly matrix?: boolean;
	/** The device is someone else's: dispose() frees what was made on it and leaves the device. */
	readonly keepDevice?: boolean;
	/**
	 * Opens further devices of the same adapter, on which compile() makes part of the machine code. For drivers that make it only when a pipeline is first dispatched, and share it between devices.
	 */
	readonly helpers?: () => Promise<readonly GPUDevice[]>;
	/** How to wait for what the device promises; by default as for any promise. */
	readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
	/** Time every dispatch on the device, for profile(); each then gets a pass of its own. Needs the feature timestamp-query. */
	readonly profile?: boolean;
}
