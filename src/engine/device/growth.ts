import { type Shape, show } from "../basics/shape.ts";

/** What is watched: a Tensor. */
interface Made {
	readonly shape: Shape;
	/** What made it. */
	readonly op: string | null;
}

/** How many times in a row memory must have grown before it is called a leak. A warm-up takes fewer. */
const MOST_IN_A_ROW = { step: 50, read: 200 };
/** Tensors that are remembered: the oldest is what is asked for. */
const MOST = 64;

/** Says once that memory grows from step to step, and what made the oldest of the tensors that no scope will free. */
export class GrowthWatch {
	readonly #outside = new Set<Made>();
	readonly #runs = {
		step: { times: 0, first: 0, last: 0 },
		read: { times: 0, first: 0, last: 0 },
	};
	#said = false;

	/** A tensor that was made while no scope was open. */
	add(tensor: Made): void {
		if (!this.#said && this.#outside.size < MOST) this.#outside.add(tensor);
	}

	delete(tensor: Made): void {
		this.#outside.delete(tensor);
	}

	/** After each step of an optimiser, and each time that something is read. @param bytes in use */
	after(what: "step" | "read", bytes: number): void {
		if (this.#said) return;
		const run = this.#runs[what];
		if (run.last > 0 && bytes > run.last) run.times++;
		else {
			run.times = 0;
			run.first = bytes;
			this.#outside.clear();
		}
		run.last = bytes;
		const most = MOST_IN_A_ROW[what];
		if (run.times < most) return;
		const [oldest] = this.#outside;
		if (!oldest) return;
		const megabytes = ((bytes - run.first) / 1e6).toPrecision(3);
		console.warn(
			`qpi-lens: the device's memory in use has grown in each of the last ${most} ${what}s, by ${megabytes} MB, because of tensors made outside of scope() that nobody disposes of. The oldest has the shape ${show(oldest.shape)} and was made by ${oldest.op ?? "tensor(), zeros(), empty() or a view"}. Do each ${what === "step" ? "step" : "round"} in scope(), and dispose() of what it returns when it has been read.`,
		);
		this.#said = true;
		this.#outside.clear();
	}
}
