import { type Shape, show, sizeOf } from "../engine/basics/shape.ts";
import type { LazyState, LazyTensor, State } from "../engine/layers/state.ts";

/**
 * Weights of AutoencoderKL as the diffusers library stores them. Names are the same here (autoencoderKL.ts); weights of convolutions are O I KH KW there and
 * O KH KW I here. Older files name the attention's layers otherwise and keep them as 1x1 convolutions; both are read.
 */

const OLD_NAMES: Readonly<Record<string, string>> = {
	to_q: "query",
	to_k: "key",
	to_v: "value",
	"to_out.0": "proj_attn",
};

/** Tensors of a file of weights, and its name for errors. */
export interface PretrainedWeights {
	readonly source: string;
	readonly tensors: ReadonlyMap<
		string,
		{ readonly shape: Shape; readonly data: ArrayLike<number> }
	>;
}

type Weights = { readonly shape: Shape; readonly data: Float32Array };

/**
 * The values of the parameters `wanted` from a file's tensors; tensors that are not wanted (those of a decoder, for an encoder) are left alone. Where the images'
 * channels differ, the first and the last convolution are adapted as the published training does: to one input channel by the mean over the file's, to
 * more by repeating the file's in turn, scaled to the same sum (the first two times 3/2); to one output channel by the mean.
 *
 * @param wanted names and shapes, as a network's Parameters or state() give them
 * @param source the file's name, for errors
 */
export function fromDiffusers(
	file: PretrainedWeights["tensors"],
	wanted: Iterable<readonly [string, { readonly shape: Shape }]>,
	source: string,
): State {
	const state: State = new Map();
	for (const [name, { shape }] of wanted) {
		const stored = file.get(name) ?? file.get(oldName(name));
		if (!stored)
			throw new Error(
				`${source} holds no tensor "${name}"; expected the weights of an AutoencoderKL with this network's blocks`,
			);
		let found: Weights = {
			shape: stored.shape,
			data: Float32Array.from(stored.data),
		};
		if (found.shape.length === 4)
			found =
				shape.length === 2
					? { shape: found.shape.slice(0, 2), data: found.data }
					: channelsLast(found);
		if (name === "encoder.conv_in.weight") found = withInputs(found, shape[3]);
		if (name.startsWith("decoder.conv_out.")) found = withOneOutput(found);
		if (
			show(found.shape) !== show(shape) ||
			found.data.length !== sizeOf(shape)
		)
			throw new Error(
				`${source}: tensor "${name}" has shape ${show(stored.shape)}, which does not fit this network's ${show(shape)}`,
			);
		state.set(name, found);
	}
	return state;
}

/** A network's tensors as the library stores them. */
export function toDiffusers(tensors: LazyState): LazyState {
	return new Map(
		[...tensors].map(([name, tensor]) => [
			name,
			tensor.shape.length === 4 ? channelsFirst(tensor) : tensor,
		]),
	);
}

function oldName(name: string): string {
	for (const [now, before] of Object.entries(OLD_NAMES))
		if (name.includes(`.${now}.`))
			return name.replace(`.${now}.`, `.${before}.`);
	return name;
}

/** O I KH KW to O KH KW I. */
function channelsLast({ shape: [o, i, h, w], data }: Weights): Weights {
	return { shape: [o, h, w, i], data: swapInner(data, o, i, h * w) };
}

/** O KH KW I to O I KH KW. */
function channelsFirst({ shape: [o, h, w, i], read }: LazyTensor): LazyTensor {
	return {
		shape: [o, i, h, w],
		read: async () => swapInner(await read(), o, h * w, i),
	};
}

/** [outer, a, b] to [outer, b, a]. */
function swapInner(
	data: Float32Array,
	outer: number,
	a: number,
	b: number,
): Float32Array {
	const swapped = new Float32Array(data.length);
	for (let o = 0; o < outer; o++)
		for (let j = 0; j < a; j++)
			for (let k = 0; k < b; k++)
				swapped[(o * b + k) * a + j] = data[(o * a + j) * b + k];
	return swapped;
}

function withInputs({ shape, data }: Weights, inputs: number): Weights {
	const before = shape[3];
	if (before === inputs) return { shape, data };
	const filters = data.length / before;
	const made = new Float32Array(filters * inputs);
	for (let f = 0; f < filters; f++)
		for (let c = 0; c < inputs; c++) {
			if (inputs > 1)
				made[f * inputs + c] =
					(data[f * before + (c % before)] * before) / inputs;
			else
				for (let k = 0; k < before; k++)
					made[f] += data[f * before + k] / before;
		}
	return { shape: [...shape.slice(0, 3), inputs], data: made };
}

function withOneOutput({ shape, data }: Weights): Weights {
	const outputs = shape[0];
	const each = data.length / outputs;
	const made = new Float32Array(each);
	for (let o = 0; o < outputs; o++)
		for (let k = 0; k < each; k++) made[k] += data[o * each + k] / outputs;
	return { shape: [1, ...shape.slice(1)], data: made };
}
