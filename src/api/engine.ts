/**
 * What `import ... from "qpi-lens/engine"` gives besides createEngine(), which Node (src/node/engine.ts) and browsers (src/web/engine.ts) each have their own of: tensors,
 * operations and optimisers, without physics and without the networks.
 */
export * from "../engine/index.ts";
export { decodeNpy, encodeNpy } from "../formats/npy.ts";
export {
	decodeSafetensors,
	encodeSafetensors,
} from "../formats/safetensors.ts";
export { Random } from "../random.ts";

export interface EngineOptions {
	/**
	 * A device that there is already; dispose() then leaves it as it is. On software adapters one with the feature "subgroups" is several times
	 * as fast as one without. An error of the device that nobody else takes is thrown by the engine's next call, whoever made it.
	 */
	readonly device?: GPUDevice;
	/** Shown to users. */
	readonly adapterName?: string;
}
