import { isList, named } from "../basics/named.ts";
import type { Disposable } from "../basics/scope.ts";
import { type Shape, show, sizeOf } from "../basics/shape.ts";
import type { Gpu } from "../device/gpu.ts";
import type { BufferView, PooledBuffer } from "../device/pool.ts";
import { floatsOf, type Nested } from "./nested.ts";

/** Numbers in a typed array or in lists; all become 32-bit floats. */
export type Values = ArrayLike<number> | Nested;

/** Counts who uses a pooled buffer: reshaped tensors share one. */
class Storage {
	readonly gpu: Gpu;
	readonly buffer: PooledBuffer;
	/** Of the tensor that it was made for. */
	readonly bytes: number;
	/** Counts the times that the contents were overwritten by write() or an optimiser. */
	version = 0;
	#users = 0;

	constructor(gpu: Gpu, buffer: PooledBuffer, bytes: number) {
		this.gpu = gpu;
		this.bytes = bytes;
		this.buffer = buffer;
	}

	retain(): void {
		this.#users++;
	}

	release(): void {
		if (--this.#users === 0) this.gpu.release(this.buffer);
	}
}

/** The operation that made a tensor, as the tape keeps it (see autograd.ts). */
export interface TapeNode {
	readonly id: number;
	readonly inputs: readonly Tensor[];
	readonly output: Tensor;
	/** What backward reads of the forward pass, and its versions then. */
	readonly saved: readonly (readonly [Tensor, number])[];
	readonly backward: (dy: Tensor, grads: Gradients) => void;
	/** A backward() has gone through it. */
	done: boolean;
}

/** Where an operation's backward puts the gradients of its inputs. */
export interface Gradients {
	/** Whether input `i` needs a gradient at all. */
	wants(i: number): boolean;
	/** A tensor of input `i`'s shape to be overwritten with its gradient. */
	out(i: number): Tensor;
	/** Hands over a tensor (it may be `dy` itself) as the gradient of input `i`. */
	set(i: number, gradient: Tensor): void;
}

/** An array of 32-bit floats on the device, row-major; images are B H W C. Made by the functions below and by the ops. */
export class Tensor implements BufferView, Disposable {
	readonly shape: Shape;
	readonly size: number;
	/** Set on parameters, and on what is computed from them. */
	requiresGrad = false;
	/**
	 * The gradient that backward() left here; each further backward() adds to it. Only leaves (tensors that no op made) that require a gradient keep one. It is
	 * freed together with the leaf. After dispose() of it the next backward() starts from nothing.
	 */
	grad: Tensor | null = null;
	/** `grad` is a place not written yet: the next gradient overwrites it instead of being added. */
	gradIsFresh = false;
	/** The backward() that wrote `grad` was given what to start from. */
	gradIsSeeded = false;
	node: TapeNode | null = null;
	/** The name of the op that made it, as record() was given it. Null for tensor(), for views, and for tensors that ops use internally. */
	op: string | null = null;
	#gpu: Gpu | null = null;
	#offset = 0;
	#storage: Storage | null = null;

	/** @param storage none for a parameter, which gets it later */
	constructor(shape: Shape, storage: Storage | null, offset = 0) {
		this.shape = shape;
		this.size = sizeOf(shape);
		if (!storage) return;
		this.#take(storage, offset);
		const owner = storage.gpu.scopes.at(-1) ?? storage.gpu.growth;
		owner.add(this);
	}

	#take(storage: Storage, offset: number): void {
		this.#gpu = storage.gpu;
		this.#offset = offset;
		this.#storage = storage;
		storage.retain();
	}

	/** From here on a tensor without memory lies where `view` does. */
	protected settle(view: Tensor): void {
		this.#take(view.#alive(), view.offset);
	}

	get gpu(): Gpu {
		if (!this.#gpu) throw onNoDevice(this.shape);
		return this.#gpu;
	}

	/** Bytes from the begin of its buffer. */
	get offset(): number {
		return this.#offset;
	}

	get bytes(): number {
		return this.size * 4;
	}

	get whole(): boolean {
		return this.bytes === this.#alive().bytes;
	}

	get buffer(): PooledBuffer {
		return this.#alive().buffer;
	}

	/** Counts the times that the contents were overwritten by write() or an optimiser, here or through another view. */
	get version(): number {
		return this.#alive().version;
	}

	/** Whether the tensor has been given back to the pool. */
	get disposed(): boolean {
		return this.#gpu !== null && this.#storage === null;
	}

	/** Gives the memory back to the pool; later use throws. Disposing twice is harmless. */
	dispose(): void {
		this.#storage?.release();
		this.#storage = null;
		this.#gpu?.growth.delete(this);
	}

	/**
	 * A tensor of another shape over the same memory. A view is not on the tape, so outside of noGrad() a view of a tensor that requires a gradient is refused:
	 * reshape() is on the tape, and detach() says that no gradient is wanted.
	 */
	view(shape: Shape, byteOffset = 0): Tensor {
		if (this.requiresGrad && this.gpu.gradEnabled)
			throw new Error(
				`view ${show(shape)} of ${show(this.shape)}, which requires a gradient, would cut it off; expected reshape(), or detach() to mean it`,
			);
		return this.#view(shape, byteOffset);
	}

	/** The same values without gradient history, over the same memory. */
	detach(): Tensor {
		return this.#view(this.shape, 0);
	}

	#view(shape: Shape, byteOffset: number): Tensor {
		checkShape(shape);
		const storage = this.#alive();
		if (!Number.isInteger(byteOffset / 256) || byteOffset < 0)
			throw new RangeError(
				`view at byte ${byteOffset}: bindings begin at multiples of 256`,
			);
		if (byteOffset + sizeOf(shape) * 4 > this.bytes)
			throw new RangeError(
				`view ${show(shape)} at byte ${byteOffset} does not fit into ${show(this.shape)}`,
			);
		return new Tensor(shape, storage, this.offset + byteOffset);
	}

