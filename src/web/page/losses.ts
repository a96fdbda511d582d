/** Loss curves that grow while a network trains. */
import type { NetworkName } from "../../models/networks.ts";
import { lossCurves } from "../../report/charts.ts";
import type { NewCanvas } from "../../report/picture.ts";
import type { History } from "../../training/loop.ts";
import { make } from "./dom.ts";

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
	readonly canvas: HTMLCanvasElement;
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
	readonly #waiting = new Set<NetworkName>();

	constructor(parent: HTMLElement) {
		this.#parent = parent;
	}

	clear(): void {
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
			const canvas = make("canvas", {
				role: "img",
				ariaLabel: `Losses of the ${TITLES[network]}`,
			});
			this.#parent.append(canvas);
			curve = { canvas, steps: [], history: { train: [], validation: [] } };
			this.#curves.set(network, curve);
		}
		return curve;
	}

	#soon(network: NetworkName): void {
		if (this.#waiting.has(network)) return;
		this.#waiting.add(network);
		setTimeout(() => {
			this.#waiting.delete(network);
			this.#draw(network);
		}, EVERY);
	}

	#draw(network: NetworkName): void {
		const curve = this.#curves.get(network);
		if (!curve) return;
		const { canvas, steps, history } = curve;
		const picture = lossCurves([
			{
				title: TITLES[network],
				series: [
					{ name: "epochs", points: history.train },
					{ name: "not trained on", points: history.validation },
					{ name: "steps", points: steps },
				],
			},
		]);
		const ratio = Math.max(1, devicePixelRatio);
		canvas.width = picture.width * ratio;
		canvas.height = picture.height * ratio;
		const ctx = canvas.getContext("2d");
		if (!ctx || steps.length + history.train.length === 0) return;
		ctx.fillStyle = "#ffffff";
		ctx.fillRect(0, 0, canvas.width, canvas.height);
		ctx.scale(ratio, ratio);
		picture.draw(ctx, newCanvas);
		const last = steps.at(-1) ?? history.train.at(-1);
		canvas.ariaLabel = `Losses of the ${TITLES[network]}: ${last?.[1].toPrecision(3)} after ${last?.[0].toFixed(1)} epochs`;
	}
}

const newCanvas: NewCanvas = (width, height) =>
	make("canvas", { width, height });
