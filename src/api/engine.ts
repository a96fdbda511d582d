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
export type { EngineOptions } from "./options.ts";
