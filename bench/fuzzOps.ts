/** `npm run fuzz -- --ops --count 10000 --seed 1`: random cases of the engine's ops. */
import { Command } from "commander";
import { Gpu } from "../src/engine/device/gpu.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { fuzzOps as fuzz } from "../test/fuzzOps.ts";

/** Runs the program; returns its exit code. */
export async function fuzzOps(args: string[]): Promise<number> {
	const { adapter, ...options } = new Command("npm run fuzz -- --ops")
		.description(
			"Checks ops of random shapes and options against float64 references, by values and gradients, with the adapter's kernels and with those for GPUs in turn.",
		)
		.option("--ops", "this fuzzer")
		.option("-c, --count <n>", "cases", Number, 1000)
		.option("-s, --seed <n>", "seed of the cases", Number, 1)
		.option("-f, --first <n>", "number of the first case", Number, 0)
		.option("-a, --adapter <name>", "a part of the adapter's name")
		.parse(args, { from: "user" })
		.opts<{ count: number; seed: number; first: number; adapter?: string }>();
	const own = await openGpu({ adapter });
	console.log(describeAdapter(own));
	const tiles = new Gpu(own.device, {
		shaders: loadShaders(),
		adapterName: `${own.adapterName}, kernels for GPUs`,
		keepDevice: true,
	});
	const failures = await fuzz([own, tiles], {
		...options,
		onFailure: (message) => console.log(`FAILED ${message}`),
	});
	console.log(`${options.count - failures} agreed, ${failures} failed`);
	tiles.dispose();
	own.dispose();
	return failures > 0 ? 1 : 0;
}
