// Where one pixel is not a number, or infinite, the outputs that depend on it are not finite, and no others. A weight, and the gradient to one, meets the zeros
// of the padding: there NaN may spread further, as it does in torch.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { type Shape, sizeOf } from "../src/engine/basics/shape.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { linear } from "../src/engine/ops/linear.ts";
import { crop, upsampleNearest2x } from "../src/engine/ops/sample.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor } from "../src/engine/tensors/tensor.ts";
import { describeAdapter, openGpu } from "../src/node/device/adapter.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { nd } from "./opTesting.ts";
import * as reference from "./reference/conv.ts";

const gpu = await openGpu();
console.log(describeAdapter(gpu));
const tiles = new Gpu(gpu.device, {
	shaders: loadShaders(),
	software: false,
	keepDevice: true,
});
test.after(() => gpu.dispose());

const marks = (values: ArrayLike<number>) =>
	Array.from(values, (v) => (Number.isFinite(v) ? "." : "x")).join("");

interface Row {
	readonly name: string;
	readonly shapes: readonly Shape[];
	readonly run: (inputs: Tensor[]) => Tensor;
	readonly reference: (
		x: readonly ReturnType<typeof nd>[],
	) => ReturnType<typeof nd>;
}

const rows: Row[] = [];
for (const [k, channels, o, stride, pad] of [
	[1, 1, 1, 1, 0],
	[3, 1, 5, 1, 1],
	[3, 3, 2, 2, 1],
	[2, 5, 9, 3, 0],
	[1, 7, 3, 1, 0],
	[3, 4, 4, 1, 1],
	[5, 2, 20, 2, 2],
	[4, 1, 3, 2, 1],
]) {
	const x = [1, 5, 6, channels];
	const window = {
		stride: [stride, stride] as const,
		pad: [pad, pad, pad, pad] as const,
	};
	const options = { stride, padding: pad };
	const name = `${k}x${k}, ${channels} to ${o}, stride ${stride}`;
	rows.push(
		{
			name: `conv2d ${name}`,
			shapes: [x, [o, k, k, channels]],
			run: ([x, w]) => conv2d(x, w, null, options),
			reference: ([x, w]) => reference.conv2d(x, w, window),
		},
		{
			name: `convTranspose2d ${name}`,
			shapes: [x, [channels, k, k, o]],
			run: ([x, w]) => convTranspose2d(x, w, null, options),
			reference: ([x, w]) => reference.convTranspose2d(x, w, window),
		},
	);
}
for (const [m, k, n] of [
	[3, 8, 5],
	[9, 5, 7],
	[40, 6, 3],
])
	rows.push({
		name: `linear ${m} x ${k} x ${n}`,
		shapes: [
			[m, k],
			[n, k],
		],
		run: ([x, w]) => linear(x, w, null),
		reference: ([x, w]) => reference.matmul(x, reference.transpose(w)),
	});

/** Values, and gradients of their sum with weights `dy`. */
async function evaluate(
	on: Gpu,
	row: Row,
	data: Float32Array[],
	dy: Float32Array,
) {
	const { y, grads } = scope(on, () => {
		const inputs = row.shapes.map((shape, i) => {
			const input = tensor(on, data[i], shape);
			input.requiresGrad = true;
			return input;
		});
		const y = row.run(inputs);
		backward(y, tensor(on, dy, y.shape));
		return { y, grads: inputs.map((x) => x.grad as Tensor) };
	});
	const all: Float32Array[] = [];
	for (const t of [y, ...grads]) all.push(await t.data());
	for (const t of [y, ...grads]) t.dispose();
	return all;
}

/** Which gradients depend on dy[at]: the transpose of what the reference does with each input. */
function reached(row: Row, which: number, at: number): string {
	const inputs = row.shapes.map((shape) => nd(shape, () => 1));
	return Array.from({ length: inputs[which].data.length }, (_, i) => {
		const moved = inputs.map((x, j) =>
			j === which ? nd(x.shape, (l) => (l === i ? 2 : 1)) : x,
		);
		const change =
			row.reference(moved).data[at] - row.reference(inputs).data[at];
		return change === 0 ? "." : "x";
	}).join("");
}

/** Every x of `expected` is in `actual`. */
const covers = (actual: string, expected: string) =>
	[...expected].every((mark, i) => mark === "." || actual[i] === "x");

for (const [kernels, on] of Object.entries({ own: gpu, tiles }))
	for (const row of rows)
		test(`${row.name}, ${kernels}`, async () => {
			const ones = row.shapes.map((shape) =>
				new Float32Array(sizeOf(shape)).fill(1),
			);
			const inputs = (data: Float32Array[]) =>
				row.shapes.map((shape, i) => nd(shape, (l) => data[i][l]));
			const size = row.reference(inputs(ones)).data.length;
			const dy = new Float32Array(size).fill(1);
			for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
				for (const at of [0, 0.41, 0.99]) {
					for (const which of [0, 1]) {
						const data = ones.map((x) => x.slice());
						data[which][Math.floor(at * data[which].length)] = bad;
						const expected = marks(row.reference(inputs(data)).data);
						const [y] = await evaluate(on, row, data, dy);
						if (which === 0) assert.is(marks(y), expected, `${bad} in x`);
						else assert.ok(covers(marks(y), expected), `${bad} in w`);
					}
					if (Number.isNaN(bad)) continue;
					const spoilt = dy.slice();
					const place = Math.floor(at * dy.length);
					spoilt[place] = bad;
					const [, dx, dw] = await evaluate(on, row, ones, spoilt);
					assert.is(marks(dx), reached(row, 0, place), `${bad} in dy, dx`);
					assert.ok(
						covers(marks(dw), reached(row, 1, place)),
						`${bad} in dy, dw`,
					);
				}
		});

test("moved pixels stay apart", async () => {
	const x = tensor(gpu, [1, 2, Number.NaN, 4], [1, 2, 2, 1]);
	const doubled = await upsampleNearest2x(x).data();
	assert.is(marks(doubled), "........xx..xx..");
	const window = { top: 1, left: 1, height: 1, width: 1 };
	assert.is(marks(await crop(x, window).data()), ".");
});

test.run();
