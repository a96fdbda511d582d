/** The engine's public face. It knows tensors and nothing of physics. */
export { backward, noGrad, record } from "./autograd.ts";
export { Average } from "./average.ts";
export type { Dispatch } from "./checkDispatch.ts";
export { clipGradNorm } from "./clip.ts";
export { compile } from "./compile.ts";
export {
	type Batch,
	type DataLoader,
	type DataLoaderOptions,
	dataLoader,
} from "./dataLoader.ts";
export { lines } from "./dispatch.ts";
export { Gpu } from "./gpu.ts";
export type { GpuOptions } from "./gpuOptions.ts";
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export * as init from "./init.ts";
export type { Layer } from "./layers/layer.ts";
export * from "./layers/norms.ts";
export * from "./layers/sequential.ts";
export * from "./layers/weighted.ts";
export { Module } from "./module.ts";
export { Buffer, Parameter, Parameters } from "./nn.ts";
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
export { Adam, type AdamOptions, AdamW } from "./optim.ts";
export type { Group, ParameterGroup } from "./optimiser.ts";
export { checkSchedule, type RateSchedule, rateFactor } from "./schedules.ts";
export { detached, scope } from "./scope.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { Shape } from "./shape.ts";
export {
	collect,
	type LazyState,
	type LazyTensor,
	lazy,
	type State,
} from "./state.ts";
export { empty, type Gradients, Tensor, tensor, zeros } from "./tensor.ts";
export {
	type Choices,
	Tuner,
	type TunerOptions,
	type Variant,
} from "./tuner.ts";
