/** What a page and its training worker tell each other. */
import type { NetworkName } from "../../models/networks.ts";
import type { Scattering } from "../../qpi/generator/generator.ts";
import type { InputKind } from "../../qpi/operator/inputs.ts";
import type { History } from "../../training/checkpoint.ts";
import type { Metrics } from "../../training/metrics.ts";
import type { PresetName } from "../../training/presets.ts";
import type { Attempt } from "../../training/run.ts";

/** Everything that decides what a run computes, as the options of `npm run train`; what is left out is as there. */
export interface RunConfiguration {
	readonly preset: PresetName;
	readonly inputs: InputKind;
	readonly seed: number;
	readonly scattering?: Scattering;
	/** In place of the preset's: VAE, aligner, one-step. */
	readonly epochs?: readonly [number, number, number];
	readonly penaliseAsymmetry?: boolean;
	readonly randomStart?: boolean;
}

/** What is kept of a run: its prepared data or not, and each network after so many epochs. */
export interface Stored {
	readonly data: boolean;
	readonly epochs: Readonly<Partial<Record<NetworkName, number>>>;
}

export type RunMetrics = Omit<Metrics, "seconds">;

export type TrainingCommand =
	| { readonly type: "start"; readonly configuration: RunConfiguration }
	/** Nothing is lost as long as the worker lives; after that, what came after the last full epoch. */
	| { readonly type: "pause" }
	/** Goes on: after a pause, a lost device, a failure, or in a new tab. */
	| { readonly type: "resume" }
	/** Ends the run and forgets it. */
	| { readonly type: "discard" }
	/** Asks for the weights of a finished run; `weights` is the URL of the folder whose prior.safetensors is put beside them. */
	| { readonly type: "download"; readonly weights: string };

export type TrainingState =
	/** Another tab has the training; the next state comes when it is closed. */
	"elsewhere" | "idle" | "paused" | "running" | "finished" | "failed";

export type TrainingEvent =
	| {
			readonly type: "state";
			readonly state: TrainingState;
			/** Why it paused or failed, in a sentence, where nobody asked for it. */
			readonly message?: string;
			/** Of the run that there is; none where the state is idle or elsewhere. */
			readonly configuration?: RunConfiguration;
			readonly stored?: Stored;
	  }
	/** Steps of a network, with the loss of the last few, or what is prepared before. */
	| {
			readonly type: "progress";
			readonly what: "kernels" | "observations" | NetworkName;
			readonly done: number;
			readonly total: number;
			readonly loss?: number;
	  }
	/** The whole history, after each epoch. */
	| {
			readonly type: "history";
			readonly network: NetworkName;
			readonly history: History;
	  }
	/** Up to four, after each epoch. */
	| {
			readonly type: "attempts";
			readonly network: NetworkName;
			readonly attempts: readonly Attempt[];
	  }
	/** Of a finished run. */
	| { readonly type: "metrics"; readonly metrics: RunMetrics }
	/** A zip of a folder that `--weights` takes. */
	| {
			readonly type: "weights";
			readonly name: string;
			readonly bytes: Uint8Array<ArrayBuffer>;
	  }
	/** A line for people. */
	| { readonly type: "log"; readonly line: string }
	/** A command could not be done, and why, in a sentence; the state is as before. */
	| { readonly type: "error"; readonly message: string };
