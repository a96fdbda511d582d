/**
 * `npm run bench:solve`: many right-hand sides of a map's equations under one covariance, as posterior samples, folds and further energies are: on one thread, on all
 * threads, and on the GPU or the software driver that stands in for one.
 */
import { availableParallelism, cpus } from "node:os";
import { Command } from "commander";
import { positiveWhole, runCommand } from "../src/cli/command.ts";
import { GpuSolver } from "../src/extraction/kernels/gpuSolver.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { SolveThreads } from "../src/node/threads/solveThreads.ts";
import {
	type ManySolver,
	onThisThread,
} from "../src/qpi/posterior/solveMany.ts";
import { problem } from "../test/solving.ts";

/** Sizes of the components and of those near a first answer as in refineMap. */
const PRIOR = { components: 500, alike: 200, order: 3 };
const MAPS = [
	{ nx: 256, ny: 256, size: 57, marks: 50 },
	{ nx: 512, ny: 512, size: 101, marks: 300 },
];
/** Right-hand sides, and rounds of which the fastest counts; a software driver gets fewer. */
const [RIGHTS, ROUNDS] = [16, 5];
const [FEW, ONCE] = [2, 1];

interface Options {
	readonly adapter?: string;
	readonly steps: number;
	readonly gpu: boolean;
}

async function bench({ adapter, steps, gpu: wanted }: Options): Promise<void> {
	const threads = new SolveThreads();
	const gpu = wanted ? await openGpu({ adapter }) : undefined;
	console.log(
		`${availableParallelism()} x ${cpus()[0].model}; ${gpu ? describeAdapter(gpu) : "no GPU"}\nOf a right-hand side, ${steps} steps, after a warm-up, the least of some rounds. Where others use the machine too, the CPU's time says more.\n`,
	);
	const solvers: { solver: ManySolver; count: number; rounds: number }[] = [
		{ solver: onThisThread, count: RIGHTS / 2, rounds: ROUNDS },
		{ solver: threads, count: RIGHTS, rounds: ROUNDS },
	];
	if (gpu)
		solvers.push({
			solver: new GpuSolver(gpu),
			count: gpu.software ? FEW : RIGHTS,
			rounds: gpu.software ? ONCE : ROUNDS,
		});
	try {
		for (const map of MAPS) {
			console.log(
				`${map.nx} x ${map.ny} pixels, ${map.marks} marks, kernel of ${map.size} x ${map.size}, ${PRIOR.components} components`,
			);
			const { rights, covariance } = problem({
				...{ ...map, ...PRIOR, rights: RIGHTS / 4, systems: 4 },
			});
			let alone: number | undefined;
			for (const { solver, count, rounds } of solvers) {
				// spread over the four systems
				const some = rights.filter((_, i) => (i * count) % RIGHTS < count);
				const solve = (steps: number) =>
					solver.solve(some, covariance, 10, { tolerance: 0, steps });
				await solve(8);
				let [each, cpu] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
				for (let round = 0; round < rounds; round++) {
					const start = performance.now();
					const used = process.cpuUsage();
					await solve(steps);
					const { user, system } = process.cpuUsage(used);
					each = Math.min(each, (performance.now() - start) / some.length);
					cpu = Math.min(cpu, (user + system) / 1000 / some.length);
				}
				alone ??= each;
				console.log(
					`  ${solver.name.padEnd(34)}${each.toFixed(0).padStart(8)} ms${(alone / each).toFixed(2).padStart(8)} x${cpu.toFixed(0).padStart(8)} ms of the CPU   (${some.length} together)`,
				);
			}
		}
	} finally {
		await threads.close();
		gpu?.dispose();
	}
}

await runCommand(
	new Command("npm run bench:solve --")
		.description(
			"Times the solvers of many right-hand sides on two maps, and says how many times as fast as one thread each is.",
		)
		.option("--adapter <name>", "a part of the adapter's name")
		.option("--steps <n>", "of each solver", positiveWhole, 24)
		.option("--no-gpu", "the CPU alone")
		.action(bench),
);
