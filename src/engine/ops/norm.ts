import { checkNames } from "../basics/options.ts";
import { show, sizeOf } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
import type { Gpu } from "../device/gpu.ts";
import type { BufferView } from "../device/pool.ts";
import { record } from "../tensors/autograd.ts";
import { checkTensors, empty, type Tensor } from "../tensors/tensor.ts";

export interface GroupNormOptions {
	readonly groups: number;
	/** Added to the variance; torch's default. */
	readonly eps?: number;
	readonly activation?: "none" | "silu";
}

/** The fewest pixels worth a thread's while in the sums, and a thread's pixels where nothing is summed. */
const LEAST = 16;
const SHARE = 8;

type Bindings = Record<string, BufferView>;

/**
 * Group normalisation (Wu and He 2018): x [B, ..., C] -> y of the same shape, y = act((x - mean) / sqrt(variance + eps) * gamma + beta), with mean
 * and (biased) variance over all pixels and the C / groups channels of each group, gamma and beta [C]. Throws where shapes or groups do not fit.
 */
export function groupNorm(
	x: Tensor,
	gamma: Tensor,
	beta: Tensor,
	options: GroupNormOptions,
): Tensor {
	checkOptions(x, gamma, beta, options);
	const { gpu } = x;
	const kernels = new Kernels(x, options);
	const stats = kernels.statistics(x);
	const y = empty(gpu, x.shape);
	kernels.runWide("forward", { x, gamma, beta, stats }, y);
	return record(
		"groupNorm",
		y,
		[x, gamma, beta],
		(dy, grads) => {
			const sums = kernels.sums({ x, dy, gamma, beta, stats });
			if (grads.wants(1) || grads.wants(2)) {
				const [dgamma, dbeta] = [gamma, beta].map(({ shape }, i) =>
					grads.wants(i + 1) ? grads.out(i + 1) : empty(gpu, shape),
				);
				const made = { sums, dgamma, dbeta };
				kernels.run("parameterGradients", lines(gpu, gamma.size), made);
			}
			if (grads.wants(0)) {
				const averages = kernels.averages(sums, gamma);
				const read = { x, dy, gamma, beta, stats, averages };
				kernels.runWide("backward", read, grads.out(0));
				averages.dispose();
			}
			sums.dispose();
		},
		[x, gamma, beta],
	);
}

function checkOptions(
	x: Tensor,
	gamma: Tensor,
	beta: Tensor,
	options: GroupNormOptions,
): void {
	checkNames("groupNorm", options, ["groups", "eps", "activation"]);
	const { groups, eps = 1e-5, activation = "none" } = options;
	checkTensors("groupNorm", { x, gamma, beta });
	const channels = x.shape.at(-1) ?? 0;
	const shapes = `groupNorm: x ${show(x.shape)}, gamma ${show(gamma.shape)} and beta ${show(beta.shape)} in ${groups} groups`;
	if (
		x.shape.length < 2 ||
		[gamma, beta].some((p) => p.shape.length !== 1 || p.size !== channels)
	)
		throw new Error(
			`${shapes}; expected x [B, ..., C], gamma [C] and beta [C]`,
		);
	if (!(Number.isInteger(groups) && groups > 0 && channels % groups === 0))
		throw new Error(`${shapes}; expected groups that divide the channels`);
	if (activation !== "none" && activation !== "silu")
		throw new Error(
			`${shapes}, activation "${activation}"; expected none or silu`,
		);
	if (!(eps > 0 && Number.isFinite(eps)))
		throw new Error(`${shapes}, eps ${eps}; expected a positive eps`);
}

/** The passes of shaders/groupNorm.wgsl over tensors of one shape. Sums are made in chunks of pixels, for four channels at once, and then joined. */
class Kernels {
	readonly #gpu: Gpu;
	readonly #params;
	readonly #size: number;
	/** Groups of four channels. */
	readonly #quads: number;

	constructor(
		{ gpu, shape, size }: Tensor,
		{ groups, eps = 1e-5, activation }: GroupNormOptions,
	) {
		const batch = shape[0];
		const channels = shape[shape.length - 1];
		const pixels = sizeOf(shape.slice(1, -1));
		const quads = Math.ceil(channels / 4);
		const threads = gpu.software ? 8192 : 65536;
		const wanted = Math.min(
			Math.ceil(threads / (batch * quads)),
			Math.ceil(pixels / LEAST),
		);
		const each = Math.ceil(pixels / wanted);
		const chunks = Math.ceil(pixels / each);
		const silu = activation === "silu" ? 1 : 0;
		this.#gpu = gpu;
		this.#size = size;
		this.#quads = quads;
		this.#params = {
			...{ batch, pixels, channels, groups, chunks, each, eps, silu },
		};
	}

	run(
		entry: string,
		workgroups: [number, number?],
		bindings: Bindings,
		constants?: Record<string, number>,
	): void {
		const same = { shader: "groupNorm", params: this.#params };
		this.#gpu.run({ ...same, entry, bindings, constants, workgroups });
	}

	/** The passes that write a tensor of x's size, y or dx. */
	runWide(entry: string, bindings: Bindings, y: Tensor): void {
		const { batch, pixels, channels } = this.#params;
		const shares = Math.ceil(pixels / SHARE);
		const fours = channels % 4 === 0;
		const threads = fours ? batch * shares * this.#quads : this.#size;
		this.#gpu.run({
			shader: "groupNorm",
			entry: fours ? entry : `${entry}Any`,
			bindings: { ...bindings, [fours ? "y" : "table"]: y },
			params: { ...this.#params, chunks: shares, each: SHARE },
			workgroups: lines(this.#gpu, threads),
		});
	}

	/** Mean and spread of each channel's group. */
	statistics(x: Tensor): Tensor {
		const gpu = this.#gpu;
		const { batch, channels, groups, chunks } = this.#params;
		const stats = this.#table();
		const moments = this.#inChunks("moments", { x });
		// On a software adapter waiting for each other costs more than to sum alone what a few groups have; and each size of a team is a pipeline to compile.
		const entries = (chunks * channels) / groups;
		const team = gpu.software && entries <= 2048 ? 1 : LINE;
		const workgroups = lines(gpu, batch * groups * team);
		const bindings = { partials: moments, table: stats };
		this.run("join", workgroups, bindings, { TEAM: team });
		moments.dispose();
		return stats;
	}

	/** What the gradients are made of, summed over each channel's pixels. */
	sums(bindings: Bindings): Tensor {
		const partials = this.#inChunks("partial", bindings);
		const sums = this.#table();
		this.run("fold", lines(this.#gpu, sums.size), { partials, table: sums });
		partials.dispose();
		return sums;
	}

	/** Their averages over each group, weighted with gamma. */
	averages(sums: Tensor, gamma: Tensor): Tensor {
		const { batch, groups } = this.#params;
		const table = this.#table();
		const workgroups = lines(this.#gpu, batch * groups);
		this.run("average", workgroups, { sums, weight: gamma, table });
		return table;
	}

	/** Two values for each channel. */
	#table(): Tensor {
		return empty(this.#gpu, [this.#params.batch, this.#quads, 2, 4]);
	}

	/** Two values for each channel and chunk of pixels. */
	#inChunks(entry: string, bindings: Bindings): Tensor {
		const { batch, chunks } = this.#params;
		const count = batch * chunks * this.#quads;
		const pairs = empty(this.#gpu, [count, 2, 4]);
		this.run(entry, lines(this.#gpu, count), { ...bindings, pairs });
		return pairs;
	}
}
