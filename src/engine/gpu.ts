import {
	type EntryLayout,
	type ParamValue,
	reflect,
	writeParams,
} from "./kernel.ts";

/**
 * The device and everything that is paid for once: compiled pipelines, bind groups, pooled buffers, and the command encoder
 * that a whole training step is recorded into.
 */

/** A device buffer of the pool. */
export interface PooledBuffer {
	readonly id: number;
	readonly gpuBuffer: GPUBuffer;
	readonly capacity: number;
	/** Serial of the last encoder that names this buffer: an upload must not overtake commands not yet submitted. */
	usedIn: number;
	/** Cached bind groups that name this buffer. */
	readonly bindGroupKeys: Set<string>;
}

/** A range of a buffer, in bytes. */
export interface BufferView {
	readonly buffer: PooledBuffer;
	readonly offset: number;
	readonly bytes: number;
}

/** Anything that a scope frees on exit. */
export interface Disposable {
	dispose(): void;
}

export interface GpuOptions {
	/** WGSL sources by name, e.g. `{conv: "..."}`. */
	readonly shaders: Readonly<Record<string, string>>;
	/** Shown to users and written to reports. */
	readonly adapterName?: string;
	/** The adapter runs on the CPU: kernels that keep their tiles in registers are chosen. */
	readonly software?: boolean;
}

/** One dispatch: which entry point of which shader, and everything it names. */
export interface Dispatch {
	readonly shader: string;
	readonly entry: string;
	readonly bindings: Readonly<Record<string, BufferView>>;
	readonly params?: Readonly<Record<string, ParamValue>>;
	readonly constants?: Readonly<Record<string, number>>;
	readonly workgroups: readonly [number, number?, number?];
}

interface Pipeline {
	readonly layout: EntryLayout;
	readonly pipeline: GPUComputePipeline;
	readonly bindGroupLayout: GPUBindGroupLayout;
	readonly key: string;
}

export interface GpuStatistics {
	dispatches: number;
	passes: number;
	submits: number;
	buffersCreated: number;
	bytesAllocated: number;
	pipelines: number;
}

const SLOT = 256; // minUniformBufferOffsetAlignment of the default limits
const SLOTS = 1024;

export class Gpu {
	readonly device: GPUDevice;
	readonly adapterName: string;
	readonly software: boolean;
	readonly statistics: GpuStatistics = {
		dispatches: 0,
		passes: 0,
		submits: 0,
		buffersCreated: 0,
		bytesAllocated: 0,
		pipelines: 0,
	};
	/** Open scopes, innermost last (see scope()). */
	readonly scopes: Set<Disposable>[] = [];
	/** False inside noGrad(): operations leave nothing on the tape. */
	gradEnabled = true;
	/** Orders the nodes of the tape. */
	nextNode = 0;

	#shaders: Readonly<Record<string, string>>;
	#modules = new Map<
		string,
		{ module: GPUShaderModule; layouts: Map<string, EntryLayout> }
	>();
	#pipelines = new Map<string, Pipeline>();
	#bindGroups = new Map<string, GPUBindGroup>();
	#free = new Map<number, PooledBuffer[]>();
	#all = new Map<number, PooledBuffer>();
	#nextBuffer = 0;
	#encoder: GPUCommandEncoder | null = null;
	#pass: GPUComputePassEncoder | null = null;
	#serial = 1;
	#uniforms: GPUBuffer;
	#uniformData = new ArrayBuffer(SLOT * SLOTS);
	#uniformView = new DataView(this.#uniformData);
	#slot = 0;
	#errors: string[] = [];
	#pending: Promise<void>[] = [];
	#disposed = false;

