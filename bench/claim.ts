/**
 * `npm run bench:claim -- runs/A runs/B ...`: whether two steps beat one. Takes the folders of finished trainings that differ in their seed alone, and compares two methods observation by observation: the mean
 * difference of their scores in each part of the split, with a bootstrap interval over kernels.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { say } from "../src/cli/command.ts";
import { writeFileAtomic } from "../src/node/files.ts";
import { pairedDifference } from "../src/qpi/bootstrap.ts";
import { METHODS, type MethodName, SPLITS } from "../src/report/types.ts";
import type { ScoreFile } from "../src/training/evaluate.ts";

const method = (flags: string, about: string, value: MethodName) =>
	new Option(flags, about).choices(Object.keys(METHODS)).default(value);
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
		const file = join(folder, "scores.json");
		const text = await readFile(file, "utf8").catch(() =>
			command.error(
				`error: there is no ${file}; expected the folder of a finished training`,
			),
		);
		const found: ScoreFile = JSON.parse(text);
		for (const name of [of, than])
			if (!found.methods?.[name])
				command.error(`error: ${file} holds no scores of ${name}`);
		return found;
	}),
);
const seeds = files.map(({ seed }) => seed);
if (new Set(seeds).size !== seeds.length)
	command.error(
		`error: the runs have the seeds ${seeds.join(", ")}; expected another one each`,
	);

const digits = (value: number) =>
	`${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
const rows: Record<string, object> = {};
say(
	`${score} of ${METHODS[of]} less that of ${METHODS[than]}, mean and 95 % interval over kernels; seeds ${seeds.join(", ")}`,
);
for (const [part, title] of Object.entries(SPLITS)) {
	const [a, b, groups]: [number[], number[], string[]] = [[], [], []];
	for (const { seed, observations, methods } of files)
		for (const [i, o] of observations.entries()) {
			if (o.part !== part) continue;
			a.push(methods[of]?.[score][i] ?? Number.NaN);
			b.push(methods[than]?.[score][i] ?? Number.NaN);
			// The same number is another kernel under another seed.
			groups.push(`${seed} ${o.kernel}`);
		}
	if (a.length === 0) continue;
	const found = pairedDifference(a, b, groups, { seed: 1 });
	const mean = (list: readonly number[]) =>
		list.reduce((sum, v) => sum + v, 0) / list.length;
	const verdict =
		found.low > 0 ? "above" : found.high < 0 ? "below" : "no sign at 95 %";
	rows[part] = { ...found, [of]: mean(a), [than]: mean(b) };
	say(
		`${title.padEnd(22)}${mean(a).toFixed(4)} - ${mean(b).toFixed(4)} = ${digits(found.mean)} [${digits(found.low)}, ${digits(found.high)}], ${verdict} (${found.groups} kernels, ${found.pairs} images)`,
	);
}
if (json)
	await writeFileAtomic(
		json,
		`${JSON.stringify({ of, than, score, seeds, parts: rows }, null, "\t")}\n`,
	);
