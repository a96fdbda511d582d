/** `npm run bench:step`: one training step of each network: wall time, what the host does, and where the device's time goes. */
import { Command, Option } from "commander";
import { Adam } from "../src/engine/optim/adam.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { stepper, trialTasks } from "../src/training/pace.ts";
import {
	MODELS,
	type ModelName,
	PRESETS,
	type PresetName,
	withModel,
} from "../src/training/presets.ts";

const options = new Command("npm run bench:step --")
	.description(
		"Times training steps on random data of the right shapes, once as they are and once with every dispatch timed on the device.",
	)
	.addOption(
		new Option("-p, --preset <name>", "size of the networks")
			.choices(Object.keys(PRESETS))
			.default("quick"),
	)
	.addOption(
		new Option("-m, --model <name>", "form of the networks")
			.choices(MODELS)
			.default("components"),
	)
	.option("-a, --adapter <name>", "a part of the adapter's name")
	.option("-n, --steps <n>", "steps that are timed", Number, 10)
	.option("-r, --rows <n>", "pipelines that are listed", Number, 15)
	.parse()
	.opts<{
		preset: PresetName;
		model: ModelName;
		adapter?: string;
		steps: number;
		rows: number;
	}>();

const preset = withModel(PRESETS[options.preset], options.model);
const median = (values: number[]) =>
	values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const gpu = await openGpu({ adapter: options.adapter, tune: false });
const profiled = await openGpu({
	adapter: options.adapter,
	profile: true,
	tune: false,
});
console.log(describeAdapter(gpu));
const profiledTasks = Object.values(trialTasks(profiled, preset, "physics"));
for (const [i, task] of Object.values(
	trialTasks(gpu, preset, "physics"),
).entries()) {
	const step = stepper(gpu, task, new Adam(task.parameters, { lr: 1e-4 }));
	for (let k = 0; k < 3; k++) step();
	await gpu.idle();
	const before = { ...gpu.statistics };
	const wall: number[] = [];
	const host: number[] = [];
	for (let k = 0; k < options.steps; k++) {
		const start = performance.now();
		step();
		host.push(performance.now() - start);
		await gpu.idle();
		wall.push(performance.now() - start);
	}
	const of = (key: keyof typeof before) =>
		(gpu.statistics[key] - before[key]) / options.steps;
	const each = (key: keyof typeof before) => of(key).toFixed(1);
	console.log(
		`\n${task.name}, ${task.parameters.count} parameters, batch ${task.batch}: ${median(wall).toFixed(1)} ms a step (${Math.min(...wall).toFixed(1)} to ${Math.max(...wall).toFixed(1)}), ` +
			`host ${median(host).toFixed(1)} ms; ${each("dispatches")} dispatches, ${each("passes")} passes, ${each("submits")} submits, ${each("bytesAllocated")} bytes allocated; ${(of("flop") / 1e9).toFixed(2)} GFLOP, ${(of("flop") / median(wall) / 1e6).toFixed(1)} GFLOP/s`,
	);
	const { parameters } = profiledTasks[i];
	const timed = stepper(
		profiled,
		profiledTasks[i],
		new Adam(parameters, { lr: 1e-4 }),
	);
	for (let k = 0; k < 2; k++) timed();
	await profiled.profile();
	for (let k = 0; k < options.steps; k++) timed();
	const rows = await profiled.profile();
	const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
	console.log(`device ${(total / options.steps).toFixed(1)} ms:`);
	for (const row of rows.slice(0, options.rows))
		console.log(
			`${(row.milliseconds / options.steps).toFixed(2).padStart(8)} ms  ${((100 * row.milliseconds) / total).toFixed(0).padStart(3)} %  ${String(row.dispatches / options.steps).padStart(4)} x  ${row.pipeline}`,
		);
}
gpu.dispose();
profiled.dispose();