	constructor(device: GPUDevice, options: GpuOptions) {
		this.device = device;
		this.adapterName = options.adapterName ?? "unknown adapter";
		this.software = options.software ?? false;
		this.#shaders = options.shaders;
		this.#uniforms = device.createBuffer({
			label: "params",
			size: SLOT * SLOTS,
			usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
		});
		device.addEventListener("uncapturederror", (event) => {
			this.#errors.push(event.error.message);
		});
		device.lost.then((info) => {
			if (!this.#disposed)
				this.#errors.push(`device lost (${info.reason}): ${info.message}`);
		});
	}

	/** Takes a buffer of at least `bytes` from the pool. Throws a RangeError beyond the device's limits. */
	allocate(bytes: number, what: string): PooledBuffer {
		this.#check();
		const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
		const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
		if (bytes > limit)
			throw new RangeError(
				`${what} needs ${bytes} bytes; this device allows ${limit} in one buffer`,
			);
		const capacity = sizeClass(bytes);
		const reusable = this.#free.get(capacity)?.pop();
		if (reusable) return reusable;
		const buffer: PooledBuffer = {
			id: this.#nextBuffer++,
			gpuBuffer: this.device.createBuffer({
				size: capacity,
				usage:
					GPUBufferUsage.STORAGE |
					GPUBufferUsage.COPY_SRC |
					GPUBufferUsage.COPY_DST,
			}),
			capacity,
			usedIn: 0,
			bindGroupKeys: new Set(),
		};
		this.#all.set(buffer.id, buffer);
		this.statistics.buffersCreated++;
		this.statistics.bytesAllocated += capacity;
		return buffer;
	}

	/** Gives a buffer back. Commands recorded before still see it: whatever reuses it is recorded after them. */
	release(buffer: PooledBuffer): void {
		const list = this.#free.get(buffer.capacity);
		if (list) list.push(buffer);
		else this.#free.set(buffer.capacity, [buffer]);
	}

	/** Destroys all buffers that wait in the pool. */
	trim(): void {
		this.flush();
		for (const list of this.#free.values())
			for (const buffer of list) {
				for (const key of buffer.bindGroupKeys) this.#bindGroups.delete(key);
				buffer.gpuBuffer.destroy();
				this.#all.delete(buffer.id);
				this.statistics.bytesAllocated -= buffer.capacity;
			}
		this.#free.clear();
	}

	/** Copies host data into a buffer, in order with the commands recorded so far. */
	upload(view: BufferView, data: Float32Array | Uint32Array): void {
		this.#check();
		if (view.buffer.usedIn === this.#serial) this.flush();
		this.device.queue.writeBuffer(
			view.buffer.gpuBuffer,
			view.offset,
			data.buffer as ArrayBuffer,
			data.byteOffset,
			data.byteLength,
		);
	}

	/** Fills a range with zeros. */
	clear(view: BufferView): void {
		view.buffer.usedIn = this.#serial;
		this.#commands().clearBuffer(
			view.buffer.gpuBuffer,
			view.offset,
			view.bytes,
		);
	}

	/** Copies between buffers on the device. */
	copy(from: BufferView, to: BufferView): void {
		from.buffer.usedIn = this.#serial;
		to.buffer.usedIn = this.#serial;
		this.#commands().copyBufferToBuffer(
			from.buffer.gpuBuffer,
			from.offset,
			to.buffer.gpuBuffer,
			to.offset,
			from.bytes,
		);
	}

	/**
	 * Records one dispatch. Every storage binding and every field of Params must be named, and nothing else; the workgroup counts
	 * are checked against the device's limits. Throws with the shader's name.
	 */
	run(dispatch: Dispatch): void {
		this.#check();
		const { shader, entry, bindings, workgroups } = dispatch;
		const { layout, pipeline, bindGroupLayout, key } = this.#pipeline(dispatch);
		const [x, y = 1, z = 1] = workgroups;
		const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
		if (!(x > 0 && y > 0 && z > 0 && Math.max(x, y, z) <= limit))
			throw new RangeError(
				`${shader}.wgsl ${entry}: ${x} x ${y} x ${z} workgroups; this device allows 1 to ${limit} a dimension`,
			);
		let groupKey = key;
		let named = 0;
		for (const { name } of layout.bindings) {
			const view = bindings[name];
			if (!view)
				throw new Error(
					`${shader}.wgsl ${entry}: binding "${name}" is missing`,
				);
			named++;
			groupKey += `|${view.buffer.id}:${view.offset}:${view.bytes}`;
		}
		if (named !== Object.keys(bindings).length) {
			const extra = Object.keys(bindings).filter(
				(name) => !layout.bindings.some((b) => b.name === name),
			);
			throw new Error(
				`${shader}.wgsl ${entry}: unknown binding "${extra.join('", "')}"`,
			);
		}
		if (this.#slot === SLOTS) this.flush();
		const slot = layout.params ? this.#slot++ : 0;
		if (layout.params)
			writeParams(
				layout,
				dispatch.params ?? {},
				this.#uniformView,
				slot * SLOT,
			);
		for (const { name } of layout.bindings)
			bindings[name].buffer.usedIn = this.#serial;
		if (!this.#pass) {
			this.#encoder ??= this.device.createCommandEncoder();
			this.#pass = this.#encoder.beginComputePass();
			this.statistics.passes++;
		}
		this.#pass.setPipeline(pipeline);
		this.#pass.setBindGroup(
			0,
			this.#bindGroup(groupKey, layout, bindGroupLayout, bindings),
			layout.params ? [slot * SLOT] : [],
		);
		this.#pass.dispatchWorkgroups(x, y, z);
		this.statistics.dispatches++;
	}

	/** Submits what has been recorded. */
	flush(): void {
		if (!this.#encoder) return;
		this.#pass?.end();
		this.#pass = null;
		if (this.#slot > 0)
			this.device.queue.writeBuffer(
				this.#uniforms,
				0,
				this.#uniformData,
				0,
				this.#slot * SLOT,
			);
		this.device.queue.submit([this.#encoder.finish()]);
		this.#encoder = null;
		this.#slot = 0;
		this.#serial++;
		this.statistics.submits++;
	}

	/** Submits and waits until the device has done everything; throws any error it reported since the last wait. */
	async idle(): Promise<void> {
		this.flush();
		await this.device.queue.onSubmittedWorkDone();
		await this.#settle();
	}

	/** Reads a range back as floats; throws any error that the device reported since the last wait. */
	async read(view: BufferView): Promise<Float32Array> {
		const staging = this.device.createBuffer({
			label: "readback",
			size: view.bytes,
			usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
		});
		this.#commands().copyBufferToBuffer(
			view.buffer.gpuBuffer,
			view.offset,
			staging,
			0,
			view.bytes,
		);
		this.flush();
		try {
			await staging.mapAsync(GPUMapMode.READ);
			const data = new Float32Array(staging.getMappedRange().slice(0));
			await this.#settle();
			return data;
		} catch (error) {
			await this.#settle(); // the device's own message says more than a failed map
			throw error;
		} finally {
			staging.destroy();
		}
	}

	/** Frees every buffer and the device. */
	dispose(): void {
		this.#disposed = true;
		for (const { gpuBuffer } of this.#all.values()) gpuBuffer.destroy();
		this.#uniforms.destroy();
		this.device.destroy();
	}

	#commands(): GPUCommandEncoder {
		this.#check();
		this.#pass?.end();
		this.#pass = null;
		this.#encoder ??= this.device.createCommandEncoder();
		return this.#encoder;
	}

	#check(): void {
		if (this.#disposed) throw new Error("this Gpu has been disposed");
		if (this.#errors.length > 0) {
			const message = this.#errors.join("\n");
			this.#errors.length = 0;
			throw new Error(`GPU: ${message}`);
		}
	}

	async #settle(): Promise<void> {
		await Promise.all(this.#pending.splice(0));
		this.#check();
	}

	#pipeline({ shader, entry, constants = {} }: Dispatch): Pipeline {
		let key = `${shader}/${entry}`;
		for (const name in constants) key += `,${name}=${constants[name]}`;
		const cached = this.#pipelines.get(key);
		if (cached) return cached;

		const { module, layouts } = this.#module(shader);
		const layout = layouts.get(entry);
		if (!layout)
			throw new Error(
				`${shader}.wgsl has no entry point "${entry}", only ${[...layouts.keys()].join(", ")}`,
			);
		for (const name in constants)
			if (!layout.overrides.has(name))
				throw new Error(`${shader}.wgsl has no override "${name}"`);
		const entries: GPUBindGroupLayoutEntry[] = layout.bindings.map((b) => ({
			binding: b.binding,
			visibility: GPUShaderStage.COMPUTE,
			buffer: { type: b.writable ? "storage" : "read-only-storage" },
		}));
		if (layout.params)
			entries.push({
				binding: layout.params.binding,
				visibility: GPUShaderStage.COMPUTE,
				buffer: { type: "uniform", hasDynamicOffset: true },
			});
		this.device.pushErrorScope("validation");
		const bindGroupLayout = this.device.createBindGroupLayout({ entries });
		const pipeline = this.device.createComputePipeline({
			label: key,
			layout: this.device.createPipelineLayout({
				bindGroupLayouts: [bindGroupLayout],
			}),
			compute: { module, entryPoint: entry, constants },
		});
		this.#pending.push(
			this.device.popErrorScope().then((error) => {
				if (error) this.#errors.push(`${key}: ${error.message}`);
			}),
		);
		const made = { layout, pipeline, bindGroupLayout, key };
		this.#pipelines.set(key, made);
		this.statistics.pipelines++;
		return made;
	}

	#module(shader: string) {
		const cached = this.#modules.get(shader);
		if (cached) return cached;
		const code = this.#shaders[shader];
		if (code === undefined) throw new Error(`there is no shader "${shader}"`);
		const made = {
			module: this.device.createShaderModule({
				label: `${shader}.wgsl`,
				code,
			}),
			layouts: reflect(shader, code),
		};
		this.#modules.set(shader, made);
		return made;
	}

	#bindGroup(
		key: string,
		layout: EntryLayout,
		bindGroupLayout: GPUBindGroupLayout,
		bindings: Readonly<Record<string, BufferView>>,
	): GPUBindGroup {
		const cached = this.#bindGroups.get(key);
		if (cached) return cached;
		const entries: GPUBindGroupEntry[] = layout.bindings.map((b) => {
			const { buffer, offset, bytes } = bindings[b.name];
			return {
				binding: b.binding,
				resource: {
					buffer: buffer.gpuBuffer,
					offset,
					// Whole vec4s: the pool's size classes always have the room.
					size: Math.ceil(bytes / 16) * 16,
				},
			};
		});
		if (layout.params)
			entries.push({
				binding: layout.params.binding,
				resource: { buffer: this.#uniforms, size: layout.params.size },
			});
		const group = this.device.createBindGroup({
			layout: bindGroupLayout,
			entries,
		});
		this.#bindGroups.set(key, group);
		for (const b of layout.bindings)
			bindings[b.name].buffer.bindGroupKeys.add(key);
		return group;
	}
}

