import { checkNames } from "../basics/options.ts";
import { show, sizeOf } from "../basics/shape.ts";
import { LINE, lines } from "../device/dispatch.ts";
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
	checkNames("groupNorm", options, ["groups", "eps", "activation"]);
	const { groups, eps = 1e-5, activation = "none" } = options;
	checkTensors("groupNorm", { x, gamma, beta });
	const { gpu } = x;
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

	const batch = x.shape[0];
	const pixels = sizeOf(x.shape.slice(1, -1));
	const quads = Math.ceil(channels / 4);
	const threads = gpu.software ? 8192 : 65536;
	const wanted = Math.min(
		Math.ceil(threads / (batch * quads)),
		Math.ceil(pixels / LEAST),
	);
	const each = Math.ceil(pixels / wanted);
	const chunks = Math.ceil(pixels / each);
	const silu = activation === "silu" ? 1 : 0;
	const params = { batch, pixels, channels, groups, chunks, each, eps, silu };
	const run = (
		entry: string,
		workgroups: [number, number?],
		bindings: Record<string, BufferView>,
		constants?: Record<string, number>,
	) =>
		gpu.run({
			shader: "groupNorm",
			entry,
			bindings,
			constants,
			params,
			workgroups,
		});
	const pairs = [batch * chunks * quads, 2, 4];
	const perPair = lines(gpu, pairs[0]);
	/** The passes that write a tensor of x's size, y or dx. */
	const runWide = (
		entry: string,
		bindings: Record<string, BufferView>,
		y: Tensor,
	) => {
		const shares = Math.ceil(pixels / SHARE);
		const dispatch =
			channels % 4 === 0
				? {
						entry,
						bindings: { ...bindings, y },
						workgroups: lines(gpu, batch * shares * quads),
					}
				: {
						entry: `${entry}Any`,
						bindings: { ...bindings, table: y },
						workgroups: lines(gpu, x.size),
					};
		gpu.run({
			shader: "groupNorm",
			params: { ...params, chunks: shares, each: SHARE },
			...dispatch,
		});
	};
	const tableShape = [batch, quads, 2, 4];

	const stats = empty(gpu, tableShape);
	const chunkMoments = empty(gpu, pairs);
	run("moments", perPair, { x, pairs: chunkMoments });
	// On a software adapter waiting for each other costs more than to sum alone what a few groups have; and each size of a team is a pipeline to compile.
	const entries = (chunks * channels) / groups;
	const team = gpu.software && entries <= 2048 ? 1 : LINE;
	run(
		"join",
		lines(gpu, batch * groups * team),
		{ partials: chunkMoments, table: stats },
		{ TEAM: team },
	);
	chunkMoments.dispose();
	const y = empty(gpu, x.shape);
	runWide("forward", { x, gamma, beta, stats }, y);

	return record(
		"groupNorm",
		y,
		[x, gamma, beta],
		(dy, grads) => {
			const chunkSums = empty(gpu, pairs);
			run("partial", perPair, { x, dy, gamma, beta, stats, pairs: chunkSums });
			const sums = empty(gpu, tableShape);
			run("fold", lines(gpu, sums.size), { partials: chunkSums, table: sums });
			chunkSums.dispose();
			if (grads.wants(1) || grads.wants(2)) {
				const [dgamma, dbeta] = [1, 2].map((i) =>
					grads.wants(i) ? grads.out(i) : empty(gpu, [channels]),
				);
				run("parameterGradients", lines(gpu, channels), {
					sums,
					dgamma,
					dbeta,
				});
			}
			if (grads.wants(0)) {
				const averages = empty(gpu, tableShape);
				run("average", lines(gpu, batch * groups), {
					sums,
					weight: gamma,
					table: averages,
				});
				runWide(
					"backward",
					{ x, dy, gamma, beta, stats, averages },
					grads.out(0),
				);
				averages.dispose();
			}
			sums.dispose();
		},
		[x, gamma, beta],
	);
}
