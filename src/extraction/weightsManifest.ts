import type { ComponentSize } from "../models/componentAutoencoder.ts";
import { oneLine, said } from "../text.ts";

/** What the manifest beside the weights says. */
export interface WeightsManifest {
	readonly version: string;
	readonly seed: number;
	readonly preset: { readonly size: ComponentSize };
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
	for (const part of ["encoder", "decoder"] as const) {
		const { channels, blocks } = Object(preset.size[part]);
		if (!isCounts(channels, 3, 1) || !isCounts(blocks, 2, 0))
			throw new Error(
				`${file}: found ${said(channels)} as channels and ${said(blocks)} as blocks of preset.size.${part}, expected three and two whole numbers up to ${MOST}`,
			);
	}
	return manifest;
}

const isCounts = (list: unknown, length: number, least: number): boolean =>
	Array.isArray(list) &&
	list.length === length &&
	list.every((n) => Number.isInteger(n) && n >= least && n <= MOST);
