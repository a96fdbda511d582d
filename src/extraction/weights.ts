import type { Gpu } from "../engine/gpu.ts";
import type { State } from "../engine/state.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { sha256 } from "../formats/sha256.ts";
import type { ComponentSize } from "../models/componentAutoencoder.ts";
import { KernelPrior } from "../qpi/prior.ts";
import { said } from "../text.ts";
import { Networks } from "./networks.ts";

/** What the manifest beside the weights says. */
interface Manifest {
	readonly version: string;
	readonly seed: number;
	readonly preset: { readonly size: ComponentSize };
	readonly files: Readonly<Record<string, { sha256: string }>>;
}

/** The bytes of a file of weights. */
export type ReadWeights = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Weights as `qpi-lens weights` writes them; files are read when they are wanted, and checked against the manifest. */
export class Weights {
	/** The folder or address that they come from, for people. */
	readonly place: string;
	readonly manifest: Manifest;
	readonly #read: ReadWeights;

	private constructor(place: string, manifest: Manifest, read: ReadWeights) {
		this.place = place;
		this.manifest = manifest;
		this.#read = read;
	}

	/** @throws when there is no manifest of weights */
	static async open(place: string, read: ReadWeights): Promise<Weights> {
		const file = at(place, "manifest.json");
		let manifest: Manifest;
		try {
			const bytes = await read("manifest.json");
			manifest = JSON.parse(new TextDecoder().decode(bytes));
		} catch (error) {
			throw new Error(
				`${file}: expected the manifest of weights made by "qpi-lens weights" (${(error as Error).message})`,
			);
		}
		if (!manifest?.files || !manifest.preset?.size)
			throw new Error(
				`${file}: found no list of files and no size of networks, expected the manifest of weights made by "qpi-lens weights"`,
			);
		for (const part of ["encoder", "decoder"] as const) {
			const { channels, blocks } = Object(manifest.preset.size[part]);
			if (!isCounts(channels, 3, 1) || !isCounts(blocks, 2, 0))
				throw new Error(
					`${file}: found ${said(channels)} as channels and ${said(blocks)} as blocks of preset.size.${part}, expected three and two whole numbers up to ${MOST}`,
				);
		}
		return new Weights(place, manifest, read);
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
		return new Networks(gpu, this.manifest.preset.size, {
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

	/** The bytes of a file. @throws when it is not there, or not the manifest's */
	async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
		const bytes = await this.#read(name);
		const found = await sha256(bytes);
		const expected = this.manifest.files[name]?.sha256;
		if (found !== expected)
			throw new Error(
				`${at(this.place, name)}: found a file of SHA-256 ${found.slice(0, 12)}..., expected ${expected ? `${expected.slice(0, 12)}...` : "one that the manifest lists"}: it is cut or changed`,
			);
		return bytes;
	}
}

/** Of channels or blocks: far beyond what anyone trains here. */
const MOST = 1024;

const isCounts = (list: unknown, length: number, least: number): boolean =>
	Array.isArray(list) &&
	list.length === length &&
	list.every((n) => Number.isInteger(n) && n >= least && n <= MOST);

const at = (place: string, name: string) =>
	`${place.replace(/[\\/]$/, "")}/${name}`;
