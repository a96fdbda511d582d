// The f16 convolutions on matrix units. Few adapters have these, so: the shaders are compiled on Dawn's null backend, which computes nothing;
// everything in them but the matrix instructions is checked by numbers, with those emulated; and they themselves run where the adapter allows it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../src/engine/basics/scope.ts";
import { sizeOf } from "../src/engine/basics/shape.ts";
import { Gpu } from "../src/engine/device/gpu.ts";
import { conv2d, convTranspose2d } from "../src/engine/ops/conv.ts";
import { backward } from "../src/engine/tensors/autograd.ts";
import { type Tensor, tensor, zeros } from "../src/engine/tensors/tensor.ts";
import { reflect } from "../src/engine/wgsl/reflect.ts";
import {
	describeAdapter,
	MachineError,
	openAdapter,
	openGpu,
} from "../src/node/device/adapter.ts";
import {
	MATRIX_FEATURES,
	MATRIX_FLAGS,
	missingForMatrix,
} from "../src/node/device/matrix.ts";
import { loadShaders } from "../src/node/device/shaders.ts";
import { cases as convCases } from "./cases/conv.ts";
import { emulateMatrices } from "./matrixEmulation.ts";
import { type Case, checkCase } from "./opTesting.ts";
import * as reference from "./reference/conv.ts";

const shaders = loadShaders();
const ENTRIES = {
	convMatrix: ["convolve", "convolveVector"],
	convWeightMatrix: ["weightGradient"],
};

// Several workgroups of pixels, blocks of channels, tiles of rows, and slices of a weight gradient, which the table's small cases lack.
const wide = { stride: [1, 2], pad: [1, 1, 1, 1] } as const;
const large: Case[] = [
	{
		name: "conv2d in several tiles",
		inputs: [
			{ shape: [2, 9, 21, 20] },
			{ shape: [68, 3, 3, 20] },
			{ shape: [68] },
		],
		run: ([x, w, b]) =>
			conv2d(x, w, b, { stride: wide.stride, padding: wide.pad }),
		reference: ([x, w, b]) =>
			reference.finish(reference.conv2d(x, w, wide), b, 1),
	},
	{
		name: "convTranspose2d in several tiles",
		inputs: [
			{ shape: [2, 9, 11, 35] },
			{ shape: [35, 3, 3, 66] },
			{ shape: [66] },
		],
		run: ([x, w, b]) =>
			convTranspose2d(x, w, b, { stride: wide.stride, padding: wide.pad }),
		reference: ([x, w, b]) =>
			reference.finish(reference.convTranspose2d(x, w, wide), b, 1),
	},
];
const cases = [...convCases, ...large];

/** A number in f16 is off by up to 2^-11 of itself. */
const inHalves = (c: Case): Case => ({ ...c, tolerance: 2e-3 });

const adapter = await openAdapter();
const gpu = await openGpu();
console.log(describeAdapter(gpu));
test.after(() => gpu.dispose());

for (const component of ["f32", "f16"] as const) {
	if (component === "f16" && !adapter.features.has("shader-f16")) {
		console.log(`skipped: tiles of f16; ${gpu.adapterName} has no shader-f16`);
		continue;
	}
	const emulated = await emulation(component);
	test.after(() => emulated.dispose());
	for (const c of cases)
		test(`matrices emulated, tiles of ${component}: ${c.name}`, () =>
			checkCase(emulated, component === "f16" ? inHalves(c) : c));

	if (component === "f16")
		test("matrices emulated: what f16 cannot hold becomes no number", async () => {
			const gradient = await scope(emulated, () => {
				const x = tensor(emulated, new Float32Array(12).fill(1), [1, 3, 1, 4]);
				const w = tensor(emulated, new Float32Array(16).fill(1), [4, 1, 1, 4]);
				w.requiresGrad = true;
				const dy = new Float32Array(12).fill(1e5);
				backward(conv2d(x, w, null), tensor(emulated, dy, [1, 3, 1, 4]));
				return w.grad as Tensor;
			}).data();
			assert.not.ok(gradient.some(Number.isFinite), `${gradient}`);
		});
}

/** The kernels on this machine's adapter, with plain WGSL in place of matrices. */
async function emulation(component: "f16" | "f32"): Promise<Gpu> {
	const device = await (await openAdapter()).requestDevice({
		requiredFeatures: component === "f16" ? ["shader-f16"] : [],
		// Twice the bytes of f16 tiles.
		requiredLimits: {
			maxComputeWorkgroupStorageSize: component === "f16" ? 16384 : 32768,
		},
	});
	const emulated = Object.fromEntries(
		Object.keys(ENTRIES).map((name) => [
			name,
			emulateMatrices(shaders[name], component),
		]),
	);
	return new Gpu(device, {
		shaders: { ...shaders, ...emulated },
		matrix: true,
	});
}

const f16 = await openGpu({ precision: "f16" }).catch((error) => {
	if (error instanceof MachineError) return error;
	throw error;
});
if (f16 instanceof MachineError) {
	console.log(`skipped: the matrix units themselves. ${f16.message}`);
	test("precision f16 on an adapter without: one error that says what is missing", () => {
		assert.match(f16.message, `"${gpu.adapterName}" lacks `);
		for (const what of missingForMatrix(adapter))
			assert.match(f16.message, what);
	});
} else {
	test.after(() => f16.dispose());
	for (const c of cases)
		test(`matrix units: ${c.name}`, () => checkCase(f16, inHalves(c)));
}

