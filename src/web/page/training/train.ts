/** The tab that trains: a view of what the training worker does, and its buttons. */
import type { NetworkName } from "../../../models/networks.ts";
import {
	METHOD_TITLES,
	type MethodName,
	SPLITS,
	type SplitName,
} from "../../../training/metrics.ts";
import { PRESETS, type PresetName } from "../../../training/presets.ts";
import { WEIGHTS } from "../../fetchWeights.ts";
import type {
	RunConfiguration,
	RunMetrics,
	Stored,
	TrainingCommand,
	TrainingEvent,
	TrainingState,
} from "../../training/messages.ts";
import { byId, input, make, rowOf, save, select } from "../basics/dom.ts";
import { Attempts } from "./attempts.ts";
import { Losses } from "./losses.ts";
import { TRAINED } from "./weightsChoice.ts";

type Work = "kernels" | "observations" | NetworkName;
const TITLES: Readonly<Record<Work, string>> = {
	kernels: "kernels",
	observations: "images",
	vae: "kernel autoencoder",
	aligner: "aligner",
	oneStep: "one-step network",
};

const STATES: Readonly<Record<TrainingState, string>> = {
	elsewhere:
		"Another tab of this browser has the training; it comes here when that tab is closed.",
	idle: "No run yet.",
	paused: "Paused.",
	running: "Running.",
	finished: "Finished.",
	failed: "Broken off.",
};

/** Which buttons make sense when. */
const BUTTONS: Readonly<Record<string, readonly TrainingState[]>> = {
	"train-start": ["idle"],
	"train-pause": ["running"],
	"train-resume": ["paused", "failed"],
	"train-discard": ["paused", "running", "finished", "failed"],
};

let started = false;

/** Starts the worker; a second call does nothing. */
export function startTrain(): void {
	if (started) return;
	started = true;
	const worker = new Worker("trainWorker.js", { type: "module" });
	const tell = (command: TrainingCommand) => worker.postMessage(command);
	const losses = new Losses(byId("losses"));
	const attempts = new Attempts(byId("attempts"));
	const bars = new Map<Work, { bar: HTMLProgressElement; text: HTMLElement }>();

	function clear(): void {
		losses.clear();
		attempts.clear();
		bars.clear();
		byId("train-progress").replaceChildren();
		byId("train-log").replaceChildren();
		for (const id of ["attempts-section", "scores-section"])
			byId(id).hidden = true;
		byId("losses-none").hidden = false;
	}

	function showState({
		state,
		message,
		configuration,
		stored,
	}: Extract<TrainingEvent, { type: "state" }>): void {
		const text = byId("train-state");
		text.textContent = [STATES[state], message].filter(Boolean).join(" ");
		text.classList.toggle("notice", message !== undefined);
		text.classList.toggle("warning", message !== undefined);
		for (const [id, states] of Object.entries(BUTTONS))
			byId(id).hidden = !states.includes(state);
		for (const element of byId("train-form").querySelectorAll("input, select"))
			(element as HTMLInputElement).disabled = state !== "idle";
		byId("train-weights").hidden = state !== "finished";
		dispatchEvent(new Event(TRAINED));
		// While it runs more is kept with every epoch.
		byId("train-kept").textContent =
			stored && configuration && state !== "running"
				? kept(stored, epochsOf(configuration))
				: "";
		if (state === "idle") clear();
		if (!configuration) return;
		losses.epochs = epochsOf(configuration);
		select("train-preset").value = configuration.preset;
		select("train-inputs").value = configuration.inputs;
		select("train-scattering").value = configuration.scattering ?? "linear";
		input("train-seed").value = String(configuration.seed);
		// Extraction has no networks for the paper's inputs.
		byId<HTMLButtonElement>("train-download").disabled =
			configuration.inputs === "paper";
		about();
	}

	function showProgress(
		what: Work,
		done: number,
		total: number,
		loss?: number,
	) {
		let row = bars.get(what);
		if (!row) {
			const text = make("span");
			const bar = make("progress");
			byId("train-progress").append(make("label", {}, text, bar));
			row = { text, bar };
			bars.set(what, row);
		}
		[row.bar.max, row.bar.value] = [total, done];
		row.text.textContent = `${TITLES[what]}: ${done} of ${total}${what === "kernels" || what === "observations" ? "" : " steps"}${loss === undefined ? "" : `, loss ${loss.toPrecision(3)}`}`;
	}

	function about(): void {
		const preset = PRESETS[select("train-preset").value as PresetName];
		byId("train-about").textContent =
			`${preset.about}; ${preset.kernels} kernels, ${preset.observations} images of each`;
	}

	const on: {
		[K in TrainingEvent["type"]]: (
			event: Extract<TrainingEvent, { type: K }>,
		) => void;
	} = {
		state: showState,
		progress({ what, done, total, loss }) {
			showProgress(what, done, total, loss);
			if (what === "kernels" || what === "observations") return;
			byId("losses-none").hidden = true;
			if (loss !== undefined) losses.step(what, done / total, loss);
		},
		history({ network, history }) {
			byId("losses-none").hidden = true;
			losses.history(network, history);
		},
		attempts({ network, attempts: list }) {
			byId("attempts-section").hidden = list.length === 0;
			attempts.show(network, TITLES[network], list);
		},
		metrics: ({ metrics }) => showScores(metrics),
		weights: ({ name, bytes }) =>
			save(new Blob([bytes], { type: "application/zip" }), name),
		log({ line }) {
			byId("train-log").append(make("li", {}, line));
		},
		error: ({ message }) => fail(message),
	};
	worker.onmessage = ({ data }: MessageEvent<TrainingEvent>) =>
		(on[data.type] as (event: TrainingEvent) => void)(data);
	worker.onerror = (event) => {
		fail(event.message || "the training's program cannot be loaded");
		byId("train-state").textContent =
			"Not available; reload the page to try again.";
	};
	const command = (make: () => TrainingCommand) => () => {
		byId("train-fault").hidden = true;
		tell(make());
	};
	byId("train-form").addEventListener("submit", (event) => {
		event.preventDefault();
		// Without it the browser may remove what is kept when its disk is full.
		void navigator.storage?.persist?.();
		command(() => ({
			type: "start",
			configuration: {
				preset: select("train-preset").value as PresetName,
				inputs: select("train-inputs").value as RunConfiguration["inputs"],
				scattering: select("train-scattering")
					.value as RunConfiguration["scattering"],
				seed: input("train-seed").valueAsNumber,
			},
		}))();
	});
	byId("train-preset").addEventListener("change", about);
	byId("train-pause").addEventListener(
		"click",
		command(() => ({ type: "pause" })),
	);
	byId("train-resume").addEventListener(
		"click",
		command(() => ({ type: "resume" })),
	);
	byId("train-download").addEventListener(
		"click",
		command(() => ({
			type: "download",
			weights: new URL(WEIGHTS, location.href).href,
		})),
	);
	const dialog = byId<HTMLDialogElement>("discard");
	byId("train-discard").addEventListener("click", () => dialog.showModal());
	dialog.addEventListener("close", () => {
		if (dialog.returnValue === "discard")
			command(() => ({ type: "discard" }))();
		dialog.returnValue = "";
	});
	about();
}

