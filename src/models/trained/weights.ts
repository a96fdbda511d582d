import type { Gpu } from "../../engine/device/gpu.ts";
import type { State } from "../../engine/layers/state.ts";
import { decodeSafetensors } from "../../formats/safetensors.ts";
import { sha256 } from "../../formats/sha256.ts";
import { KernelPrior } from "../../qpi/posterior/prior.ts";
import { type NetworkInputs, Networks } from "./trainedNetworks.ts";
import {
	readWeightsManifest,
	type WeightsManifest,
} from "./weightsManifest.ts";

/** The bytes of a file of weights. */
export type ReadWeights = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Weights as `qpi-lens weights` writes them; files are read when they are wanted, and checked against the manifest. */
export class Weights {
	/** The folder or address that they come from, for people. */
	readonly place: string;
	readonly manifest: WeightsManifest;
	readonly #read: ReadWeights;

	private constructor(
		place: string,
		manifest: WeightsManifest,
		read: ReadWeights,
	) {
		this.place = place;
		this.manifest = manifest;
		this.#read = read;
	}

	/** @throws when there is no manifest of weights */
	static async open(place: string, read: ReadWeights): Promise<Weights> {
		const file = at(place, MANIFEST);
		const bytes = await read(MANIFEST).catch((error: Error) => {
			throw new Error(
				`${file}: expected the manifest of weights made by "qpi-lens weights", or a finished training's folder (${error.message})`,
			);
		});
		return new Weights(place, readWeightsManifest(bytes, file), read);
	}

	/** What the networks see. */
	get inputs(): NetworkInputs {
		return this.manifest.preset.inputs ?? "physics";
	}

	/** Of the method `refined`; 9 MB. @throws when the file is not there, or not the manifest's */
	async prior(): Promise<KernelPrior> {
		const name = "prior.safetensors";
		const file = at(this.place, name);
		return new KernelPrior(
			decodeSafetensors(await this.read(name), file).tensors,
			file,
		);
	}

	/** Of the methods `oneStep` and `twoStep`; 9 MB in three files. @throws when one is not there, or not the manifest's */
	async networks(gpu: Gpu): Promise<Networks> {
		return new Networks(gpu, this.manifest.preset.size, this.inputs, {
			aligner: await this.#state("aligner.safetensors"),
			decoder: await this.#state("decoder.safetensors"),
			oneStep: await this.#state("one-step.safetensors"),
		});
	}

	async #state(name: string): Promise<State> {
		const { tensors } = decodeSafetensors(
			await this.read(name),
			at(this.place, name),
		);
		return tensors as State;
	}

	/** The bytes of all files by name, the manifest's too: with them the folder can be written anew. @throws as read() */
	async files(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
		const files = new Map([[MANIFEST, await this.#read(MANIFEST)]]);
		for (const name of Object.keys(this.manifest.files))
			files.set(name, await this.read(name));
		return files;
	}

	/** The bytes of a file. @throws when it is not there, or not the manifest's */
	async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
		const bytes = await this.#read(name);
		const found = await sha256(bytes);
		const expected = Object.hasOwn(this.manifest.files, name)
			? this.manifest.files[name].sha256
			: undefined;
		if (found !== expected)
			throw new Error(
				`${at(this.place, name)}: found a file of SHA-256 ${found.slice(0, 12)}..., expected ${expected ? `${expected.slice(0, 12)}...` : "one that the manifest lists"}: it is cut or changed`,
			);
		return bytes;
	}
}

const MANIFEST = "manifest.json";

const at = (place: string, name: string) =>
	`${place.replace(/[\\/]$/, "")}/${name}`;