const { create } = await import("webgpu");
const nothing = create(["backend=null", MATRIX_FLAGS]); // an instance must outlive its devices

/** Dawn's null backend: it validates all and computes nothing. It does not compare matrices with what an adapter lists, which is nothing here. */
async function nullDevice(): Promise<GPUDevice> {
	const adapter = await nothing.requestAdapter();
	assert.ok(adapter);
	return adapter.requestDevice({ requiredFeatures: [...MATRIX_FEATURES] });
}

test("null backend: every pipeline compiles without a warning, within the default limits", async () => {
	const device = await nullDevice();
	assert.is(device.limits.maxComputeWorkgroupStorageSize, 16384);
	assert.is(device.limits.maxComputeInvocationsPerWorkgroup, 256);
	for (const [shader, entries] of Object.entries(ENTRIES)) {
		device.pushErrorScope("validation");
		const module = device.createShaderModule({ code: shaders[shader] });
		const { messages } = await module.getCompilationInfo();
		assert.equal(
			messages.map(
				({ lineNum, message }) => `${shader} ${lineNum}: ${message}`,
			),
			[],
		);
		for (const entryPoint of entries)
			for (const VECTOR of [0, 1])
				for (const constants of shader === "convMatrix"
					? [{ VECTOR }]
					: [0, 1].map((VECTOR_DY) => ({ VECTOR, VECTOR_DY })))
					device.createComputePipeline({
						layout: "auto",
						compute: { module, entryPoint, constants },
					});
		const error = await device.popErrorScope();
		assert.is(error, null, error?.message);
	}
	device.destroy();
});

test("null backend: every case can be encoded, forward and backward", async () => {
	const none = new Gpu(await nullDevice(), {
		shaders,
		matrix: true,
	});
	for (const c of cases) {
		scope(none, () => {
			const inputs = c.inputs.map(({ shape }) => {
				const input = tensor(none, new Float32Array(sizeOf(shape)), shape);
				input.requiresGrad = true;
				return input;
			});
			const y = c.run(inputs);
			backward(y, zeros(none, y.shape));
		});
		await none.idle();
	}
	none.dispose();
});

test("the shaders' matrices are those that an adapter is asked for", () => {
	for (const shader of Object.keys(ENTRIES)) {
		const matrices = [...shaders[shader].matchAll(/subgroup_matrix_\w+<.*>/g)];
		assert.equal(
			matrices.map(([text]) => text),
			[
				"subgroup_matrix_left<f16, 16, 16>",
				"subgroup_matrix_right<f16, 16, 16>",
				"subgroup_matrix_result<f32, 16, 16>",
			],
		);
	}
});

test("bindings and overrides are read from sources with matrices", () => {
	const convolve = reflect("convMatrix", shaders.convMatrix).convolve;
	assert.equal(
		convolve?.bindings.map((b) => b.name),
		["x", "x4", "packed", "y"],
	);
	assert.equal([...(convolve?.overrides ?? [])], ["VECTOR"]);
	const plain = reflect("convTiled", shaders.convTiled).convolve;
	assert.equal(convolve?.params, plain?.params);
});

/** As Dawn lists an NVIDIA card, if documentation is right. */
const able = {
	features: new Set<string>(MATRIX_FEATURES),
	info: {
		subgroupMinSize: 32,
		subgroupMaxSize: 32,
		subgroupMatrixConfigs: [
			{ componentType: "f16", resultType: "f16", M: 16, N: 16, K: 16 },
			{ componentType: "f16", resultType: "f32", M: 16, N: 16, K: 16 },
		],
	},
};
const missing = (changes: object, info: object = {}) =>
	missingForMatrix({
		...able,
		...changes,
		info: { ...able.info, ...info },
	} as unknown as GPUAdapter);

test("which adapters take the matrix kernels", () => {
	assert.equal(missing({}), []);
	assert.equal(missing({ features: new Set(["subgroups"]) }), [
		"the feature shader-f16",
		"the feature chromium-experimental-subgroup-matrix",
	]);
	assert.equal(missing({}, { subgroupMinSize: 8 }), [
		"subgroups of 32 threads (it has 8 to 32)",
	]);
	const matrices = ["16x16x16 matrices of f16 with sums in f32"];
	assert.equal(missing({}, { subgroupMatrixConfigs: undefined }), matrices);
	for (const change of [
		{ M: 8 },
		{ N: 8 },
		{ K: 8 },
		{ componentType: "f32" },
		{ resultType: "f16" },
	]) {
		const subgroupMatrixConfigs = [
			{ ...able.info.subgroupMatrixConfigs[1], ...change },
		];
		assert.equal(missing({}, { subgroupMatrixConfigs }), matrices);
	}
});

test("without precision f16 nothing of it is asked for", () => {
	assert.is(gpu.matrix, false);
	for (const feature of ["shader-f16", MATRIX_FEATURES[2]])
		assert.not.ok(gpu.device.features.has(feature), feature);
});

test.run();
