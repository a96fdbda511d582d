import { type Shape, show } from "../basics/shape.ts";

/** What is watched: a Tensor. */
interface Made {
	readonly shape: Shape;
	/** What made it. */
	readonly op: string | null;
}

/** Steps in a row by which memory has grown that cannot be a warm-up any more. */
const STEPS = 50;
/** Tensors that are remembered: the oldest is what is asked for. */
const MOST = 64;

/** Says once that memory grows from step to step, and what made the oldest of the tensors that no scope will free. */
export class GrowthWatch {
	readonly #outside = new Set<Made>();
	#steps = 0;
	#first = 0;
	#last = 0;
	#said = false;

	/** A tensor that was made while no scope was open. */
	add(tensor: Made): void {
		if (!this.#said && this.#outside.size < MOST) this.#outside.add(tensor);
	}

	delete(tensor: Made): void {
		this.#outside.delete(tensor);
	}

	/** After each step of an optimiser. @param bytes in use */
	step(bytes: number): void {
		if (this.#said) return;
		if (this.#last > 0 && bytes > this.#last) this.#steps++;
		else {
			this.#steps = 0;
			this.#first = bytes;
			this.#outside.clear();
		}
		this.#last = bytes;
		if (this.#steps < STEPS) return;
		const [oldest] = this.#outside;
		if (!oldest) return;
		const megabytes = ((bytes - this.#first) / 1e6).toPrecision(3);
		console.warn(
			`qpi-lens: the device's memory in use has grown in each of the last ${STEPS} steps, by ${megabytes} MB, because of tensors made outside of scope() that nobody disposes of. The oldest has the shape ${show(oldest.shape)} and was made by ${oldest.op ?? "tensor(), zeros(), empty() or a view"}. Do each step in scope(), and dispose() of what it returns when it has been read.`,
		);
		this.#said = true;
		this.#outside.clear();
	}
}
