import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Gpu } from "../engine/gpu.ts";
import type { State } from "../engine/nn.ts";
import { Networks } from "../extraction/networks.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import type { Size } from "../models/autoencoder.ts";
import { KernelPrior } from "../qpi/prior.ts";

/** The folder of the weights that come with the package. */
export const SHIPPED = fileURLToPath(
	new URL("../../data/weights", import.meta.url),
);

/** What the manifest beside the weights says. */
interface Manifest {
	readonly version: string;
	readonly seed: number;
	readonly preset: { readonly size: Size };
	readonly files: Readonly<Record<string, { sha256: string }>>;
}

/** A folder of weights, as `qpi-lens weights` writes it; files are read when they are wanted, and checked against the manifest. */
export class Weights {
	readonly folder: string;
	readonly manifest: Manifest;

	private constructor(folder: string, manifest: Manifest) {
		this.folder = folder;
		this.manifest = manifest;
	}

	/** @throws when the folder has no manifest of weights */
	static async open(folder = SHIPPED): Promise<Weights> {
		const file = join(folder, "manifest.json");
		let manifest: Manifest;
		try {
			manifest = JSON.parse(await readFile(file, "utf8"));
		} catch (error) {
			throw new Error(
				`${file}: expected the manifest of weights made by "qpi-lens weights" (${(error as Error).message})`,
			);
		}
		if (!manifest?.files || !manifest.preset?.size)
			throw new Error(
				`${file}: found no list of files and no size of networks, expected the manifest of weights made by "qpi-lens weights"`,
			);
		return new Weights(folder, manifest);
	}

	async prior(): Promise<KernelPrior> {
		return new KernelPrior(
			decodeSafetensors(await this.#read("prior.safetensors")).tensors,
		);
	}

	async networks(gpu: Gpu): Promise<Networks> {
		return new Networks(gpu, this.manifest.preset.size, {
			aligner: await this.#state("aligner.safetensors"),
			decoder: await this.#state("decoder.safetensors"),
			oneStep: await this.#state("one-step.safetensors"),
		});
	}

	async #state(name: string): Promise<State> {
		const { tensors } = decodeSafetensors(await this.#read(name));
		return tensors as State;
	}

	async #read(name: string): Promise<Uint8Array> {
		const path = join(this.folder, name);
		const bytes = await readFile(path);
		const found = createHash("sha256").update(bytes).digest("hex");
		const expected = this.manifest.files[name]?.sha256;
		if (found !== expected)
			throw new Error(
				`${path}: found a file of SHA-256 ${found.slice(0, 12)}..., expected ${expected ? `${expected.slice(0, 12)}...` : "one that the manifest lists"}: it is cut or changed`,
			);
		return bytes;
	}
}
