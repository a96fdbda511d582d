/** `npm run bench:ablation -- refined|networks`: what each choice is worth. */
import { Command, Option } from "commander";
import { shardOption } from "../src/cli/campaign.ts";
import { positiveWhole, runCommand, whole } from "../src/cli/command.ts";
import { INPUTS } from "../src/qpi/operator/inputs.ts";
import { MODELS, PRESETS } from "../src/training/presets.ts";
import { ablateNetworks } from "./ablation/networks.ts";
import { ablateRefined, mergeRefined } from "./ablation/refined.ts";

/** Whole numbers with commas between. */
const seedList = (text: string) => [...new Set(text.split(",").map(whole))];

const program = new Command("npm run bench:ablation --").description(
	"What each choice is worth: one after the other is left out or changed, and the scores are compared.",
);
/** Adds --shard. */
const inParts = (command: Command) =>
	shardOption(command, "the variants or trainings");
inParts(program.command("refined"))
	.description("the choices of `refined`, on maps and on 64 x 64 images")
	.option("--each <n>", "maps and images a seed", positiveWhole, 4)
	.option("--json <file>", "where the figures go")
	.action(ablateRefined);
program
	.command("merge")
	.description(
		"the figures of all parts of refined --shard as those of one run",
	)
	.argument("<parts...>", "their --json files")
	.option("--json <file>", "where the figures go")
	.action(mergeRefined);
inParts(program.command("networks"))
	.description(
		"the networks' training: symmetry loss, KL loss, pretrained start, noise, inputs",
	)
	.addOption(
		new Option("-m, --model <name>", "form of the networks")
			.choices(MODELS)
			.default("small"),
	)
	.addOption(
		new Option("-p, --preset <name>", "size of the data")
			.choices(Object.keys(PRESETS))
			.default("quick"),
	)
	.addOption(
		new Option("-i, --inputs <kind>", "of the usual training")
			.choices(Object.keys(INPUTS))
			.default("paper"),
	)
	.option(
		"-e, --epochs <vae,aligner,one-step>",
		"the same for every variant (default: 60,30,30 of a convolutional form, else the preset's)",
	)
	.option("--seeds <list>", "of each variant's trainings", seedList, [1, 2, 3])
	.option("--only <names...>", "variants besides the usual one")
	.option("--out <dir>", "where the trainings are kept", "runs/ablation")
	.option("--json <file>", "where the figures go")
	.action(ablateNetworks);
await runCommand(program);
