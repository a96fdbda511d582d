// The training of a page, without the page: the session that its worker runs, on a store in memory.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Gpu } from "../src/engine/device/gpu.ts";
import { collect } from "../src/engine/layers/state.ts";
import type { NetworkName } from "../src/models/networks.ts";
import { weightFiles } from "../src/models/trained/weightFiles.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { RunFolder } from "../src/node/files/runFolder.ts";
import { openWeights, SHIPPED } from "../src/node/files/shippedWeights.ts";
import { trainRun } from "../src/node/training/trainRun.ts";
import {
	type Checkpoint,
	learntWeights,
	takeUp,
} from "../src/training/checkpoint.ts";
import { PRESETS, withEpochs } from "../src/training/presets.ts";
import { generatedSource } from "../src/training/source.ts";
import type {
	RunConfiguration,
	TrainingCommand,
	TrainingEvent,
	TrainingState,
} from "../src/web/training/messages.ts";
import { TrainingSession } from "../src/web/training/session.ts";
import type { Kept, RunStore } from "../src/web/training/store.ts";

const CONFIGURATION: RunConfiguration = {
	preset: "smoke",
	inputs: "physics",
	seed: 1,
	epochs: [2, 1, 1],
};
const scratch = await mkdtemp(join(tmpdir(), "qpi-lens-web-"));
test.after(() => rm(scratch, { recursive: true }));

function memoryStore(): RunStore {
	const kept = new Map<string, unknown>();
	return {
		get: async (key) => structuredClone(kept.get(key)) as never,
		has: async (key) => kept.has(key),
		async put(entries) {
			for (const [key, value] of Object.entries(entries))
				kept.set(key, structuredClone(value));
		},
		clear: async () => kept.clear(),
	};
}

type Of<T> = Extract<TrainingEvent, { type: T }>;

/** A tab: a session on a store, and what it has told. */
async function openTab(store: RunStore) {
	const events: TrainingEvent[] = [];
	const gpus: Gpu[] = [];
	/** Told each event. */
	const watch: { on?(event: TrainingEvent): void } = {};
	const open = async () => {
		const gpu = await openGpu();
		gpus.push(gpu);
		return gpu;
	};
	const session = new TrainingSession(store, open, (event) => {
		events.push(structuredClone(event));
		watch.on?.(event);
	});
	await session.open();
	const of = <T extends TrainingEvent["type"]>(type: T) =>
		events.filter((e): e is Of<T> => e.type === type);
	const until = async (test: () => boolean) => {
		while (!test()) await wait(5);
	};
	return {
		watch,
		gpus,
		of,
		until,
		tell: (command: TrainingCommand) => session.handle(command),
		state: () => of("state").at(-1),
		reach: (state: TrainingState) =>
			until(() => of("state").at(-1)?.state === state),
		/** Waits until nothing has been told for a second: the step that is under way ends first. */
		async rest() {
			for (let told = -1; told < events.length; await wait(1000))
				told = events.length;
		},
	};
}

/** SHA-1 of the three networks' files. */
function hashes(files: ReadonlyMap<string, Uint8Array>) {
	return [...files].map(([name, bytes]) => [
		name,
		createHash("sha1").update(bytes).digest("hex"),
	]);
}

const weightsOf = ({ tensors }: Checkpoint) => collect(learntWeights(tensors));

async function stored(store: RunStore) {
	const weights = async (network: NetworkName) =>
		weightsOf(
			takeUp(
				(await store.get(`${network} checkpoint`)) as Kept["vae checkpoint"],
			),
		);
	return hashes(
		weightFiles({
			vae: await weights("vae"),
			aligner: await weights("aligner"),
			oneStep: await weights("oneStep"),
		}),
	);
}

const whole = memoryStore();

test("a run that is held in between computes what the command line does", async () => {
	const tab = await openTab(whole);
	assert.is(tab.state()?.state, "idle");
	assert.is(tab.state()?.configuration, undefined);
	await tab.tell({ type: "start", configuration: CONFIGURATION });
	assert.is(tab.state()?.state, "running");
	await tab.tell({ type: "start", configuration: CONFIGURATION });
	assert.match(tab.of("error").at(-1)?.message ?? "", /there is a run already/);
	await tab.until(() => tab.of("progress").some((p) => p.what === "aligner"));
	await tab.tell({ type: "pause" });
	await tab.rest();
	// It would have gone on to its end.
	assert.is(tab.state()?.state, "paused");
	assert.equal(tab.state()?.stored?.epochs, { vae: 2 });
	await tab.tell({ type: "resume" });
	await tab.reach("finished");
	assert.equal(tab.state()?.stored, {
		data: true,
		epochs: { vae: 2, aligner: 1, oneStep: 1 },
	});
	assert.equal(
		tab.of("history").map(({ network }) => network),
		["vae", "vae", "aligner", "oneStep"],
	);
	assert.ok(tab.of("attempts").length > 0);
	for (const { attempts } of tab.of("attempts")) {
		assert.is(attempts.length, 4);
		for (const { truth, found } of attempts)
			assert.equal([truth.length, found.length], [4096, 4096]);
	}

	const gpu = await openGpu();
	const { seed, inputs, epochs } = CONFIGURATION;
	const preset = withEpochs(PRESETS.smoke, epochs);
	const folder = await RunFolder.open(join(scratch, "run"), {}, false);
	const run = await trainRun({
		gpu,
		preset,
		source: generatedSource(preset.kernels, {
			observations: preset.observations,
			seed,
			scattering: "linear",
		}),
		inputs,
		seed,
		folder,
		preparedFolder: folder.file("prepared"),
		penaliseAsymmetry: false,
		randomStart: false,
		say: () => {},
	});
	gpu.dispose();
	const { methods, adapter } = tab.of("metrics")[0].metrics;
	assert.is(adapter, gpu.adapterName);
	assert.equal(methods, run.summary.methods);
	const state = async (network: NetworkName) =>
		weightsOf((await folder.checkpoint(network)) as Checkpoint);
	assert.equal(
		await stored(whole),
		hashes(
			weightFiles({
				vae: await state("vae"),
				aligner: await state("aligner"),
				oneStep: await state("oneStep"),
			}),
		),
	);
});

