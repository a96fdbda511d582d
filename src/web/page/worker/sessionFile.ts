/** The work on a file as one file (.qpi), which the command line opens too: packed and unpacked. */
import {
	type DetectedScatterer,
	readScatterers,
	writeScatterers,
} from "../../../extraction/marks/scatterers.ts";
import type { ExtractSettings } from "../../../extraction/results/commandLine.ts";
import { checkSize } from "../../../extraction/results/input.ts";
import {
	decodeSession,
	encodeSession,
	isSession,
} from "../../../extraction/results/session.ts";
import {
	readMasks,
	type Shape,
	writeMasks,
} from "../../../extraction/scan/masks.ts";
import { analysisFields } from "./analysisFields.ts";
import type { Unpacked } from "./extractTypes.ts";

export async function packSession(
	files: readonly File[],
	{
		settings,
		scatterers,
		mask,
	}: {
		readonly settings: ExtractSettings;
		/** None of files whose scatterers are their own. */
		readonly scatterers?: readonly DetectedScatterer[] | null;
		readonly mask?: readonly Shape[];
	},
): Promise<Blob> {
	const entries = [];
	for (const file of files)
		entries.push({
			name: file.name,
			bytes: new Uint8Array(await file.arrayBuffer()),
		});
	const packed = encodeSession({
		files: entries,
		settings,
		scatterers: scatterers ? writeScatterers(scatterers) : undefined,
		mask: mask?.length ? writeMasks(mask) : undefined,
	});
	return new Blob([packed], { type: "application/zip" });
}

/** Undefined for any other file. Throws where it is damaged. */
export async function unpackSession(file: File): Promise<Unpacked | undefined> {
	const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
	if (!isSession(head)) return undefined;
	checkSize(file.name, file.size);
	const packed = decodeSession(
		new Uint8Array(await file.arrayBuffer()),
		file.name,
	);
	const [{ name }] = packed.files;
	const { scatterers, mask, method, seed, weights, ...settings } =
		packed.settings;
	const choices = { method, seed, symmetry: "", window: "", kinds: "" };
	return {
		files: packed.files.map(
			({ name, bytes }) => new File([bytes as BlobPart], name),
		),
		settings: {
			...settings,
			mask: packed.mask ? readMasks(packed.mask, mask ?? name) : undefined,
		},
		choices: {
			...Object.fromEntries(
				Object.entries({ ...choices, ...settings })
					.filter(([id]) => id in choices)
					.map(([id, value]) => [id, String(value)]),
			),
			...analysisFields(settings),
		},
		scatterers: packed.scatterers
			? readScatterers(packed.scatterers, scatterers ?? name)
			: undefined,
	};
}
