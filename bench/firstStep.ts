/**
 * What the first training step of a process takes, most of which is compiling: pipelines one after the other while the thread asks the device without a pause, or
 * compile() beforehand and a thread that naps (src/node/patience.ts). A process for each figure, of each kind in turn.
 *   node bench/firstStep.ts [adapter] [pairs]
 * Mesa keeps what lavapipe compiled on the disk: MESA_SHADER_CACHE_DISABLE=true is a machine where nothing was run before.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compile } from "../src/engine/compile.ts";
import { Gpu } from "../src/engine/gpu.ts";
import { Adam } from "../src/engine/optim.ts";
import { openGpu } from "../src/node/adapter.ts";
import { patiently } from "../src/node/patience.ts";
import { loadShaders } from "../src/node/shaders.ts";
import { stepper, trialTasks } from "../src/training/pace.ts";
import { PRESETS, withModel } from "../src/training/presets.ts";

const KINDS = ["one by one", "ahead"] as const;
const [adapter = "", pairs = "3", kind] = process.argv.slice(2);

async function measure(ahead: boolean): Promise<void> {
	const { device, software } = await openGpu({ adapter, tune: false });
	const wait = ahead ? patiently : undefined;
	const gpu = new Gpu(device, { shaders: loadShaders(), software, wait });
	const preset = withModel(PRESETS.quick, "components");
	const { vae: task } = trialTasks(gpu, preset, "physics");
	const step = stepper(gpu, task, new Adam(task.parameters, { lr: 1e-4 }));
	await gpu.idle();
	const [start, before] = [performance.now(), process.cpuUsage()];
	if (ahead) await compile(gpu, step);
	const compiled = performance.now() - start;
	step();
	await gpu.idle();
	const { user, system } = process.cpuUsage(before);
	console.log(
		`${(performance.now() - start).toFixed(0)} ms, of which compile() ${compiled.toFixed(0)}; processor ${((user + system) / 1000).toFixed(0)} ms; ${gpu.statistics.pipelines} pipelines`,
	);
	gpu.dispose();
}

if (kind) await measure(kind === KINDS[1]);
else
	for (let pair = 0; pair < Number(pairs); pair++)
		for (const name of KINDS) {
			const args = [fileURLToPath(import.meta.url), adapter, pairs, name];
			const { stdout } = spawnSync(process.execPath, args, {
				encoding: "utf8",
			});
			console.log(`${name.padEnd(10)} ${stdout.trim()}`);
		}