test("a finished run gives weights that the command line reads, in another tab too", async () => {
	const tab = await openTab(whole);
	assert.is(tab.state()?.state, "finished");
	assert.equal(tab.state()?.configuration, CONFIGURATION);
	assert.is(tab.of("history").length, 3);
	assert.is(tab.of("metrics").length, 1);
	await tab.tell({ type: "resume" });
	assert.is(tab.of("error").at(-1)?.message, "the run is finished");
	const { fetch } = globalThis;
	const place = "https://example.org/weights";
	try {
		globalThis.fetch = async () => new Response(null, { status: 404 });
		await tab.tell({ type: "download", weights: place });
		assert.match(tab.of("error").at(-1)?.message ?? "", /found 404/);
		// As a server does that has its start page for every question.
		globalThis.fetch = async (url) =>
			new Response(
				/manifest/.test(String(url))
					? await readFile(join(SHIPPED, "manifest.json"))
					: "<!doctype html>",
			);
		await tab.tell({ type: "download", weights: place });
		assert.match(tab.of("error").at(-1)?.message ?? "", /cut or changed/);
		globalThis.fetch = async (url) =>
			new Response(
				await readFile(join(SHIPPED, String(url).slice(place.length + 1))),
			);
		await tab.tell({ type: "download", weights: place });
	} finally {
		globalThis.fetch = fetch;
	}
	const [{ name, bytes }] = tab.of("weights");
	assert.is(name, "weights-smoke-physics-seed1.zip");
	for (const [path, content] of Object.entries(unzipSync(bytes))) {
		await mkdir(dirname(join(scratch, path)), { recursive: true });
		await writeFile(join(scratch, path), content);
	}
	const weights = await openWeights(
		join(scratch, "weights-smoke-physics-seed1"),
	);
	const gpu = await openGpu();
	await weights.prior();
	const networks = await weights.networks(gpu);
	const found = await networks.infer("twoStep", [new Float32Array(4096 * 5)]);
	assert.ok(found[0].every(Number.isFinite));
	gpu.dispose();
});

test("a lost device pauses the run, and it goes on to the same bits; so does a tab that was closed", async () => {
	const store = memoryStore();
	const tab = await openTab(store);
	tab.watch.on = (event) => {
		if (event.type === "history" && event.history.train.length === 1)
			tab.gpus[0].device.destroy();
	};
	await tab.tell({ type: "start", configuration: CONFIGURATION });
	await tab.reach("paused");
	assert.match(tab.state()?.message ?? "", /device was lost \(.+last full/);
	assert.equal(tab.state()?.stored, { data: true, epochs: { vae: 1 } });

	// A tab whose store is read by another one while it is held is as good as closed.
	tab.watch.on = undefined;
	await tab.tell({ type: "resume" });
	await tab.until(() => tab.of("progress").some((p) => p.what === "aligner"));
	await tab.tell({ type: "pause" });
	await tab.rest();
	const copy = memoryStore();
	for (const key of ["run", "data", "vae checkpoint"] as const)
		await copy.put({ [key]: await store.get(key) });
	await tab.tell({ type: "discard" });
	assert.is(tab.state()?.state, "idle");
	assert.is(await store.has("run"), false);

	const next = await openTab(copy);
	assert.is(next.state()?.state, "paused");
	assert.equal(next.state()?.stored, { data: true, epochs: { vae: 2 } });
	await next.tell({ type: "resume" });
	await next.reach("finished");
	assert.not(next.of("progress").some(({ what }) => what === "observations"));
	assert.equal(await stored(copy), await stored(whole));
});

test("what another version stored is removed; without an adapter the state stays", async () => {
	const store = memoryStore();
	await store.put({
		run: { configuration: { ...CONFIGURATION, seed: 2 }, identity: "old" },
	});
	const tab = await openTab(store);
	assert.match(tab.state()?.message ?? "", /another version/);
	assert.is(tab.state()?.state, "idle");
	const events: TrainingEvent[] = [];
	const session = new TrainingSession(
		store,
		() => Promise.reject(new Error("this browser has no WebGPU")),
		(event) => events.push(event),
	);
	await session.open();
	await session.handle({ type: "start", configuration: CONFIGURATION });
	assert.equal(events, [
		{
			type: "state",
			state: "idle",
			message: undefined,
			configuration: undefined,
			stored: undefined,
		},
		{ type: "error", message: "this browser has no WebGPU" },
	]);
});

test.run();
