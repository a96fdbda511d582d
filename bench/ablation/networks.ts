import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "../../src/cli/command.ts";
import { writeFileAtomic } from "../../src/node/files/files.ts";
import type { Shard } from "../../src/node/files/shard.ts";
import { SPLITS } from "../../src/training/metrics.ts";
import { comparePart, interval, readScores } from "../scores.ts";
import { trainingsOf } from "./units.ts";

/**
 * What differs from the published training: 80 kernels with their images, image and activation map as input. Where the kernel VAE is the same, that of the usual
 * training is taken (`vae`); `pretrained` starts from one that was trained on generated kernels.
 */
const VARIANTS: Readonly<
	Record<string, { readonly args: readonly string[]; readonly vae?: "usual" }>
> = {
	"as published": { args: [] },
	"no symmetry loss": { args: ["--symmetry", "0"] },
	"asymmetry penalised": { args: ["--penalise-asymmetry"] },
	"no KL loss": { args: ["--kl", "0"] },
	"KL loss x 1000": { args: ["--kl", "1e-3"] },
	pretrained: { args: [] },
	"trained without noise": { args: ["--noiseless"], vae: "usual" },
	"centred inputs": { args: ["--inputs", "centred"], vae: "usual" },
	"physics inputs": { args: ["--inputs", "physics"], vae: "usual" },
};
const [USUAL] = Object.keys(VARIANTS);
/** The generated kernels that `pretrained` starts from: as many an epoch as the published training has. */
const STREAM = ["--stream", "20"];

export interface NetworkAblation {
	readonly model: string;
	readonly preset: string;
	/** VAE, aligner, one-step: the same in every training. */
	readonly epochs: string;
	readonly seeds: number;
	readonly only?: readonly string[];
	/** Where the trainings are kept; those that are there are not made again, and interrupted ones go on. */
	readonly out: string;
	readonly json?: string;
	/** Only these of the trainings, and no comparison. */
	readonly shard?: Shard;
}

/** Trains every variant with every seed, and compares each with the usual one: two-step and one-step, observation by observation. */
export async function ablateNetworks(options: NetworkAblation): Promise<void> {
	const { seeds, out, only, json, shard } = options;
	const unknown = only?.find((name) => !VARIANTS[name]);
	if (unknown !== undefined)
		throw new Error(
			`there is no variant "${unknown}"; expected some of: ${Object.keys(VARIANTS).join(", ")}`,
		);
	const chosen = Object.entries(VARIANTS).filter(
		([name]) => name === USUAL || !only || only.includes(name),
	);
	const folder = (name: string, seed: number) =>
		join(out, `${name.replaceAll(" ", "-")}-seed${seed}`);
	const seedList = Array.from({ length: seeds }, (_, i) => i + 1);
	const trainings = trainingsOf(
		Object.fromEntries(
			chosen.map(([name, { vae }]) => [name, vae !== undefined]),
		),
		USUAL,
		seeds,
		shard,
	);
	for (const { name, seed } of trainings) {
		const { args, vae } = VARIANTS[name];
		const more = [...args];
		if (vae) more.push("--vae", folder(USUAL, seed));
		if (name === "pretrained") {
			const first = folder("stream", seed);
			await train(options, first, seed, STREAM);
			more.push("--init", join(first, "vae.safetensors"));
		}
		await train(options, folder(name, seed), seed, more);
	}
	if (shard) {
		say(
			`part ${shard.index}/${shard.of}: ${trainings.length} trainings in ${out}; once all parts are there, the same command without --shard compares them`,
		);
		return;
	}
	const load = async (name: string) =>
		Promise.all(
			seedList.map(async (seed) => {
				const found = await readScores(folder(name, seed));
				if (!found) throw new Error(`${folder(name, seed)} holds no scores`);
				return found;
			}),
		);
	const usual = await load(USUAL);
	const rows: object[] = [];
	say(
		`NCC, and how it differs from "${USUAL}": mean and 95 % interval over kernels; ${seeds} seeds, epochs ${options.epochs}`,
	);
	for (const [name] of chosen) {
		const files = await load(name);
		for (const method of ["twoStep", "oneStep"] as const)
			for (const [part, title] of Object.entries(SPLITS)) {
				const found = comparePart(
					files.map((file, i) => [
						{ file, method },
						{ file: usual[i], method },
					]),
					"ncc",
					part,
				);
				if (!found) continue;
				rows.push({ name, method, part, ...found });
				say(
					`${name.padEnd(22)} ${method}  ${title.padEnd(20)} ${found.means[0].toFixed(3)}  ${interval(found)}`,
				);
			}
	}
	if (json)
		await writeFileAtomic(
			json,
			`${JSON.stringify({ ...options, json: undefined, out: undefined, rows }, null, "\t")}\n`,
		);
}

const TRAIN = fileURLToPath(new URL("../train.ts", import.meta.url));

/** One training, with its own process and its own lines; nothing where it is finished. */
async function train(
	{ model, preset, epochs }: NetworkAblation,
	folder: string,
	seed: number,
	more: readonly string[],
): Promise<void> {
	if (await readScores(folder)) return;
	const args = [
		...["--model", model, "--preset", preset, "--inputs", "paper"],
		...["--epochs", epochs, "--seed", String(seed), "--out", folder],
		...["--average", "0.999", "--cosine", "100", ...more],
		...(existsSync(join(folder, "run.json")) ? ["--resume"] : []),
	];
	say(`\n${folder}: train ${args.join(" ")}`);
	const child = spawn(process.execPath, [TRAIN, ...args], { stdio: "inherit" });
	const code = await new Promise((resolve) => child.on("close", resolve));
	if (code !== 0)
		throw new Error(`the training in ${folder} ended with ${code}`);
}
