/** Loss curves that grow while a network trains. */
import type { NetworkName } from "../../../models/networks.ts";
import type { History } from "../../../training/checkpoint.ts";
import { Remote } from "../../rpc.ts";
import { make } from "../basics/dom.ts";
import type { ChartHandlers } from "./chartWorker.ts";

const TITLES: Readonly<Record<NetworkName, string>> = {
	vae: "Kernel autoencoder",
	aligner: "Aligner",
	oneStep: "One-step network",
};
/** Least milliseconds between two drawings. */
const EVERY = 500;
/** More points than this are thinned out. */
const MANY = 600;

interface Curve {
	readonly image: HTMLImageElement;
	steps: [epoch: number, loss: number][];
	history: History;
}

export class Losses {
	/** Of each network, to say how far along a step is. */
	epochs: Readonly<Record<NetworkName, number>> = {
		vae: 1,
		aligner: 1,
		oneStep: 1,
	};
	readonly #parent: HTMLElement;
	readonly #curves = new Map<NetworkName, Curve>();
	readonly #charts = new Remote<ChartHandlers>("chartWorker.js");
	readonly #waiting = new Set<NetworkName>();

	constructor(parent: HTMLElement) {
		this.#parent = parent;
	}

	clear(): void {
		for (const { image } of this.#curves.values())
			URL.revokeObjectURL(image.src);
		this.#curves.clear();
		this.#parent.replaceChildren();
	}

	/** @param done share of the network's training that is done */
	step(network: NetworkName, done: number, loss: number): void {
		const curve = this.#curve(network);
		const epoch = done * this.epochs[network];
		// After a resume the steps since the last checkpoint come again.
		curve.steps = curve.steps.filter(([e]) => e < epoch);
		curve.steps.push([epoch, loss]);
		if (curve.steps.length > MANY)
			curve.steps = curve.steps.filter((_, i) => i % 2 === 0);
		this.#soon(network);
	}

	history(network: NetworkName, history: History): void {
		this.#curve(network).history = history;
		this.#soon(network);
	}

	#curve(network: NetworkName): Curve {
		let curve = this.#curves.get(network);
		if (!curve) {
			const image = make("img", {
				alt: `Losses of the ${TITLES[network]}`,
				className: "chart",
				width: 400,
				height: 330,
			});
			this.#parent.append(image);
			curve = { image, steps: [], history: { train: [], validation: [] } };
			this.#curves.set(network, curve);
		}
		return curve;
	}

	#soon(network: NetworkName): void {
		if (this.#waiting.has(network)) return;
		this.#waiting.add(network);
		setTimeout(() => {
			this.#waiting.delete(network);
			// A chart that fails leaves the one before.
			this.#draw(network).catch(() => {});
		}, EVERY);
	}

	async #draw(network: NetworkName): Promise<void> {
		const curve = this.#curves.get(network);
		if (!curve) return;
		const { image, steps, history } = curve;
		const last = steps.at(-1) ?? history.train.at(-1);
		if (!last) return;
		const drawn = await this.#charts.call("losses", {
			title: TITLES[network],
			series: [
				{ name: "epochs", points: history.train },
				{ name: "not trained on", points: history.validation },
				{ name: "steps", points: steps },
			],
		});
		URL.revokeObjectURL(image.src);
		image.src = URL.createObjectURL(drawn);
		image.alt = `Losses of the ${TITLES[network]}: ${last[1].toPrecision(3)} after ${last[0].toFixed(1)} epochs`;
	}
}