/** Eight classes an octave: at most 12 % of a buffer is slack, and a step's sizes meet again. */
function sizeClass(bytes: number): number {
	const least = Math.max(bytes, 256);
	const step = 2 ** Math.max(8, Math.floor(Math.log2(least)) - 3);
	return Math.ceil(least / step) * step;
}

/**
 * Runs `fn` and gives back to the pool every tensor made inside it, but for those in its result (a tensor, an array or a plain
 * object of them), which pass to the enclosing scope. `fn` must not be async: a scope is over when it returns.
 */
export function scope<T>(gpu: Gpu, fn: () => T): T {
	const owned = new Set<Disposable>();
	gpu.scopes.push(owned);
	let result: T | undefined;
	try {
		result = fn();
		if (result instanceof Promise)
			throw new Error(
				"scope(): the function returned a promise; await outside of it",
			);
		return result;
	} finally {
		gpu.scopes.pop();
		const kept = new Set<unknown>();
		collect(result, kept);
		const parent = gpu.scopes.at(-1);
		for (const item of owned) {
			if (!kept.has(item)) item.dispose();
			else parent?.add(item);
		}
	}
}

function collect(value: unknown, into: Set<unknown>): void {
	if (value === null || typeof value !== "object") return;
	into.add(value);
	if (Array.isArray(value)) for (const item of value) collect(item, into);
	else if (Object.getPrototypeOf(value) === Object.prototype)
		for (const item of Object.values(value)) collect(item, into);
}
