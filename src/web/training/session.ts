import type { Gpu } from "../../engine/device/gpu.ts";
import type { NetworkName } from "../../models/networks.ts";
import { GENERATOR } from "../../qpi/generator/generator.ts";
import { CHECKPOINT_FORMAT, keep, takeUp } from "../../training/checkpoint.ts";
import {
	PREPARATION,
	prepareInMemory,
	restore,
} from "../../training/prepare.ts";
import { PRESETS, withEpochs } from "../../training/presets.ts";
import { trainAndEvaluate } from "../../training/run.ts";
import { generatedSource, type Source } from "../../training/source.ts";
import { openWeights } from "../fetchWeights.ts";
import type {
	RunConfiguration,
	Stored,
	TrainingCommand,
	TrainingEvent,
	TrainingState,
} from "./messages.ts";
import type { Kept, RunStore } from "./store.ts";
import { weightsZip } from "./weightsZip.ts";

type Post = (event: TrainingEvent, transfer?: Transferable[]) => void;

const NETWORKS: readonly NetworkName[] = ["vae", "aligner", "oneStep"];
/** Least milliseconds between two reports of progress. */
const EVERY = 100;

const NOTHING: Stored = { data: false, epochs: {} };

/** A run that computes or is held at its gate. */
interface Live {
	readonly stop: AbortController;
	readonly gate: Gate;
	readonly ended: Promise<void>;
}

/** The one training run of a browser: does commands, and tells what happens. */
export class TrainingSession {
	readonly #store: RunStore;
	readonly #openGpu: () => Promise<Gpu>;
	readonly #post: Post;
	/** What the store holds: nobody else writes to it. */
	#run: Kept["run"] | undefined;
	#stored: Stored = NOTHING;
	#finished = false;
	#live: Live | undefined;
	#lastProgress = 0;

	constructor(store: RunStore, openGpu: () => Promise<Gpu>, post: Post) {
		this.#store = store;
		this.#openGpu = openGpu;
		this.#post = post;
	}

