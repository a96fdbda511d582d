import { BindGroupCache, keyOf } from "./bindGroups.ts";
import { type Limits, lanesOf, limitsOf } from "./deviceFacts.ts";
import { DeviceFaults } from "./faults.ts";
import { useOnce } from "./firstUse.ts";
import { GrowthWatch } from "./growth.ts";
import { type EntryLayout, type ParamValue, writeParams } from "./kernel.ts";
import { PipelineCache, type PipelineChoice } from "./pipelines.ts";
import { BufferPool, type BufferView, type PooledBuffer } from "./pool.ts";
import { type ProfileRow, Profiler } from "./profiler.ts";
import { PARAMS_BYTES } from "./reflect.ts";
import type { Disposable } from "./scope.ts";
import type { GpuStatistics } from "./statistics.ts";
import { Tuner } from "./tuner.ts";

/**
 * The device and everything that is paid for once: compiled pipelines, bind groups, pooled buffers, and the command encoder
 * that a whole training step is recorded into.
 */

export interface GpuOptions {
	/** WGSL sources by name, e.g. `{conv: "..."}`. */
	readonly shaders: Readonly<Record<string, string>>;
	/** Shown to users and written to reports. */
	readonly adapterName?: string;
	/** The adapter runs on the CPU: kernels that keep their tiles in registers are chosen. */
	readonly software?: boolean;
	/** Chooses between variants of kernels; by default one that remembers nothing. */
	readonly tuner?: Tuner;
	/** Convolutions take the matrix units, which multiply f16 and sum f32. Needs a device of what src/node/device/matrix.ts lists. */
	readonly matrix?: boolean;
	/** The device is someone else's: dispose() frees what was made on it and leaves the device. */
	readonly keepDevice?: boolean;
	/** Where the driver makes machine code at a pipeline's first dispatch, and keeps it for all devices: opens others, that make some of it for compile(). */
	readonly helpers?: () => Promise<readonly GPUDevice[]>;
	/** How to wait for what the device promises; by default as for any promise. */
	readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
	/** Time every dispatch on the device, for profile(); each then gets a pass of its own. Needs the feature timestamp-query. */
	readonly profile?: boolean;
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

const SLOT = PARAMS_BYTES; // minUniformBufferOffsetAlignment of the default limits
const SLOTS = 1024;

/** Submissions after which a buffer that nobody took is destroyed, and how often that is looked for. */
const STALE = 1024;
const SWEEP = 256;

/** Engines made so far. */
let engines = 0;

export class Gpu {
	readonly device: GPUDevice;
	readonly adapterName: string;
	/** Tells this engine from others in messages: "engine 2 (llvmpipe)". */
	readonly name: string;
	readonly software: boolean;
	readonly limits: Limits;
	/** Threads that share what they load on a software adapter; 0 on others. */
	readonly lanes: number;
	readonly tuner: Tuner;
	readonly matrix: boolean;
	readonly statistics: GpuStatistics = {
		dispatches: 0,
		passes: 0,
		submits: 0,
		buffersCreated: 0,
		bytesAllocated: 0,
		bytesLive: 0,
		bytesPeak: 0,
		pipelines: 0,
		bindGroups: 0,
		flop: 0,
	};
	/** Open scopes, innermost last (see scope()). */
	readonly scopes: Set<Disposable>[] = [];
	/** Where tensors are that no scope frees. */
	readonly growth = new GrowthWatch();
	/** False inside noGrad(): operations leave nothing on the tape. */
	gradEnabled = true;
	/** Orders the nodes of the tape. */
	nextNode = 0;
	/** What would have been run, while compile() rehearses; null otherwise. */
	rehearsed: PipelineChoice[] | null = null;

	#pipelines: PipelineCache;
	#bindGroups: BindGroupCache;
	#pool: BufferPool;
	#encoder: GPUCommandEncoder | null = null;
	#pass: GPUComputePassEncoder | null = null;
	#serial = 1;
	#uniforms: GPUBuffer;
	#uniformData = new ArrayBuffer(SLOT * SLOTS);
	#uniformView = new DataView(this.#uniformData);
	#slot = 0;
	#profiler: Profiler | null = null;
	#faults: DeviceFaults;
	/** Pipelines of what has been recorded and not submitted. */
	#recorded = new Set<string>();
	#disposed = false;
	#keepDevice: boolean;
	#wait: NonNullable<GpuOptions["wait"]>;
	#helpers: GpuOptions["helpers"];

