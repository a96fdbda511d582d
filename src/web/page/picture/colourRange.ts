/** Which values the colours of the picture stand for: a histogram with two handles, and the colour map. */
import {
	type Colours,
	diverging,
	greys,
	sequential,
} from "../../../drawing/colour.ts";
import { byId, input, select } from "../basics/dom.ts";
import { scaleOf } from "./scale.ts";

export type Range = readonly [low: number, high: number];

const MAPS: Readonly<Record<string, Colours>> = {
	diverging,
	sequential,
	greys,
};
const BINS = 128;
/** Of the values, what the histogram leaves out at either end: spikes would be all of its width. */
const BEYOND = 0.001;
/** Pixels from a handle that still mean it. */
const REACH = 14;

/** Values that a histogram needs no more than; sorting those of a large map takes a quarter of a second. */
const SAMPLES = 65_536;
/** Its steps are spread evenly over all, and never keep to a few rows. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The finite values, or so many of them with the least and the greatest, from low to high. */
export function sortedSample(values: ArrayLike<number>): Float64Array {
	const all = values.length;
	const few = all <= SAMPLES;
	const sample = new Float64Array(few ? all : SAMPLES);
	let taken = 0;
	for (let i = 0; i < sample.length; i++) {
		const v = values[few ? i : Math.floor(((i * GOLDEN) % 1) * all)];
		if (Number.isFinite(v)) sample[taken++] = v;
	}
	const sorted = sample.subarray(0, taken).sort();
	const last = taken - 1;
	for (let i = 0; i < all; i++) {
		const v = values[i];
		if (!Number.isFinite(v)) continue;
		if (v < sorted[0]) sorted[0] = v;
		else if (v > sorted[last]) sorted[last] = v;
	}
	return sorted;
}

export class ColourRange {
	readonly #canvas = byId<HTMLCanvasElement>("histogram");
	readonly #changed: () => void;
	#values: ArrayLike<number> = [];
	#sample: Float64Array | null = null;
	#auto: Range = [0, 1];
	#chosen: Range | null = null;
	#unit = "";

	/** @param changed when other colours are wanted */
	constructor(changed: () => void) {
		this.#changed = changed;
		for (const id of ["range-low", "range-high"])
			input(id).addEventListener("change", () => this.#typed());
		select("range-part").addEventListener("change", () => this.#part());
		select("colours").addEventListener("change", changed);
		this.#canvas.addEventListener("pointerdown", (event) => this.#grab(event));
		new ResizeObserver(() => this.#draw()).observe(this.#canvas);
		addEventListener("themechange", () => this.#draw());
	}

	get colours(): Colours {
		return MAPS[select("colours").value];
	}

	get range(): Range {
		return this.#chosen ?? this.#auto;
	}

	/** Of another picture: what was chosen by hand stays where it is the same image at another energy. */
	show(
		values: ArrayLike<number>,
		auto: Range,
		unit: string,
		same: boolean,
	): void {
		[this.#values, this.#sample] = [values, null];
		this.#auto = auto;
		this.#unit = unit;
		if (!same) {
			this.#chosen = null;
			select("range-part").value = "auto";
		} else this.#part(false);
		// The picture is seen first: the histogram of a large one is a task of its own.
		setTimeout(() => {
			if (this.#values === values) this.#tell();
		});
	}

	get #sorted(): Float64Array {
		this.#sample ??= sortedSample(this.#values);
		return this.#sample;
	}

	/** Of the values, by parts of their number. */
	#quantile(part: number): number {
		const last = this.#sorted.length - 1;
		return this.#sorted[Math.round(part * last)] ?? 0;
	}

	#part(tell = true): void {
		const { value } = select("range-part");
		if (value === "auto") this.#chosen = null;
		else if (value !== "hand") {
			const part = Number(value);
			this.#chosen = [this.#quantile(part), this.#quantile(1 - part)];
		}
		if (tell) this.#told();
	}

	#typed(): void {
		const { meant } = this.#scale();
		const [low, high] = ["range-low", "range-high"].map((id) =>
			meant(input(id).valueAsNumber),
		);
		if (Number.isFinite(low) && high > low) this.#choose([low, high]);
		else this.#tell(); // what is no range is put back
	}

	#choose(range: Range): void {
		this.#chosen = range;
		select("range-part").value = "hand";
		this.#told();
	}

	#told(): void {
		this.#tell();
		this.#changed();
	}

