import { oneLine, said } from "../../text.ts";
import { isConvolutional, type NetworkSize } from "../networks.ts";
import type { NetworkInputs } from "./trainedNetworks.ts";

/** What the manifest beside the weights says. */
export interface WeightsManifest {
	readonly version: string;
	readonly seed: number;
	readonly preset: {
		readonly size: NetworkSize;
		/** "physics" where it is not said. */
		readonly inputs?: NetworkInputs;
	};
	readonly files: Readonly<Record<string, { readonly sha256: string }>>;
}

/** Of channels or blocks: far beyond what anyone trains here. */
const MOST = 1024;
const EXPECTED = 'the manifest of weights made by "qpi-lens weights"';

/** Reads the manifest of weights; `file` is what messages call it. Throws where something of it is missing or not what it should be. */
export function readWeightsManifest(
	bytes: Uint8Array,
	file: string,
): WeightsManifest {
	let manifest: WeightsManifest;
	try {
		manifest = JSON.parse(new TextDecoder().decode(bytes));
	} catch (error) {
		throw new Error(
			`${file}: expected ${EXPECTED} (${oneLine((error as Error).message)})`,
		);
	}
	const { version, files, preset } = Object(manifest);
	if (Object(files) !== files || !preset?.size)
		throw new Error(
			`${file}: found no list of files and no size of networks, expected ${EXPECTED}`,
		);
	if (typeof version !== "string")
		throw new Error(
			`${file}: found ${said(version)} as version, expected a text`,
		);
	for (const [name, entry] of Object.entries(files)) {
		const { sha256 } = Object(entry);
		if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
			throw new Error(
				`${file}: found ${said(sha256)} as sha256 of ${said(name)}, expected 64 digits of hexadecimal`,
			);
	}
	const { size, inputs = "physics" } = preset;
	if (inputs !== "physics" && inputs !== "centred")
		throw new Error(
			`${file}: found ${said(inputs)} as preset.inputs, expected "physics" or "centred"`,
		);
	if (isConvolutional(Object(size))) checkConvolutional(size, file);
	else checkComponents(size, file);
	return manifest;
}

function checkComponents(size: object, file: string): void {
	for (const part of ["encoder", "decoder"] as const) {
		const { channels, blocks } = Object(Object(size)[part]);
		if (!isCounts(channels, 3, 1) || !isCounts(blocks, 2, 0))
			throw new Error(
				`${file}: found ${said(channels)} as channels and ${said(blocks)} as blocks of preset.size.${part}, expected three and two whole numbers up to ${MOST}`,
			);
	}
}

function checkConvolutional(size: object, file: string): void {
	const { blockOutChannels, layersPerBlock, normNumGroups } = Object(size);
	if (
		!isCounts(blockOutChannels, 4, 1) ||
		!isCounts([layersPerBlock, normNumGroups], 2, 1)
	)
		throw new Error(
			`${file}: found ${said(blockOutChannels)} as channels, ${said(layersPerBlock)} as layers and ${said(normNumGroups)} as groups of preset.size, expected four, one and one whole numbers up to ${MOST}`,
		);
}

const isCounts = (list: unknown, length: number, least: number): boolean =>
	Array.isArray(list) &&
	list.length === length &&
	list.every((n) => Number.isInteger(n) && n >= least && n <= MOST);