	constructor(device: GPUDevice, options: GpuOptions) {
		this.device = device;
		this.adapterName = options.adapterName ?? "unknown adapter";
		this.limits = limitsOf(device);
		this.lanes = options.software ? lanesOf(device) : 0;
		this.name = `engine ${++engines} (${this.adapterName})`;
		this.#faults = new DeviceFaults(device, this.name);
		this.#pool = new BufferPool(
			this.name,
			device,
			this.limits.bufferBytes,
			this.statistics,
		);
		this.#bindGroups = new BindGroupCache(device, this.statistics);
		this.software = options.software ?? false;
		this.tuner = options.tuner ?? new Tuner();
		this.matrix = options.matrix ?? false;
		this.#pipelines = new PipelineCache(
			device,
			options.shaders,
			this.statistics,
			this.#faults,
		);
		this.#uniforms = device.createBuffer({
			label: "params",
			size: SLOT * SLOTS,
			usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
		});
		if (options.profile) this.#profiler = new Profiler(device);
		this.#keepDevice = options.keepDevice ?? false;
		this.#helpers = options.helpers;
		this.#wait = options.wait ?? ((promise) => promise);
	}

	/** Takes a buffer of at least `bytes` from the pool, for `what`. Throws a RangeError beyond the device's limits. */
	allocate(bytes: number, what: string): PooledBuffer {
		this.#check();
		return this.#pool.allocate(bytes, what);
	}

	/** Gives a buffer back to the pool. */
	release(buffer: PooledBuffer): void {
		this.#pool.release(buffer);
	}

	/** Destroys all buffers that wait in the pool. */
	trim(): void {
		this.flush();
		this.#pool.trim();
		this.#bindGroups.clear();
	}

	/** Copies host data into a buffer, in order with the commands recorded so far. */
	upload(view: BufferView, data: Float32Array | Uint32Array): void {
		this.#check();
		this.#own("upload", { view });
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
		this.#own("clear", { view });
		view.buffer.usedIn = this.#serial;
		this.#commands().clearBuffer(
			view.buffer.gpuBuffer,
			view.offset,
			view.bytes,
		);
	}

	/** Copies on the device. */
	copy(from: BufferView, to: BufferView): void {
		this.#own("copy", { from, to });
		if (this.rehearsed) return;
		if (from.buffer === to.buffer) {
			// WebGPU does not copy within a buffer.
			const between = this.#copied(from);
			this.copy(between, to);
			this.release(between.buffer);
			return;
		}
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
	 * are checked against the device's limits. Where a buffer that is read is also written, what is read is a copy. Throws with the shader's name.
	 */
	run(dispatch: Dispatch): void {
		this.#check();
		if (this.rehearsed) {
			this.rehearsed.push(dispatch);
			return;
		}
		const { shader, entry, bindings, workgroups } = dispatch;
		const { layout, pipeline, bindGroupLayout, key } =
			this.#pipelines.get(dispatch);
		if (!Array.isArray(workgroups))
			throw new TypeError(
				`${shader}.wgsl ${entry}: workgroups is ${String(workgroups)}, expected [x], [x, y] or [x, y, z]`,
			);
		const [x, y = 1, z = 1] = workgroups;
		const limit = this.limits.workgroups;
		if (!(x > 0 && y > 0 && z > 0 && Math.max(x, y, z) <= limit))
			throw new RangeError(
				`${shader}.wgsl ${entry}, ${describe(bindings)}: ${x} x ${y} x ${z} workgroups; this device allows 1 to ${limit} a dimension`,
			);
		let groupKey = key;
		let named = 0;
		for (const { name } of layout.bindings) {
			const view = bindings[name];
			if (!view)
				throw new Error(
					`${shader}.wgsl ${entry}: binding "${name}" is missing${Object.keys(
						bindings,
					)
						.filter((given) => !layout.bindings.some((b) => b.name === given))
						.map((given) => `; there is none "${given}"`)
						.join("")}`,
				);
			if (!view.buffer?.gpuBuffer)
				throw new TypeError(
					`${shader}.wgsl ${entry}: binding "${name}" is no tensor; tensor() makes one of numbers`,
				);
			named++;
			groupKey += keyOf(view);
		}
		if (named !== Object.keys(bindings).length) {
			const extra = Object.keys(bindings).filter(
				(name) => !layout.bindings.some((b) => b.name === name),
			);
			throw new Error(
				`${shader}.wgsl ${entry}: unknown binding "${extra.join('", "')}"`,
			);
		}
		this.#own(`${shader}.wgsl ${entry}`, bindings);
		const copies = this.#copiesOfWritten(layout, bindings);
		if (copies) {
			this.run({ ...dispatch, bindings: { ...bindings, ...copies } });
			for (const { buffer } of Object.values(copies)) this.release(buffer);
			return;
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
			this.#pass = this.#encoder.beginComputePass(this.#profiler?.pass(key));
			this.statistics.passes++;
		}
		this.#pass.setPipeline(pipeline);
		const uniforms = this.#uniforms;
		const parts = { layout, bindGroupLayout, bindings, uniforms };
		this.#pass.setBindGroup(
			0,
			this.#bindGroups.get(groupKey, parts),
			layout.params ? [slot * SLOT] : [],
		);
		this.#pass.dispatchWorkgroups(x, y, z);
		this.#recorded.add(key);
		this.statistics.dispatches++;
		if (this.#profiler) this.#commands();
	}

	/** Compiles pipelines, several at once. */
	async compile(choices: readonly PipelineChoice[]): Promise<void> {
		this.#check();
		const pipelines = this.#pipelines;
		const made = await this.#wait(pipelines.compile(choices));
		const open = this.#helpers;
		if (open) {
			const helpers = async () =>
				(await open()).map((device) => ({
					device,
					pipelines: pipelines.on(device),
				}));
			const own = { device: this.device, pipelines };
			await this.#wait(useOnce(own, made, helpers));
		}
		await this.#settle();
	}

	/** Submits what has been recorded. */
	flush(): void {
		const encoder = this.#encoder;
		if (!encoder) return;
		this.#pass?.end();
		this.#pass = null;
		this.#profiler?.resolve(encoder);
		if (this.#slot > 0)
			this.device.queue.writeBuffer(
				this.#uniforms,
				0,
				this.#uniformData,
				0,
				this.#slot * SLOT,
			);
		const ops = [...this.#recorded].join(" ");
		this.#faults.watch(`a submission was dropped, with ${ops}`, () =>
			this.device.queue.submit([encoder.finish()]),
		);
		this.#recorded.clear();
		this.#encoder = null;
		this.#slot = 0;
		this.#serial++;
		this.statistics.submits++;
		if (this.#serial % SWEEP === 0) this.#pool.trim(this.#serial - STALE);
	}

	/**
	 * Milliseconds on the device and number of dispatches since the last call, by pipeline (shader, entry point and constants), the longest first.
	 * Throws unless the Gpu was made with `profile`.
	 */
	async profile(): Promise<ProfileRow[]> {
		if (!this.#profiler)
			throw new Error("profile(): this Gpu was made without `profile`");
		await this.idle();
		return this.#profiler.take();
	}

	/** Submits and waits until the device has done everything; throws any error it reported since the last wait. */
	async idle(): Promise<void> {
		this.flush();
		await this.#wait(this.device.queue.onSubmittedWorkDone());
		await this.#settle();
	}

	/** Reads a range back as floats; throws any error that the device reported since the last wait. */
	async read(view: BufferView): Promise<Float32Array> {
		this.#check();
		if (this.rehearsed)
			throw new Error("compile(): its function computes nothing to be read");
		this.#own("read", { view });
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
			await this.#wait(staging.mapAsync(GPUMapMode.READ));
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

	/** Frees every buffer and, unless it is someone else's, the device. */
	dispose(): void {
		this.#disposed = true;
		this.#pool.destroy();
		this.#uniforms.destroy();
		this.#faults.close();
		// Whoever still holds a disposed engine holds little.
		for (const kept of [this.#pipelines, this.#bindGroups]) kept.clear();
		this.#uniformData = new ArrayBuffer(0);
		if (!this.#keepDevice) this.device.destroy();
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
		this.#faults.check();
	}

	async #settle(): Promise<void> {
		await this.#faults.settle();
		this.#check();
	}

	/** Throws unless all buffers are this engine's. */
	#own(where: string, views: Readonly<Record<string, BufferView>>): void {
		for (const name in views) {
			const { owner } = views[name].buffer;
			if (owner !== this.#pool)
				throw new Error(
					`${where}: ${describe({ [`"${name}"`]: views[name] })} belongs to ${owner.engine}, not to ${this.name}, which runs this; engines do not share tensors`,
				);
		}
	}

	/** Copies of the bindings that are only read and lie in a buffer that another binding writes, which WebGPU refuses; null for none. */
	#copiesOfWritten(
		layout: EntryLayout,
		bindings: Readonly<Record<string, BufferView>>,
	): Record<string, BufferView> | null {
		let copies: Record<string, BufferView> | null = null;
		for (const write of layout.bindings) {
			if (!write.writable) continue;
			const { buffer } = bindings[write.name];
			for (const { name, writable } of layout.bindings)
				if (!writable && bindings[name].buffer === buffer) {
					copies ??= {};
					copies[name] ??= this.#copied(bindings[name]);
				}
		}
		return copies;
	}

	/** A copy of a range, in a buffer of its own. */
	#copied(view: BufferView): BufferView {
		const { bytes } = view;
		const buffer = this.allocate(bytes, "a copy");
		const copy = { buffer, offset: 0, bytes };
		this.copy(view, copy);
		return copy;
	}
}

/** Names and shapes of what a dispatch binds: "x [2, 3], y [2]". */
function describe(bindings: Readonly<Record<string, BufferView>>): string {
	return Object.entries(bindings)
		.map(([name, view]) => {
			const { shape } = view as { shape?: readonly number[] };
			return shape ? `${name} [${shape.join(", ")}]` : name;
		})
		.join(", ");
}
