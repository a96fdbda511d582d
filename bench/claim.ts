/**
 * `npm run bench:claim -- runs/A runs/B ...`: whether two steps beat one. Takes the folders of finished trainings that differ in their seed alone, and compares two methods observation by observation: the mean
 * difference of their scores in each part of the split, with a bootstrap interval over kernels, which says what these trainings do, and one over seeds, which says what the next would.
 */
import { join } from "node:path";
import { Command, Option } from "commander";
import { say } from "../src/cli/command.ts";
import { writeFileAtomic } from "../src/node/files/files.ts";
import {
	METHOD_TITLES,
	type MethodName,
	SPLITS,
} from "../src/training/metrics.ts";
import { comparePart, digits, interval, readScores } from "./scores.ts";

const method = (flags: string, about: string, value: MethodName) =>
	new Option(flags, about).choices(Object.keys(METHOD_TITLES)).default(value);
const command = new Command("npm run bench:claim --")
	.argument("<runs...>", "folders of finished trainings")
	.addOption(method("--of <method>", "the method", "twoStep"))
	.addOption(method("--than <method>", "what it is compared with", "oneStep"))
	.addOption(
		new Option("--score <name>", "what is compared")
			.choices(["ncc", "mae", "mse", "rmse"])
			.default("ncc"),
	)
	.option("--json <file>", "where the figures go")
	.parse();
const { of, than, score, json } = command.opts<{
	of: MethodName;
	than: MethodName;
	score: "ncc" | "mae" | "mse" | "rmse";
	json?: string;
}>();

const files = await Promise.all(
	command.args.map(async (folder) => {
		const found =
			(await readScores(folder)) ??
			command.error(
				`error: there is no ${join(folder, "scores.json")}; expected the folder of a finished training`,
			);
		for (const name of [of, than])
			if (!found.methods?.[name])
				command.error(
					`error: ${join(folder, "scores.json")} holds no scores of ${name}`,
				);
		return found;
	}),
);
const seeds = files.map(({ seed }) => seed);
if (new Set(seeds).size !== seeds.length)
	command.error(
		`error: the runs have the seeds ${seeds.join(", ")}; expected another one each`,
	);

const rows: Record<string, object> = {};
say(
	`${score} of ${METHOD_TITLES[of]} less that of ${METHOD_TITLES[than]}, mean and 95 % interval over kernels; seeds ${seeds.join(", ")}`,
);
for (const [part, title] of Object.entries(SPLITS)) {
	const found = comparePart(
		files.map((file) => [
			{ file, method: of },
			{ file, method: than },
		]),
		score,
		part,
	);
	if (!found) continue;
	const [mean, other] = found.means;
	const verdict =
		found.low > 0 ? "above" : found.high < 0 ? "below" : "no sign at 95 %";
	rows[part] = { ...found, means: { [of]: mean, [than]: other } };
	say(
		`${title.padEnd(22)}${mean.toFixed(4)} - ${other.toFixed(4)} = ${interval(found)}, ${verdict} (${found.groups} kernels, ${found.pairs} images)`,
	);
	if (found.overSeeds)
		say(
			`${"".padEnd(22)}by seed ${found.bySeed.map(digits).join(", ")}; over seeds [${found.overSeeds.map(digits).join(", ")}]`,
		);
}
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ of, than, score, seeds, parts: rows }, null, "\t")}\n`,
	);
