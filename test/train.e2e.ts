/** `npm run train`, end to end: the smoke preset is trained, once in one go and once interrupted, killed and resumed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeNpy } from "../src/formats/npy.ts";
import { decodeSafetensors } from "../src/formats/safetensors.ts";
import { makeDataset } from "../src/node/datasets/makeDataset.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { openWeights } from "../src/node/files/shippedWeights.ts";
import { kernelFileName } from "../src/qpi/dataset/format.ts";
import { compareKernels } from "../src/qpi/scores/metrics.ts";
import type { History } from "../src/training/checkpoint.ts";
import type { ScoreFile } from "../src/training/evaluate.ts";
import type { MethodName } from "../src/training/metrics.ts";
import { PRESETS } from "../src/training/presets.ts";
import { generatedSource, type Observation } from "../src/training/source.ts";
import { type Ended, start, until } from "./command.ts";

const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-train-"));
test.after(() => rm(scratch, { recursive: true }));
const whole = join(scratch, "whole");
const broken = join(scratch, "broken");

const NETWORKS = ["vae", "aligner", "oneStep"] as const;
type Network = (typeof NETWORKS)[number];
const TITLES = { vae: "kernel VAE", aligner: "aligner", oneStep: "one-step" };
const PICTURES = ["comparison", "curves", "losses", "latents", "kernels"];
const PARTS = ["seen", "unseenEnergy", "unseenFamily"] as const;
/** NCC of the smoke preset, seed 1, by part; software adapters agree on seven digits. */
const PINNED: Readonly<Record<string, readonly number[]>> = {
	ridge: [0.9053, 0.8784, 0.8908],
	projected: [0.9984, 0.8727, 0.9016],
	oneStep: [0.9866, 0.8625, 0.8923],
	twoStep: [0.9794, 0.8573, 0.8878],
	meanKernel: [0.4006, 0.1842, 0.1776],
	nearest: [1, 0.4404, 0.6761],
};
const METHODS = Object.keys(PINNED);

const train = (out: string, ...args: string[]) =>
	start("bench/train.ts", ["--preset", "smoke", "--out", out, ...args], {
		seconds: 600,
	});

const checkpointFile = (folder: string, network: Network) =>
	join(folder, `${network}.checkpoint.safetensors`);

function checkpoint(folder: string, network: Network) {
	const bytes = readFileSync(checkpointFile(folder, network));
	const { tensors, metadata } = decodeSafetensors(bytes);
	const history: History = JSON.parse(metadata.history);
	return { bytes, tensors, epoch: Number(metadata.epoch), history };
}

const read = (folder: string, name: string) => readFileSync(join(folder, name));
const metricsOf = (folder: string) =>
	JSON.parse(`${read(folder, "metrics.json")}`);

/** Rows of the learning curve: network, epoch, seconds, TFLOP, loss, that of what is not trained on. */
const curve = (folder: string) =>
	`${read(folder, "learning-curve.csv")}`
		.trimEnd()
		.split("\n")
		.slice(1)
		.map((line) => line.split(","));

/** Names of half-written files, also in subfolders. */
const leftovers = (folder: string) =>
	readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
		name.includes(".tmp"),
	);

function succeeded({ code, signal, stderr }: Ended): void {
	assert.is(code, 0, `code ${code}, signal ${signal}:\n${stderr}`);
}

let seconds = performance.now();
function lap(what: string): void {
	const now = performance.now();
	console.log(`${what}: ${((now - seconds) / 1000).toFixed(1)} s`);
	seconds = now;
}

test("the smoke preset trains; progress is plain lines", async () => {
	const ended = await train(whole).ended;
	succeeded(ended);
	console.log(ended.stdout.split("\n")[0]);
	lap("one run");
	assert.match(ended.stdout, /^adapter: \S+/);
	assert.match(ended.stdout, /\d+ to train on, \d+ unseen energies/);
	assert.match(ended.stdout, /two-step network .*\d\.\d{3} \/ \d\.\d{3}/);
	assert.match(ended.stdout, `open ${whole}/report.html`);
	for (const title of Object.values(TITLES)) {
		const told = ended.stdout.match(
			new RegExp(`^${title}: a step takes [\\d.]+ MB of .*moments`, "gm"),
		);
		assert.is(told?.length, 1, title);
	}
	for (const network of NETWORKS) {
		const line = new RegExp(
			`^${TITLES[network]} (\\d+)/\\1  loss [\\d.e-]+  [\\d.]+ steps/s  took \\w+$`,
			"m",
		);
		assert.match(ended.stderr, line);
	}
	// biome-ignore lint/suspicious/noControlCharactersInRegex: just those must not come
	assert.not.match(ended.stdout + ended.stderr, /[\r\x1b]/);
});

