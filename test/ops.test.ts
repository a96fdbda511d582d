import { test } from "uvu";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { badCalls, cases } from "./cases.ts";
import { checkBadCall, checkCase } from "./opTesting.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

// Part of the table: OPS=conv2d node test/ops.test.ts
const only = process.env.OPS ?? "";
for (const c of cases.filter(({ name }) => name.includes(only)))
	test(c.name, () => checkCase(gpu, c));
for (const call of badCalls.filter(({ name }) => name.includes(only)))
	test(`${call.name} is refused`, () => checkBadCall(gpu, call));

test.run();
