// Kernels of whoever embeds the engine: they run and have gradients, and what is wrong with them is one clear error.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Dispatch } from "../src/engine/device/checkDispatch.ts";
import {
	backward,
	empty,
	type Gpu,
	lines,
	record,
	sum,
	type Tensor,
	tensor,
} from "../src/engine/index.ts";
import { openGpu } from "../src/node/device/adapter.ts";
import { createEngine } from "../src/node/engine.ts";

const CUBE = `// import thread
struct Params { n: u32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let block = threadOf(id, groups);
	if (block < params.n) { y[block] = params.factor * x[block] * x[block] * x[block]; }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
	let block = threadOf(id, groups);
	if (block < params.n) { y[block] = dy[block] * 3 * params.factor * x[block] * x[block]; }
}
`;

function cube(x: Tensor, factor: number): Tensor {
	const { gpu, size: n } = x;
	const y = empty(gpu, x.shape);
	const same = {
		shader: "cube",
		params: { n, factor },
		workgroups: lines(gpu, n),
	};
	gpu.run({ ...same, entry: "forward", bindings: { x, y } });
	return record("cube", y, [x], (dy, grads) =>
		gpu.run({
			...same,
			entry: "backward",
			bindings: { x, dy, y: grads.out(0) },
		}),
	);
}

const gpu = await createEngine({ shaders: { cube: CUBE } });
test.after(() => gpu.dispose());

test("an op of one's own has its values and its gradient", async () => {
	const x = tensor(gpu, [-1, 0.5, 2]);
	x.requiresGrad = true;
	const y = cube(x, 2);
	backward(sum(y));
	assert.equal([...(await y.data())], [-2, 0.25, 16]);
	assert.equal([...((await x.grad?.data()) ?? [])], [6, 1.5, 24]);
});

test("it runs on a device of one's own too", async () => {
	const { device } = await openGpu();
	const engine = await createEngine({ device, shaders: { cube: CUBE } });
	assert.equal([...(await cube(tensor(engine, [3]), 1).data())], [27]);
	engine.dispose();
	device.destroy();
});

async function refusal(options: unknown): Promise<string> {
	const opened: Gpu | Error = await createEngine(
		options as { shaders: Record<string, string> },
	).catch((error: Error) => error);
	if (opened instanceof Error) return opened.message;
	opened.dispose();
	return "nothing";
}

const compute = (body: string) =>
	`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn f() { ${body} }`;

const REFUSED: Readonly<Record<string, [unknown, RegExp]>> = {
	"an option that there is not": [
		{ shader: { cube: CUBE } },
		/^createEngine: there is no option "shader"; expected device, .*shaders/,
	],
	"no object of shaders": [
		{ shaders: [CUBE] },
		/^createEngine: found a list as shaders, expected an object/,
	],
	"a name that is taken": [
		{ shaders: { elementwise: CUBE } },
		/^createEngine: the engine has a shader "elementwise" of its own; expected another name$/,
	],
	"a name that is none": [
		{ shaders: { "my op": CUBE } },
		/^createEngine: found the shader name "my op", expected letters and digits$/,
	],
	"no text": [
		{ shaders: { mine: new URL("file:///cube.wgsl") } },
		/^createEngine: found an object of URL as shader "mine", expected its WGSL$/,
	],
	"a part that there is not": [
		{ shaders: { mine: `\n// import threads\n${CUBE}` } },
		/^mine\.wgsl:2: there is no part "threads", only .*thread$/,
	],
	"WGSL that does not parse": [
		{ shaders: { mine: "\nfn f( {}" } },
		/^mine\.wgsl:2:\d+: .*expected/,
	],
	"WGSL that does not type": [
		{ shaders: { mine: compute("\ny[0] = 1u;") } },
		/^mine\.wgsl:3:\d+: .*u32.*f32/,
	],
	"WGSL without an entry point": [
		{ shaders: { mine: "fn f() {}" } },
		/^mine\.wgsl: no @compute entry point$/,
	],
	"an array of integers": [
		{
			shaders: {
				mine: `alias Words = array<u32>;\n${compute("y[0] = 1u;").replace("array<f32>", "Words")}`,
			},
		},
		/^mine\.wgsl:2: "y" is Words, expected an array of f32, which tensors hold; u32\(\) /,
	],
	"a texture": [
		{
			shaders: {
				mine: "@group(0) @binding(0) var t: texture_2d<f32>;\n@compute @workgroup_size(1) fn f() { _ = t; }",
			},
		},
		/^mine\.wgsl:1: "t" is texture_2d<f32>, expected var<storage, read>/,
	],
};
for (const [what, [options, message]] of Object.entries(REFUSED))
	test(`${what}: refused when the engine opens`, async () => {
		const found = await refusal(options);
		assert.match(found, message);
		assert.not.match(found, /\n/);
	});

const x = tensor(gpu, [1]);
const good: Dispatch = {
	shader: "cube",
	entry: "forward",
	bindings: { x, y: empty(gpu, [1]) },
	params: { n: 1, factor: 1 },
	workgroups: [1],
};
const MISUSED: Readonly<Record<string, [Partial<Dispatch>, RegExp]>> = {
	"an unknown entry point": [
		{ entry: "sideways" },
		/^cube\.wgsl has no entry point "sideways", only forward, backward$/,
	],
	"a missing binding": [
		{ bindings: { x } },
		/^cube\.wgsl forward: binding "y" is missing$/,
	],
	"a binding that the entry point does not use": [
		{ bindings: { ...good.bindings, dy: x } },
		/^cube\.wgsl forward: unknown binding "dy"$/,
	],
	"a missing parameter": [
		{ params: { n: 1 } },
		/^cube\.wgsl forward: parameter "factor" is missing$/,
	],
	"an unknown parameter": [
		{ params: { ...good.params, power: 3 } },
		/^cube\.wgsl forward: unknown parameter "power"$/,
	],
	"an unknown constant": [
		{ constants: { WIDTH: 1 } },
		/^cube\.wgsl has no override "WIDTH"; it has none$/,
	],
	"a misspelt name of one's own shader": [
		{ shader: "Cubed" },
		/^gpu\.run\(\): there is no shader "Cubed"; the nearest names are cube, \w+, \w+ \(/,
	],
	"a misspelt name of the engine's": [
		{ shader: "convTile" },
		/there is no shader "convTile"; the nearest names are convTiled, /,
	],
};
for (const [what, [change, message]] of Object.entries(MISUSED))
	test(`${what}: refused when it is run`, () => {
		assert.throws(() => gpu.run({ ...good, ...change }), message);
	});

test.run();
