import type { State } from "../../engine/layers/state.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { sha256 } from "../../formats/sha256.ts";
import type { NetworkName } from "../networks.ts";

/** What the manifest of a folder of weights says of a file. */
export interface FileEntry {
	readonly sha256: string;
	readonly bytes: number;
}

/** The files of a folder of weights that hold the networks, as 16-bit safetensors, by name; the folder's prior and manifest are the caller's. */
export function weightFiles(
	networks: Readonly<Record<NetworkName, State>>,
): Map<string, Uint8Array<ArrayBuffer>> {
	const half = (state: State, wanted: (name: string) => boolean = () => true) =>
		encodeSafetensors(
			new Map(
				[...state]
					.filter(([name]) => wanted(name))
					.map(([name, { shape, data }]) => [
						name,
						{ shape, data, dtype: "F16" },
					]),
			),
		);
	return new Map([
		["aligner.safetensors", half(networks.aligner)],
		[
			"decoder.safetensors",
			half(networks.vae, (name) => !/^(encoder|quant_conv)\./.test(name)),
		],
		["one-step.safetensors", half(networks.oneStep)],
	]);
}

export async function fileEntry(
	bytes: Uint8Array<ArrayBuffer>,
): Promise<FileEntry> {
	return { sha256: await sha256(bytes), bytes: bytes.length };
}
