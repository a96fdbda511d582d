/**
 * What the first training step of a process takes, most of which is compiling: pipelines one after the other while the thread asks the device without a pause, or
 * compile() beforehand and a thread that naps (src/node/device/patience.ts). A process for each figure, of each kind in turn.
 *   node bench/firstStep.ts [adapter] [pairs] [--cold]
 * Mesa keeps what lavapipe compiled on the disk; --cold is a machine where nothing was run before.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../src/engine/device/compile.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { Adam } from "../src/engine/optim/adam.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { stepper, trialTasks } from "../src/training/pace.ts";
import { PRESETS, withModel } from "../src/training/presets.ts";

const KINDS = ["one by one", "ahead"] as const;
const cold = process.argv.includes("--cold");
const [adapter = "", pairs = "3", kind] = process.argv
	.slice(2)
	.filter((word) => word !== "--cold");

const folders: string[] = [];
function empty(): string {
	folders.push(mkdtempSync(join(tmpdir(), "qpi-mesa-")));
	return folders[folders.length - 1];
}
process.once("exit", () => {
	for (const folder of folders) rmSync(folder, { recursive: true });
});

async function measure(ahead: boolean): Promise<void> {
	const opened = await openGpu({ adapter, tune: false });
	const { device, software } = opened;
	const gpu = ahead
		? opened
		: new Gpu(device, { shaders: loadShaders(), software });
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
				env: cold
					? { ...process.env, MESA_SHADER_CACHE_DIR: empty() }
					: undefined,
			});
			console.log(`${name.padEnd(10)} ${stdout.trim()}`);
		}
