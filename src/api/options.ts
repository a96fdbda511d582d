/** What createEngine() is given, in Node and in browsers. */
export interface EngineOptions {
	/**
	 * A device that there is already; dispose() then leaves it as it is. On software adapters one with the feature "subgroups" is several times
	 * as fast as one without. An error of the device that nobody else takes is thrown by the engine's next call, whoever made it.
	 */
	readonly device?: GPUDevice;
	/** Shown to users. */
	readonly adapterName?: string;
	/**
	 * WGSL of kernels of your own, by the names that `gpu.run({ shader })` then knows. Bindings, the uniform struct of parameters, overrides and entry points are read
	 * from it; `// import NAME` brings in a part of ours. createEngine() rejects, with name and line, what is no WGSL, and names that are taken.
	 */
	readonly shaders?: Readonly<Record<string, string>>;
}

/** All that createEngine() takes; `adapter` means something in Node only. */
export const ENGINE_OPTIONS = ["device", "adapterName", "shaders", "adapter"];
