/** In the worker: files to what they hold, several as one series. */
import {
	checkSize,
	type Input,
	parseInput,
} from "../../../extraction/results/input.ts";
import { seriesOf } from "../../../extraction/results/series.ts";
import { partOf, sidesOf } from "../../../extraction/results/seriesParts.ts";
import { FormatError } from "../../../formats/measurement.ts";
import type { Report } from "../../rpc.ts";
import type { SeriesSeat } from "./extractTypes.ts";

export interface OpenSource {
	readonly input: Input;
	/** In the order that was asked for; what a series has to be made of again. */
	readonly parts: readonly Input[];
	/** The channel by which a series was moved together, where one was named. */
	readonly channel?: string;
}

/** @throws FormatError or DatasetError where a file is not what it should be */
export async function readFile(file: File): Promise<Input> {
	checkSize(file.name, file.size);
	return parseInput(new Uint8Array(await file.arrayBuffer()), file.name);
}

export async function readSource(
	files: readonly File[],
	report: Report,
): Promise<OpenSource> {
	const parts: Input[] = [];
	for (const file of files) {
		if (files.length > 1)
			report({ done: parts.length, total: files.length, what: file.name });
		parts.push(await readFile(file));
	}
	return together(parts, undefined, report);
}

/** The same files where another channel is asked for: of a series without a topography that decides how its maps are moved. */
export async function byChannel(
	source: OpenSource,
	channel: string | undefined,
	report: Report,
): Promise<OpenSource> {
	return source.parts.length === 1 || source.channel === channel
		? source
		: together(source.parts, channel, report);
}

async function together(
	parts: readonly Input[],
	channel: string | undefined,
	report: Report,
): Promise<OpenSource> {
	const [first] = parts;
	if (parts.length === 1) return { input: first, parts };
	const input = await seriesOf(parts, {
		channel,
		onFile: (done, total) =>
			report({ done, total, what: "moving the maps onto each other" }),
	});
	return { input, parts, channel };
}

/** What a series would ask of a file. */
export function seatOf(input: Input): SeriesSeat {
	try {
		const { energy, measurement } = partOf(input);
		return { energy, sides: sidesOf(measurement) };
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		return { why: error.message };
	}
}
