/** Figures of `evaluate --shard` made into those of the whole folder. */
import { readFile } from "node:fs/promises";
import { FormatError } from "../../formats/measurement.ts";
import {
	type BlindEvaluation,
	type BlindScore,
	summaryOf,
} from "../evaluation/blindScores.ts";
import { blindTable } from "../evaluation/blindTable.ts";
import {
	type MapScore,
	type MapsEvaluation,
	mapsEvaluation,
} from "../evaluation/evaluateMaps.ts";
import { mapsTable } from "../evaluation/mapsTable.ts";
import { together } from "../files/shard.ts";

/** The evaluation of all maps, as JSON and as a table. @throws FormatError where a file is no part's, Error where the parts are not one whole */
export async function mergeEvaluations(
	files: readonly string[],
): Promise<{ readonly json: string; readonly table: string }> {
	const read = await Promise.all(
		files.map(async (name) => {
			const found = await evaluationOf(name);
			const { shard, maps, radius } = found;
			return { name, shard, radius, things: Object.entries(maps) };
		}),
	);
	const [{ radius, name: first }] = read;
	const odd = read.find((part) => part.radius !== radius);
	if (odd)
		throw new FormatError(
			`${odd.name}: found ${radiusOf(odd.radius)}, expected ${radiusOf(radius)} as in ${first}`,
		);
	const maps = Object.fromEntries(together(read));
	if (radius !== undefined) {
		const whole = mapsEvaluation(radius, maps as Record<string, MapScore>);
		return { json: JSON.stringify(whole), table: mapsTable(whole) };
	}
	const scores = maps as Record<string, BlindScore>;
	const whole = { maps: scores, ...summaryOf(Object.values(scores)) };
	return { json: JSON.stringify(whole), table: blindTable(whole) };
}

const radiusOf = (radius: number | undefined) =>
	radius === undefined ? "maps with --blind" : `a radius of ${radius} A`;

async function evaluationOf(
	file: string,
): Promise<
	Pick<MapsEvaluation | BlindEvaluation, "maps" | "shard"> & { radius?: number }
> {
	try {
		const found = JSON.parse(await readFile(file, "utf8"));
		if (found.maps && found.mean && found.shard) return found;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code) throw error;
	}
	throw new FormatError(
		`${file}: found no figures of a part, expected what evaluate --maps --shard --json says`,
	);
}