	/** Copies the values to the host. Everything recorded before is submitted, and the device's errors are thrown here. */
	data(): Promise<Float32Array> {
		return this.gpu.read(this);
	}

	/** The value of a one-element tensor; rejects for any other. */
	async item(): Promise<number> {
		if (this.size !== 1)
			throw new Error(`item() of a tensor of shape ${show(this.shape)}`);
		return (await this.data())[0];
	}

	/** Overwrites the values, row-major, with what tensor() takes. Throws a RangeError where there are not `size` of them, and a TypeError on what is no number. */
	write(data: Values): void {
		this.gpu.upload(this, checkedFloats("write()", data, this.shape));
		this.touch();
	}

	/** Tells the tape that the contents were overwritten. */
	touch(): void {
		this.#alive().version++;
	}

	#alive(): Storage {
		if (this.#storage) return this.#storage;
		if (!this.#gpu) throw onNoDevice(this.shape);
		throw new Error(
			`tensor ${show(this.shape)} is used after its scope ended (or after dispose())`,
		);
	}
}

export const onNoDevice = (shape: Shape, what = "") =>
	new Error(
		`${what}parameter ${show(shape)} is on no device yet; expected to(gpu) of its module before, which places what it finds in public fields, and in lists there, at any depth`,
	);

function checkEngine(what: string, gpu: Gpu): void {
	if (typeof (gpu as Partial<Gpu> | undefined)?.allocate !== "function")
		throw new TypeError(
			`${what}: found ${named(gpu)} in the engine's place, expected what createEngine() gives, before the values`,
		);
}

/** Throws, beginning with `what`, on what is no list of positive whole numbers. */
export function checkShape(shape: Shape, what = "tensor"): void {
	if (!isList(shape))
		throw new TypeError(
			`${what}: found ${named(shape)} as shape, expected a list of sizes`,
		);
	for (const n of shape)
		if (!Number.isInteger(n) || n < 1)
			throw new RangeError(
				`${what} shape ${show(shape)}: sizes are positive whole numbers`,
			);
}

/** Throws, beginning with `what`, unless there is an engine and a shape to make a tensor of. */
export function checkPlace(what: string, gpu: Gpu, shape: Shape): void {
	checkEngine(what, gpu);
	checkShape(shape, what);
}

function checkLength(
	{ length }: ArrayLike<number>,
	shape: Shape,
	what?: string,
): void {
	checkShape(shape);
	if (length !== sizeOf(shape))
		throw new RangeError(
			`${what ? `${what}: ` : ""}${length} values for a tensor of shape ${show(shape)}, which has ${sizeOf(shape)}`,
		);
}

/** As many values as the shape has, as floats; a Float32Array is not copied. Throws as write() does, beginning with `what`. */
export function checkedFloats(
	what: string,
	data: Values,
	shape: Shape,
): Float32Array {
	const { values } = floatsOf(what, data);
	checkLength(values, shape, what);
	return values;
}

/**
 * Throws a RangeError that names the op and its inputs where its output would be larger than the device allows. Ops whose output can be larger than their
 * inputs call it before they dispatch anything.
 */
export function checkFits(
	op: string,
	output: Shape,
	...inputs: readonly Tensor[]
): void {
	const limit = inputs[0].gpu.limits.bufferBytes;
	const bytes = 4 * sizeOf(output);
	if (bytes > limit)
		throw new RangeError(
			`${op}: inputs ${inputs.map((t) => show(t.shape)).join(" and ")} give an output ${show(output)} of ${bytes} bytes; this device allows ${limit} in one buffer`,
		);
}

/** A tensor with undefined contents. Throws a RangeError for sizes that are not positive whole numbers or exceed the device. */
export function empty(gpu: Gpu, shape: Shape): Tensor {
	checkPlace("tensor", gpu, shape);
	const bytes = sizeOf(shape) * 4;
	const buffer = gpu.allocate(bytes, `tensor ${show(shape)}`);
	return new Tensor(shape, new Storage(gpu, buffer, bytes));
}

/** A tensor of zeros. Throws as empty() does. */
export function zeros(gpu: Gpu, shape: Shape): Tensor {
	const tensor = empty(gpu, shape);
	gpu.clear(tensor);
	return tensor;
}

/**
 * A tensor with the given values, row-major. Where no shape is given, the values' own is taken: that of lists in lists, or [] for a single number. Throws a
 * RangeError where the shape holds another number of values, and a TypeError where values are no numbers or lists have different lengths.
 */
export function tensor(gpu: Gpu, data: Values, shape?: Shape): Tensor {
	checkEngine("tensor", gpu);
	const { values, own } = floatsOf("tensor", data);
	const wanted = shape ?? own;
	checkLength(values, wanted);
	const made = empty(gpu, wanted);
	gpu.upload(made, values);
	return made;
}

/** Throws, saying which, unless all are tensors. */
export function checkTensors(
	op: string,
	values: Readonly<Record<string, unknown>>,
): void {
	for (const [name, value] of Object.entries(values))
		if (!(value instanceof Tensor))
			throw new TypeError(
				`${op}: found ${named(value)} as ${name}, expected a tensor`,
			);
}
