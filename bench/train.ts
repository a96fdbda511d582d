/** `npm run train`: the program's `train`. */
import { runCommand } from "../src/cli/command.ts";
import { trainCommand } from "../src/cli/train.ts";

await runCommand(trainCommand("npm run train --"));
