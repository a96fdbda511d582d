#!/usr/bin/env node
/** The program `qpi-lens`; each command is a file of src/cli/. */
import { Command } from "commander";
import { runCommand } from "./cli/command.ts";
import { detectCommand } from "./cli/detect.ts";
import { evaluateCommand } from "./cli/evaluate.ts";
import { extractCommand } from "./cli/extract.ts";
import { generateCommand } from "./cli/generate.ts";
import { infoCommand } from "./cli/info.ts";
import { mergeCommand } from "./cli/merge.ts";
import { trainCommand } from "./cli/train.ts";
import { webCommand } from "./cli/web.ts";
import { weightsCommand } from "./cli/weights.ts";
import { VERSION } from "./node/files/package.ts";

await runCommand(
	new Command("qpi-lens")
		.description(
			"Extracts the interference pattern of a single scatterer, the kernel, from a scanning tunnelling microscope's image.",
		)
		.version(VERSION)
		.addCommand(infoCommand())
		.addCommand(detectCommand())
		.addCommand(extractCommand())
		.addCommand(evaluateCommand())
		.addCommand(generateCommand())
		.addCommand(mergeCommand())
		.addCommand(trainCommand())
		.addCommand(webCommand())
		.addCommand(weightsCommand())
		.addHelpText(
			"after",
			`
Example:
  npx qpi-lens info scan.sxm
  npx qpi-lens extract scan.sxm --channel LIY --out kernel

Exit codes: 0 done, 1 the input is at fault, 2 the machine is.`,
		),
);
