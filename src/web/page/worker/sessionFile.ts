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
import { FormatError } from "../../../formats/measurement.ts";
import { sha256 } from "../../../formats/sha256.ts";
import { Weights } from "../../../models/trained/weights.ts";
import type { PackedWeights } from "../basics/source.ts";
import { analysisFields } from "./analysisFields.ts";
import type { Unpacked } from "./extractTypes.ts";

export async function packSession(
	files: readonly File[],
	{
		settings,
		scatterers,
		mask,
		weights,
	}: {
		readonly settings: ExtractSettings;
		/** None of files whose scatterers are their own. */
		readonly scatterers?: readonly DetectedScatterer[] | null;
		readonly mask?: readonly Shape[];
		/** The files of the folder that the settings name. */
		readonly weights?: ReadonlyMap<string, Uint8Array>;
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
		weights,
	});
	return new Blob([packed], { type: "application/zip" });
}

/** @throws where their manifest is none */
async function weightsOf(
	folder: string,
	contents: ReadonlyMap<string, Uint8Array>,
	session: string,
): Promise<PackedWeights> {
	// Sessions did not hold them once: what else is in one can be opened, and extraction says what it lacks.
	if (contents.size === 0)
		return {
			...{ folder, files: [], stamp: `lacking ${folder}` },
			summary: `${session} was made with the weights ${folder}, which it does not hold: choose others.`,
		};
	const read = async (name: string) => {
		const bytes = contents.get(name);
		if (!bytes) throw new Error(`found no ${name} in ${session}`);
		return bytes as Uint8Array<ArrayBuffer>;
	};
	const weights = await Weights.open(folder, read);
	const { seed, version } = weights.manifest;
	const files = [...contents].map(
		([name, bytes]) => new File([bytes as BlobPart], name),
	);
	return {
		...{ folder, files },
		stamp: `packed ${await sha256(await read("manifest.json"))}`,
		summary: `Came with the session: ${weights.inputs} inputs, seed ${seed}, qpi-lens ${version}.`,
	};
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
	const { scatterers, mask, method, seed, weights, adjust, ...settings } =
		packed.settings;
	if (adjust === false)
		throw new FormatError(
			`${file.name}: found a session with --no-adjust, which the page does not have: expected one without; npx qpi-lens extract ${file.name} takes it`,
		);
	const own = weights
		? await weightsOf(weights, packed.weights ?? new Map(), file.name)
		: undefined;
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
			signed: settings.signed ? "yes" : "",
			weights: own?.stamp ?? "",
		},
		weights: own,
		scatterers: packed.scatterers
			? readScatterers(packed.scatterers, scatterers ?? name)
			: undefined,
	};
}