test("every loss falls", () => {
	for (const network of NETWORKS) {
		const { epoch, history } = checkpoint(whole, network);
		assert.is(epoch, PRESETS.smoke[network].epochs);
		for (const points of [history.train, history.validation]) {
			assert.equal(
				points.map(([at]) => at),
				Array.from({ length: epoch }, (_, i) => i + 1),
			);
			assert.ok(points.every(([, value]) => Number.isFinite(value)));
		}
		const losses = history.train.map(([, loss]) => loss);
		console.log(`${network}: ${losses.map((l) => l.toPrecision(3)).join(" ")}`);
		assert.ok((losses.at(-1) ?? 1) < losses[0], `${network}: ${losses}`);
	}
});

test("scores.json has every observation that metrics.json averages over", () => {
	const { methods } = metricsOf(whole);
	const scores: ScoreFile = JSON.parse(`${read(whole, "scores.json")}`);
	assert.is(scores.seed, 1);
	for (const method of METHODS)
		for (const part of PARTS) {
			const values = scores.observations.flatMap((o, i) =>
				o.part === part
					? [scores.methods[method as MethodName]?.ncc[i] ?? Number.NaN]
					: [],
			);
			const { ncc, n } = methods[method][part];
			assert.is(values.length, n);
			const mean = values.reduce((a, b) => a + b, 0) / n;
			assert.ok(Math.abs(mean - ncc) < 1e-5, `${method} ${part}: ${mean}`);
		}
});

test("metrics.json has six methods and three parts, on the reference's scale", () => {
	const metrics = metricsOf(whole);
	const { preset, inputs, seed, adapter, seconds, methods } = metrics;
	assert.equal([preset, inputs, seed], ["smoke", "physics", 1]);
	assert.type(adapter, "string");
	assert.ok(seconds > 0);
	for (const method of METHODS) {
		assert.equal(Object.keys(methods[method]), PARTS, method);
		for (const part of PARTS) {
			const score = methods[method][part];
			assert.equal(Object.keys(score), ["mae", "mse", "rmse", "ncc", "n"]);
			const { mae, mse, rmse, ncc, n } = score;
			assert.ok(Number.isInteger(n) && n > 0 && n <= PRESETS.smoke.evaluated);
			assert.ok(
				mae >= 0 && mae <= 2 && mse <= 2 * mae + 1e-9,
				`mae ${mae}, mse ${mse}`,
			);
			assert.ok(
				mae <= rmse + 1e-9 && rmse ** 2 <= mse + 1e-9,
				`mae ${mae}, rmse ${rmse}`,
			);
			assert.ok(ncc >= -1 && ncc <= 1, `ncc ${ncc}`);
		}
	}
	assert.equal(Object.keys(methods), METHODS);
});

test("scores are the pinned ones; trained networks beat ridge on seen kernels, and kernels by heart on unseen ones", () => {
	const { methods } = metricsOf(whole);
	const scores = METHODS.map((method) =>
		PARTS.map((part) => methods[method][part].ncc as number),
	);
	console.log(scores.map((row) => row.map((v) => v.toFixed(4))).join(" | "));
	METHODS.forEach((method, m) => {
		PARTS.forEach((part, k) => {
			const [found, expected] = [scores[m][k], PINNED[method][k]];
			assert.ok(
				Math.abs(found - expected) < 2e-3,
				`${method}, ${part}: found ${found}, expected ${expected}`,
			);
		});
	});
	for (const network of ["oneStep", "twoStep"]) {
		assert.ok(methods[network].seen.ncc > methods.ridge.seen.ncc + 0.05);
		for (const part of ["unseenEnergy", "unseenFamily"])
			for (const rival of ["meanKernel", "nearest"])
				assert.ok(
					methods[network][part].ncc > methods[rival][part].ncc + 0.15,
					`${network}, ${part}, ${rival}`,
				);
	}
});

