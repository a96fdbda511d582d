/** `npm run data`: the program's `generate`. */
import { runCommand } from "../src/cli/command.ts";
import { generateCommand } from "../src/cli/generate.ts";

await runCommand(generateCommand("npm run data --"));
