// The table of all ops, in a page: the test calls it row by row.
import { createEngine } from "../../src/web/gpu.ts";
import { badCalls, cases } from "../cases.ts";
import { checkBadCall, checkCase } from "../opTesting.ts";

const gpu = await createEngine();
Object.assign(globalThis, {
	table: {
		adapter: `${gpu.adapterName}, software ${gpu.software}, subgroups ${gpu.device.features.has("subgroups")}`,
		cases: cases.map(({ name }) => name),
		badCalls: badCalls.map(({ name }) => name),
		check: (i: number) => checkCase(gpu, cases[i]),
		refuse: (i: number) => checkBadCall(gpu, badCalls[i]),
	},
});