	/** Tells what is stored, as if it had just been computed. To be called once, before all commands. */
	async open(): Promise<void> {
		const store = this.#store;
		const run = await store.get("run");
		if (run && run.identity !== identityOf(run.configuration)) {
			await store.clear();
			return this.#tell(
				"idle",
				"A run of another version was kept, which this one cannot go on with; it was removed.",
			);
		}
		const metrics = await store.get("metrics");
		this.#run = run;
		this.#finished = metrics !== undefined;
		this.#stored = { data: await store.has("data"), epochs: {} };
		const results: TrainingEvent[] = [];
		for (const network of NETWORKS) {
			const checkpoint = await store.get(`${network} checkpoint`);
			if (!checkpoint) continue;
			this.#count(network, checkpoint.epoch);
			results.push({ type: "history", network, history: checkpoint.history });
			const attempts = await store.get(`${network} attempts`);
			if (attempts) results.push({ type: "attempts", network, attempts });
		}
		if (metrics) results.push({ type: "metrics", metrics });
		this.#tell(metrics ? "finished" : run ? "paused" : "idle");
		for (const result of results) this.#post(result);
	}

	/** Does a command; the next one may be given when this has resolved. Never rejects: what cannot be done is told. */
	async handle(command: TrainingCommand): Promise<void> {
		try {
			switch (command.type) {
				case "start":
					return await this.#start(command.configuration);
				case "pause":
					return await this.#pause();
				case "resume":
					return await this.#resume();
				case "discard":
					return await this.#discard();
				case "download":
					return await this.#download(command.weights);
			}
		} catch (error) {
			this.#post({ type: "error", message: (error as Error).message });
		}
	}

	async #start(configuration: RunConfiguration): Promise<void> {
		if (this.#run)
			throw new Error(
				"there is a run already: resume it, or discard it before another is started",
			);
		const gpu = await this.#openGpu();
		const run = { configuration, identity: identityOf(configuration) };
		await this.#store.put({ run }).catch((error) => {
			gpu.dispose();
			throw error;
		});
		this.#run = run;
		this.#launch(gpu, configuration);
	}

	#pause(): void {
		if (!this.#live) throw new Error("nothing runs that could pause");
		this.#live.gate.hold();
		this.#tell("paused");
	}

	async #resume(): Promise<void> {
		if (this.#live) {
			this.#live.gate.open();
			return this.#tell("running");
		}
		if (!this.#run) throw new Error("there is no run to go on with");
		if (this.#finished) throw new Error("the run is finished");
		this.#launch(await this.#openGpu(), this.#run.configuration);
	}

	async #discard(): Promise<void> {
		this.#live?.stop.abort(new Error("discarded"));
		this.#live?.gate.open();
		await this.#live?.ended;
		await this.#store.clear();
		this.#run = undefined;
		this.#stored = NOTHING;
		this.#finished = false;
		this.#tell("idle");
	}

	async #download(url: string): Promise<void> {
		if (!this.#run || !this.#finished)
			throw new Error("the weights can be had when the run is finished");
		const weights = await openWeights(url);
		const prior = await weights.read("prior.safetensors");
		const zip = await weightsZip(this.#store, this.#run.configuration, prior);
		this.#post({ type: "weights", ...zip }, [zip.bytes.buffer]);
	}

	/** Lets a run begin, or go on, on a device that it disposes of. */
	#launch(gpu: Gpu, configuration: RunConfiguration): void {
		const stop = new AbortController();
		const gate = new Gate();
		let lost = "";
		gpu.device.lost.then(({ message }) => {
			lost = message || "the browser gives no reason";
			stop.abort(new Error("the device was lost"));
			gate.open();
		});
		const work = async () => {
			try {
				await this.#compute(gpu, configuration, gate, stop.signal);
				this.#tell("finished");
			} catch (error) {
				// On a lost device a command may fail before the loss itself is told.
				if (!stop.signal.aborted)
					await Promise.race([gpu.device.lost, wait(EVERY)]);
				if (lost)
					this.#tell(
						"paused",
						`the graphics device was lost (${lost}); the run can go on from its last full epoch`,
					);
				else if (!stop.signal.aborted)
					this.#tell("failed", (error as Error).message);
			} finally {
				this.#live = undefined;
				gpu.dispose();
			}
		};
		this.#tell("running");
		this.#live = { stop, gate, ended: work() };
	}

	async #compute(
		gpu: Gpu,
		configuration: RunConfiguration,
		gate: Gate,
		signal: AbortSignal,
	): Promise<void> {
		const store = this.#store;
		const post = this.#post;
		const { inputs, seed } = configuration;
		const preset = presetOf(configuration);
		const pass = () => gate.pass();
		let data = await store.get("data");
		if (!data) {
			data = await prepareInMemory(sourceOf(configuration), {
				inputs,
				most: preset.evaluated,
				gate: pass,
				signal,
				onProgress: (what, done, total) => this.#progress(what, done, total),
			});
			await store.put({ data });
			this.#stored = { ...this.#stored, data: true };
		}
		let total = 0;
		const { summary } = await trainAndEvaluate({
			gpu,
			preset,
			data: restore(data),
			inputs,
			seed,
			penaliseAsymmetry: configuration.penaliseAsymmetry ?? false,
			randomStart: configuration.randomStart ?? false,
			store: {
				async checkpoint(network) {
					const kept = await store.get(`${network} checkpoint`);
					return kept && takeUp(kept);
				},
				saveCheckpoint: async (network, checkpoint) => {
					const kept = await keep(checkpoint);
					await store.put({ [`${network} checkpoint`]: kept });
					this.#count(network, checkpoint.epoch);
				},
			},
			events: {
				onStart: (network, _, done, steps) => {
					total = steps;
					this.#progress(network, done, total);
				},
				onStep: (network, done, loss) =>
					this.#progress(network, done, total, loss),
				onEpoch: (network, history) =>
					post({ type: "history", network, history }),
				async onAttempts(network, attempts) {
					await store.put({ [`${network} attempts`]: attempts });
					post({ type: "attempts", network, attempts });
				},
			},
			gate: pass,
			signal,
			say: (line) => post({ type: "log", line }),
		});
		await gate.pass();
		signal.throwIfAborted();
		const metrics = {
			preset: configuration.preset,
			inputs,
			seed,
			adapter: gpu.adapterName,
			...summary,
		};
		await store.put({ metrics, finished: Date.now() });
		this.#finished = true;
		post({ type: "metrics", metrics });
	}

	#progress(
		what: NetworkName | "kernels" | "observations",
		done: number,
		total: number,
		loss?: number,
	): void {
		const now = performance.now();
		if (now - this.#lastProgress < EVERY && done > 0 && done < total) return;
		this.#lastProgress = now;
		this.#post({ type: "progress", what, done, total, loss });
	}

	#count(network: NetworkName, epoch: number): void {
		const epochs = { ...this.#stored.epochs, [network]: epoch };
		this.#stored = { ...this.#stored, epochs };
	}

	#tell(state: TrainingState, message?: string): void {
		const configuration = this.#run?.configuration;
		const stored = this.#run && this.#stored;
		this.#post({ type: "state", state, message, configuration, stored });
	}
}

/** What a computation passes between two steps, and waits at while it is held. */
class Gate {
	#held: Promise<void> | undefined;
	#release: () => void = () => {};

	hold(): void {
		this.#held ??= new Promise((resolve) => {
			this.#release = resolve;
		});
	}

	open(): void {
		this.#release();
		this.#held = undefined;
	}

	pass(): Promise<void> | undefined {
		return this.#held;
	}
}

const presetOf = ({ preset, epochs }: RunConfiguration) =>
	withEpochs(PRESETS[preset], epochs);

function sourceOf(configuration: RunConfiguration): Source {
	const { kernels, observations } = PRESETS[configuration.preset];
	const { seed, scattering = "linear" } = configuration;
	return generatedSource(kernels, { observations, seed, scattering });
}

/** The same for two runs of which one could go on with what the other stored. */
const identityOf = (configuration: RunConfiguration) =>
	JSON.stringify([
		PREPARATION,
		GENERATOR,
		CHECKPOINT_FORMAT,
		configuration,
		PRESETS[configuration.preset],
	]);

const wait = (milliseconds: number) =>
	new Promise((resolve) => setTimeout(resolve, milliseconds));
