import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "../../src/cli/command.ts";
import { writeFileAtomic } from "../../src/node/files/files.ts";
import type { Shard } from "../../src/node/files/shard.ts";
import type { InputKind } from "../../src/qpi/operator/inputs.ts";
import { SPLITS } from "../../src/training/metrics.ts";
import type { ModelName } from "../../src/training/presets.ts";
import { comparePart, interval, readScores } from "../scores.ts";
import { trainingsOf } from "./units.ts";

/** What differs from the usual training. Where a convolutional kernel VAE is the same, that of the usual training is taken (`vae`); `pretrained` starts from one that was trained on generated kernels. */
const VARIANTS: Readonly<
	Record<string, { readonly args: readonly string[]; readonly vae?: "usual" }>
> = {
	usual: { args: [] },
	"no symmetry loss": { args: ["--symmetry", "0"] },
	"asymmetry penalised": { args: ["--penalise-asymmetry"] },
	"no KL loss": { args: ["--kl", "0"] },
	"KL loss x 1000": { args: ["--kl", "1e-3"] },
	pretrained: { args: [] },
	"trained without noise": { args: ["--noiseless"], vae: "usual" },
	"paper inputs": { args: ["--inputs", "paper"], vae: "usual" },
	"centred inputs": { args: ["--inputs", "centred"], vae: "usual" },
	"physics inputs": { args: ["--inputs", "physics"], vae: "usual" },
};
const [USUAL] = Object.keys(VARIANTS);
/** The generated kernels that `pretrained` starts from: as many an epoch as the usual training has. */
const STREAM = ["--stream", "20"];

/** Of a convolutional form: what an hour and a half on two cores allow. */
const EPOCHS = "60,30,30";

export interface NetworkAblation {
	readonly model: ModelName;
	readonly preset: string;
	/** Of the usual training, and of the others but those that are about inputs. */
	readonly inputs: InputKind;
	/** VAE, aligner, one-step: the same in every training. Where they are not given, EPOCHS of a convolutional form, else the preset's. */
	readonly epochs?: string;
	readonly seeds: readonly number[];
	readonly only?: readonly string[];
	/** Where the trainings are kept; those that are there are not made again, and interrupted ones go on. */
	readonly out: string;
	readonly json?: string;
	/** Only these of the trainings, and no comparison. */
	readonly shard?: Shard;
}

/** Trains every variant with every seed, and compares each with the usual one: two-step and one-step, observation by observation. */
export async function ablateNetworks(options: NetworkAblation): Promise<void> {
	const { seeds, only, json, shard, model, inputs } = options;
	const isConvolutional = model !== "components";
	const epochs = options.epochs ?? (isConvolutional ? EPOCHS : undefined);
	const possible = Object.entries(VARIANTS).filter(
		([name]) =>
			name !== `${inputs} inputs` && (isConvolutional || name !== "pretrained"),
	);
	const unknown = only?.find((name) => !possible.some(([is]) => is === name));
	if (unknown !== undefined)
		throw new Error(
			`there is no variant "${unknown}" of --model ${model} --inputs ${inputs}; expected some of: ${possible.map(([name]) => name).join(", ")}`,
		);
	const chosen = possible.filter(
		([name]) => name === USUAL || !only || only.includes(name),
	);
	// Other trainings are not taken for these.
	const out = join(
		options.out,
		[model, options.preset, inputs, ...(epochs ? [epochs] : [])].join("-"),
	);
	const folder = (name: string, seed: number) =>
		join(out, `${name.replaceAll(" ", "-")}-seed${seed}`);
	const trainings = trainingsOf(
		Object.fromEntries(
			chosen.map(([name, { vae }]) => [
				name,
				isConvolutional && vae !== undefined,
			]),
		),
		USUAL,
		seeds,
		shard,
	);
	for (const { name, seed } of trainings) {
		const { args, vae } = VARIANTS[name];
		const more = [...args];
		if (vae && isConvolutional) more.push("--vae", folder(USUAL, seed));
		if (name === "pretrained") {
			const first = folder("stream", seed);
			// Its kernel VAE alone is wanted.
			const short = { ...options, epochs: epochs?.replace(/,.*/, ",1,1") };
			await train(short, first, seed, STREAM);
			more.push("--init", join(first, "vae.safetensors"));
		}
		await train({ ...options, epochs }, folder(name, seed), seed, more);
	}
	if (shard) {
		say(
			`part ${shard.index}/${shard.of}: ${trainings.length} trainings in ${out}; once all parts are there, the same command without --shard compares them`,
		);
		return;
	}
	const load = async (name: string) =>
		Promise.all(
			seeds.map(async (seed) => {
				const found = await readScores(folder(name, seed));
				if (!found) throw new Error(`${folder(name, seed)} holds no scores`);
				return found;
			}),
		);
	const usual = await load(USUAL);
	const rows: object[] = [];
	say(
		`NCC, and how it differs from "${USUAL}": mean and 95 % interval over kernels; ${model}, ${inputs} inputs, seeds ${seeds.join(", ")}, ${epochs ? `epochs ${epochs}` : `the epochs of ${options.preset}`}`,
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
			`${JSON.stringify({ ...options, epochs, json: undefined, out: undefined, rows }, null, "\t")}\n`,
		);
}

const TRAIN = fileURLToPath(new URL("../train.ts", import.meta.url));

/** One training, with its own process and its own lines; nothing where it is finished. */
async function train(
	{ model, preset, inputs, epochs }: NetworkAblation,
	folder: string,
	seed: number,
	more: readonly string[],
): Promise<void> {
	if (await readScores(folder)) return;
	const args = [
		...["--model", model, "--preset", preset, "--inputs", inputs],
		...["--seed", String(seed), "--out", folder],
		...(epochs ? ["--epochs", epochs] : []),
		...(model === "components"
			? []
			: ["--average", "0.999", "--cosine", "100"]),
		...more,
		...(existsSync(join(folder, "run.json")) ? ["--resume"] : []),
	];
	say(`\n${folder}: train ${args.join(" ")}`);
	const child = spawn(process.execPath, [TRAIN, ...args], { stdio: "inherit" });
	const code = await new Promise((resolve) => child.on("close", resolve));
	if (code !== 0)
		throw new Error(`the training in ${folder} ended with ${code}`);
}
