/** The engine's public face. It knows tensors and nothing of physics. */

export { detached, scope } from "./basics/scope.ts";
export type { Shape } from "./basics/shape.ts";
export type { Dispatch } from "./device/checkDispatch.ts";
export { compile } from "./device/compile.ts";
export { lines } from "./device/dispatch.ts";
export { Gpu } from "./device/gpu.ts";
export type { GpuOptions } from "./device/gpuOptions.ts";
export {
	type Choices,
	Tuner,
	type TunerOptions,
	type Variant,
} from "./device/tuner.ts";
export * as init from "./layers/init.ts";
export type { Layer } from "./layers/layer.ts";
export { Module } from "./layers/module.ts";
export * from "./layers/norms.ts";
export { Buffer, Parameter, Parameters } from "./layers/parameters.ts";
export * from "./layers/sequential.ts";
export {
	collect,
	type LazyState,
	type LazyTensor,
	type Loadable,
	lazy,
	type State,
} from "./layers/state.ts";
export * from "./layers/weighted.ts";
export {
	type AttentionOptions,
	scaledDotProductAttention,
} from "./ops/attention.ts";
export * from "./ops/batchNorm.ts";
export { type BmmOptions, bmm } from "./ops/bmm.ts";
export * from "./ops/compare.ts";
export * from "./ops/conv.ts";
export type { Activation } from "./ops/convTape.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/embedding.ts";
export * from "./ops/layerNorm.ts";
export * from "./ops/linear.ts";
export * from "./ops/loss.ts";
export * from "./ops/norm.ts";
export { permute, transpose } from "./ops/permute.ts";
export * from "./ops/pooling.ts";
export * from "./ops/random.ts";
export {
	amax,
	columnSum,
	mean,
	type ReduceOptions,
	sum,
} from "./ops/reduce.ts";
export * from "./ops/reshape.ts";
export * from "./ops/sample.ts";
export * from "./ops/softmax.ts";
export * from "./ops/upsampleConv.ts";
export { Adam, type AdamOptions, AdamW } from "./optim/adam.ts";
export { Average } from "./optim/average.ts";
export { clipGradNorm } from "./optim/clip.ts";
export {
	type Batch,
	type DataLoader,
	type DataLoaderOptions,
	dataLoader,
} from "./optim/dataLoader.ts";
export type { Group, ParameterGroup } from "./optim/optimiser.ts";
export {
	checkSchedule,
	type RateSchedule,
	rateFactor,
} from "./optim/schedules.ts";
export { SGD, type SGDOptions } from "./optim/sgd.ts";
export { backward, noGrad, record } from "./tensors/autograd.ts";
export { type GradcheckOptions, gradcheck } from "./tensors/gradcheck.ts";
export {
	empty,
	type Gradients,
	Tensor,
	tensor,
	type Values,
	zeros,
} from "./tensors/tensor.ts";