test("weights, latents, pictures and report are there; scratch files are not", () => {
	for (const network of NETWORKS) {
		const weights = decodeSafetensors(
			read(whole, `${network}.safetensors`),
		).tensors;
		const saved = checkpoint(whole, network).tensors;
		assert.ok(weights.size > 0);
		for (const [name, { shape, data }] of weights) {
			assert.equal(shape, saved.get(`weight/${name}`)?.shape);
			assert.ok(data.every(Number.isFinite), name);
		}
	}
	const { shape, data } = decodeNpy(read(whole, "latents.npy"));
	assert.equal(shape, [PRESETS.smoke.kernels, 2, 4, 8, 8]);
	assert.ok((data as Float32Array).every(Number.isFinite));
	assert.ok(new Set(data as Float32Array).size > data.length / 2);

	const html = `${read(whole, "report.html")}`;
	for (const name of PICTURES) {
		const png = read(whole, `${name}.png`);
		assert.is(png.toString("latin1", 0, 8), "\x89PNG\r\n\x1a\n", name);
		assert.ok(png.readUInt32BE(16) >= 300, `${name} is wide enough`);
		assert.ok(
			html.includes(png.toString("base64")),
			`${name} is in the report`,
		);
	}
	// What a browser would fetch, and what names another machine at all.
	const plain = html.replaceAll(/data:image\/png;base64,[\w+/=]+/g, "");
	assert.not.match(
		plain,
		/https?:|\/\/\w+\.\w|<script|<link|<iframe|@import|url\(/i,
	);
	for (const [, source] of html.matchAll(/\b(?:src|href)="([^"]*)"/g))
		assert.match(source, /^(data:|#)/);

	assert.equal(leftovers(whole), []);
	assert.not(existsSync(join(whole, "prepared")));
	const { train, unseenEnergy, unseenFamily } = JSON.parse(
		`${read(whole, "split.json")}`,
	);
	assert.is(
		new Set([...train, ...unseenEnergy, ...unseenFamily]).size,
		PRESETS.smoke.kernels,
	);
});

test("Ctrl-C while the data are prepared ends it soon, too", async () => {
	const folder = join(scratch, "prepared");
	const args = ["--preset", "quick", "--out", folder];
	const run = start("bench/train.ts", args, { seconds: 300 });
	await until(run, () => existsSync(join(folder, "prepared")));
	run.child.kill("SIGINT");
	const { code, stderr } = await run.ended;
	assert.is(code, 130, stderr);
	assert.match(stderr, /interrupted; the same command with --resume/);
	assert.equal(readdirSync(join(folder, "prepared")), []);
});

test("Ctrl-C while the VAE trains: exit code 130, one line that names --resume, nothing half written", async () => {
	const run = train(broken);
	await until(run, () => existsSync(checkpointFile(broken, "vae")));
	run.child.kill("SIGINT");
	const { code, stderr } = await run.ended;
	lap("until Ctrl-C");
	assert.is(code, 130, stderr);
	const lines = stderr.trim().split("\n");
	const last = String(lines.pop());
	assert.match(last, `--resume`);
	assert.match(last, broken);
	// The VAE takes half a second: on a busy machine the signal may come later.
	for (const line of lines)
		assert.match(line, /^(kernels|observations|kernel VAE|aligner|one-step) /);
	assert.equal(leftovers(broken), []);
	assert.not(existsSync(join(broken, "metrics.json")));
	console.log(`stopped after VAE epoch ${checkpoint(broken, "vae").epoch}`);
});

test("kill -9 while the aligner trains", async () => {
	const before = checkpoint(broken, "vae").epoch;
	const run = train(broken, "--resume");
	let said = "";
	run.child.stdout?.on("data", (chunk) => {
		said += chunk;
	});
	await until(
		run,
		() =>
			said.includes("going on") &&
			existsSync(checkpointFile(broken, "aligner")),
	);
	run.child.kill("SIGKILL");
	const { signal, stdout } = await run.ended;
	lap("until kill -9");
	assert.is(signal, "SIGKILL");
	assert.match(stdout, `kernel VAE: going on after epoch ${before}`);
	console.log(
		`killed after aligner epoch ${checkpoint(broken, "aligner").epoch}`,
	);
	// What a process that is killed while it writes leaves behind.
	const half = readFileSync(checkpointFile(broken, "aligner")).subarray(
		0,
		9999,
	);
	await writeFile(`${checkpointFile(broken, "aligner")}.1.0badcafe.tmp`, half);
	await writeFile(join(broken, "prepared", "data.1.tmp"), half);
});

test("resumed, it ends bitwise as if nothing had happened", async () => {
	const ended = await train(broken, "--resume").ended;
	succeeded(ended);
	lap("the rest");
	assert.match(ended.stdout, /aligner: going on after epoch/);
	assert.equal(leftovers(broken), []);
	for (const network of NETWORKS) {
		const [a, b] = [whole, broken].map((folder) => checkpoint(folder, network));
		assert.equal(b.history, a.history);
		assert.ok(b.bytes.equals(a.bytes), `${network}: weights, Adam's moments`);
	}
	const [a, b] = [whole, broken].map(curve);
	const result = ([network, epoch, , , ...losses]: string[]) => [
		network,
		epoch,
		...losses,
	];
	assert.equal(b.map(result), a.map(result));
	for (const column of [2, 3])
		b.reduce((before, row) => {
			assert.ok(Number(row[column]) >= before, `${row}`);
			return Number(row[column]);
		}, 0);
	for (const name of [
		...NETWORKS.map((network) => `${network}.safetensors`),
		"latents.npy",
		"scores.json",
		"split.json",
		...PICTURES.map((picture) => `${picture}.png`),
	])
		assert.ok(read(broken, name).equals(read(whole, name)), name);
	assert.equal(
		{ ...metricsOf(broken), seconds: 0 },
		{ ...metricsOf(whole), seconds: 0 },
	);
});

test("a finished run is not overwritten, and other options do not go on with it", async () => {
	const again = await train(whole).ended;
	assert.is(again.code, 1);
	assert.match(
		again.stderr,
		/^error: .* already holds a run; give --resume.*\n$/,
	);
	const other = await train(whole, "--resume", "--seed", "2").ended;
	assert.is(other.code, 1);
	assert.match(other.stderr, /^error: .*seed 1, now 2.*\n$/);
});

test("a folder of data with a broken file: --skip-bad trains without it and says so at the end", async () => {
	const data = join(scratch, "data");
	await makeDataset({ out: data, kernels: 12, observations: 3, seed: 1 });
	const { split } = JSON.parse(`${read(data, "manifest.json")}`);
	const bad = join(data, kernelFileName(split.train[1]));
	const text = readFileSync(bad);
	text.write("x", text.length - 20);
	await writeFile(bad, text);

	const out = join(scratch, "skipped");
	const args = ["--data", data, "--epochs", "1,1,1", "--inputs", "paper"];
	const ways = ["--accumulate", "2", "--average", "0.9", "--cosine", "1"];
	args.push(...ways);
	const refused = await train(out, ...args).ended;
	assert.is(refused.code, 1);
	assert.match(
		refused.stderr,
		/error: .*row \d+, column \d+: found .*expected/,
	);
	assert.not(existsSync(out));

	const ended = await train(out, ...args, "--skip-bad").ended;
	succeeded(ended);
	lap("training on a folder");
	assert.match(ended.stdout, `${split.train.length - 1} to train on`);
	const last = String(ended.stderr.trim().split("\n").at(-1));
	assert.match(last, /^left out 1 broken file: /);
	assert.match(last, bad);
	const { inputs, methods } = metricsOf(out);
	assert.is(inputs, "paper");
	for (const network of NETWORKS) {
		const { tensors } = checkpoint(out, network);
		const left = decodeSafetensors(read(out, `${network}.safetensors`)).tensors;
		for (const [name, { data }] of left)
			assert.equal(tensors.get(`average/${name}`)?.data, data);
	}
	for (const method of METHODS) assert.ok(methods[method].unseenFamily.n > 0);
	assert.is(decodeNpy(read(out, "latents.npy")).shape[0], 11);
});

const convolutional = join(scratch, "convolutional");
const TINY = ["--model", "tiny", "--inputs", "centred"];

test("convolutional networks on a stream: a budget decides the epochs, and a run that is killed ends bitwise as one of these epochs that is not", async () => {
	const stream = [...TINY, "--stream", "1"];
	const within = [...stream, "--budget", "5s"];
	const run = train(convolutional, ...within);
	const begun = checkpointFile(convolutional, "aligner");
	await until(run, () => existsSync(begun));
	run.child.kill("SIGKILL");
	assert.is((await run.ended).signal, "SIGKILL");
	const resumed = await train(convolutional, ...within, "--resume").ended;
	succeeded(resumed);
	lap("within a budget");
	assert.match(resumed.stdout, /the networks waited [\d.]+ s for new data/);
	const epochs = JSON.parse(`${read(convolutional, "epochs.json")}`);
	assert.is(epochs[1], epochs[2]);
	for (const [i, network] of NETWORKS.entries())
		assert.is(checkpoint(convolutional, network).epoch, epochs[i], network);

	const straight = join(scratch, "straight");
	const same = [...stream, "--epochs", epochs.join(",")];
	succeeded(await train(straight, ...same).ended);
	lap("without a break");
	for (const name of [
		...NETWORKS.map((network) => `${network}.safetensors`),
		"scores.json",
		"split.json",
	])
		assert.ok(read(convolutional, name).equals(read(straight, name)), name);
	const { reproduced } = metricsOf(straight);
	for (const by of ["components", "vae"])
		assert.ok(reproduced[by] > -1 && reproduced[by] < 1, by);
	// The stream draws relatives of all families of so small a set.
	const { unseenEnergy, unseenFamily } = JSON.parse(
		`${read(straight, "split.json")}`,
	);
	assert.equal([unseenEnergy.length, unseenFamily.length], [2, 0]);
});

test("a finished run's folder is one of weights, which find what the run has found", async () => {
	const weights = await openWeights(convolutional);
	assert.is(weights.inputs, "centred");
	const prior = "prior.safetensors";
	assert.equal(
		await weights.read(prior),
		await (await openWeights()).read(prior),
	);
	const { observations, methods }: ScoreFile = JSON.parse(
		`${read(convolutional, "scores.json")}`,
	);
	const at = observations.findIndex((o) => o.part === "unseenEnergy");
	const wanted = observations[at];
	const { kernels, observations: count } = PRESETS.smoke;
	const source = generatedSource(kernels, {
		...{ observations: count, seed: 1, scattering: "linear" },
	});
	const made = await source.load(wanted.kernel);
	const { image, scatterers } = made.observations.find(
		({ noise, scatterers }) =>
			noise === wanted.noise && scatterers.length === wanted.scatterers,
	) as Observation;
	const gpu = await openGpu();
	const networks = await weights.networks(gpu);
	for (const method of ["oneStep", "twoStep"] as const) {
		const [found] = await networks.infer(method, [
			networks.inputsOf(image, scatterers),
		]);
		const { ncc } = compareKernels(found, made.kernel);
		const expected = methods[method]?.ncc[at] ?? Number.NaN;
		assert.ok(Math.abs(ncc - expected) < 2e-3, `${ncc} ${expected}`);
	}
	networks.dispose();
	gpu.dispose();
	const other = join(scratch, "other weights");
	await cp(convolutional, other, { recursive: true });
	const refused = async (text: RegExp) => {
		const error = await openWeights(other).catch((error: Error) => error);
		assert.match((error as Error).message, text);
	};
	await writeFile(join(other, "vae.safetensors"), "cut");
	await refused(/vae\.safetensors/);
	await writeFile(join(other, "metrics.json"), "{}");
	await refused(/metrics\.json is not as a finished training writes it/);
	await writeFile(join(other, "run.json"), '{"inputs": "centred"');
	await refused(/run\.json is not as a finished training writes it/);
	await rm(join(other, "metrics.json"));
	await refused(/other weights holds no finished training/);
});

test("convolutional weights go out and come in by the library's names", async () => {
	const file = join(convolutional, "vae.safetensors");
	const { tensors } = decodeSafetensors(readFileSync(file));
	const query = "encoder.mid_block.attentions.0.to_q.weight";
	assert.equal(tensors.get(query)?.shape, [16, 16]);
	// From 8 to 16 channels: outputs, inputs, height, width.
	const down = "encoder.down_blocks.2.resnets.0.conv1.weight";
	assert.equal(tensors.get(down)?.shape, [16, 8, 3, 3]);

	const second = join(scratch, "pretrained");
	const from = ["--init", file, "--epochs", "1,1,1"];
	succeeded(await train(second, ...TINY, ...from).ended);
	lap("from its weights");
	const loss = (folder: string) =>
		checkpoint(folder, "vae").history.train[0][1];
	assert.ok(
		loss(second) < loss(convolutional),
		`${loss(second)} ${loss(convolutional)}`,
	);

	const other = join(scratch, "other");
	const refused = await train(other, "--model", "small", ...from).ended;
	assert.is(refused.code, 1);
	assert.match(
		refused.stderr,
		/vae\.safetensors: tensor "encoder\.down_blocks\.1\.resnets\.0\.conv1\.weight" has shape \[8, 8, 3, 3\], which does not fit this network's \[16, 3, 3, 8\]/,
	);
	assert.not(existsSync(other));
	const both = await train(other, ...from, "--budget", "8s").ended;
	assert.match(both.stderr, /--budget or --epochs: each decides the epochs/);
	const dense = await train(other, "--init", file).ended;
	assert.match(dense.stderr, /principal components cannot start from them/);

	// Its kernel VAE as it is, other losses, and none but images without noise.
	const third = join(scratch, "sameVae");
	const ways = ["--kl", "0", "--noiseless", "--epochs", "1,1,1"];
	succeeded(await train(third, ...TINY, "--vae", convolutional, ...ways).ended);
	lap("with its kernel VAE");
	assert.ok(read(third, "vae.safetensors").equals(readFileSync(file)));
	assert.equal(
		curve(third).map(([network]) => network),
		["aligner", "oneStep"],
	);
});

test.run();