function fail(message: string): void {
	const box = byId("train-fault");
	(box.querySelector("p") as HTMLElement).textContent = message;
	box.hidden = false;
}

const epochsOf = ({ preset, epochs }: RunConfiguration) => {
	const { vae, aligner, oneStep } = PRESETS[preset];
	const [v, a, o] = epochs ?? [vae.epochs, aligner.epochs, oneStep.epochs];
	return { vae: v, aligner: a, oneStep: o };
};

/** What is kept, and what is not yet. */
function kept(
	{ data, epochs }: Stored,
	wanted: Readonly<Record<NetworkName, number>>,
): string {
	const networks = Object.keys(wanted) as NetworkName[];
	return `Kept: ${data ? "the data" : "nothing yet"}${networks
		.filter((network) => epochs[network])
		.map((n) => `, ${TITLES[n]} after ${epochs[n]} of ${wanted[n]} epochs`)
		.join("")}.`;
}

function showScores({ methods }: RunMetrics): void {
	const splits = Object.keys(SPLITS) as SplitName[];
	const figure = (value: number | null | undefined) =>
		value?.toFixed(3).replace("-", "−") ?? "–";
	const table = byId("scores");
	table
		.querySelector("thead")
		?.replaceChildren(
			make(
				"tr",
				{},
				...["method", ...splits.map((s) => SPLITS[s])].map((text) =>
					make("th", { scope: "col" }, text),
				),
			),
		);
	table.querySelector("tbody")?.replaceChildren(
		...Object.entries(methods).map(([method, parts]) =>
			rowOf(
				METHOD_TITLES[method as MethodName],
				...splits.map((split) => {
					const scores = parts?.[split];
					return `${figure(scores?.ncc)} / ${figure(scores?.mae)}`;
				}),
			),
		),
	);
	byId("scores-section").hidden = false;
}