	#scale() {
		return scaleOf(...this.#edges(), this.#unit);
	}

	#tell(): void {
		const { label } = this.#scale();
		const [low, high] = this.range;
		const shown = (v: number) => this.#number(v);
		input("range-low").value = shown(low);
		input("range-high").value = shown(high);
		byId("range-unit").textContent = label;
		this.#draw();
	}

	/** As a number field takes it. */
	#number(v: number): string {
		const { meant } = this.#scale();
		const [zero, one] = [meant(0), meant(1)];
		return String(Number(((v - zero) / (one - zero)).toPrecision(5)));
	}

	/** What the histogram reaches over. */
	#edges(): Range {
		const [low, high] = this.range;
		const edges: Range = [
			Math.min(low, this.#quantile(BEYOND)),
			Math.max(high, this.#quantile(1 - BEYOND)),
		];
		return edges[1] > edges[0] ? edges : [edges[0] - 1, edges[0] + 1];
	}

	#grab(event: PointerEvent): void {
		const canvas = this.#canvas;
		const edges = this.#edges();
		const at = ({ clientX }: PointerEvent) => {
			const { left, width } = canvas.getBoundingClientRect();
			return edges[0] + ((clientX - left) / width) * (edges[1] - edges[0]);
		};
		const reach = (REACH / canvas.clientWidth) * (edges[1] - edges[0]);
		const apart = this.range.map((end) => Math.abs(end - at(event)));
		const which = apart[0] < apart[1] ? 0 : 1;
		if (apart[which] > reach) return;
		canvas.setPointerCapture(event.pointerId);
		const move = (next: PointerEvent) => {
			const [low, high] = this.range;
			const v = Math.min(edges[1], Math.max(edges[0], at(next)));
			if (which === 0 && v < high) this.#choose([v, high]);
			if (which === 1 && v > low) this.#choose([low, v]);
		};
		const end = () => canvas.removeEventListener("pointermove", move);
		canvas.addEventListener("pointermove", move);
		for (const type of ["pointerup", "pointercancel"])
			canvas.addEventListener(type, end, { once: true });
	}

	#draw(): void {
		const { clientWidth: width, clientHeight: height } = this.#canvas;
		const ctx = this.#canvas.getContext("2d");
		if (!ctx || width === 0) return;
		const ratio = devicePixelRatio;
		[this.#canvas.width, this.#canvas.height] = [width, height].map((n) =>
			Math.round(n * ratio),
		);
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		const [low, high] = this.#edges();
		const counts = new Uint32Array(BINS);
		for (const v of this.#sorted) {
			const bin = Math.floor(((v - low) / (high - low)) * BINS);
			if (bin >= 0 && bin < BINS) counts[bin]++;
		}
		const most = counts.reduce((a, b) => Math.max(a, b), 1);
		const style = getComputedStyle(this.#canvas);
		ctx.fillStyle = style.color;
		// Roots, so that the few pixels of a scatterer are seen beside all others.
		counts.forEach((count, bin) => {
			const tall = Math.sqrt(count / most) * (height - 4);
			ctx.fillRect((bin * width) / BINS, height - tall, width / BINS, tall);
		});
		const [from, to] = this.range.map(
			(v) => ((v - low) / (high - low)) * width,
		);
		ctx.fillStyle = "#88888866";
		ctx.fillRect(0, 0, from, height);
		ctx.fillRect(to, 0, width - to, height);
		ctx.fillStyle =
			style.accentColor === "auto" ? style.color : style.accentColor;
		for (const x of [from, to])
			ctx.fillRect(Math.min(width - 3, Math.max(0, x - 1.5)), 0, 3, height);
	}
}
