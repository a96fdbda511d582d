import type { Disposable } from "../basics/scope.ts";
import { BindGroupCache } from "./bindGroups.ts";
import {
	checkDispatch,
	checkOwner,
	type Dispatch,
	readWhereWritten,
} from "./checkDispatch.ts";
import { type Limits, lanesOf, limitsOf } from "./deviceFacts.ts";
import { DeviceFaults } from "./faults.ts";
import { useOnce } from "./firstUse.ts";
import type { GpuOptions } from "./gpuOptions.ts";
import { GrowthWatch } from "./growth.ts";
import { PipelineCache, type PipelineChoice } from "./pipelines.ts";
import { BufferPool, type BufferView, type PooledBuffer } from "./pool.ts";
import { type ProfileRow, Profiler } from "./profiler.ts";
import { stage } from "./readback.ts";
import { Recorder } from "./recorder.ts";
import { noStatistics } from "./statistics.ts";
import { Tuner } from "./tuner.ts";

/**
 * The device and everything that is paid for once: compiled pipelines, bind groups, pooled buffers, and the command encoder
 * that a whole training step is recorded into.
 */

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
	readonly statistics = noStatistics();
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
	#recorder: Recorder;
	#profiler: Profiler | null;
	#faults: DeviceFaults;
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
		this.#profiler = options.profile ? new Profiler(device) : null;
		this.#recorder = new Recorder(
			device,
			this.statistics,
			this.#faults,
			this.#profiler,
		);
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
	upload(view: BufferView, data: Float32Array): void {
		this.#check();
		checkOwner("upload", { view }, this.#pool);
		if (view.buffer.usedIn === this.#recorder.serial) this.flush();
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
		checkOwner("clear", { view }, this.#pool);
		view.buffer.usedIn = this.#recorder.serial;
		this.#commands().clearBuffer(
			view.buffer.gpuBuffer,
			view.offset,
			view.bytes,
		);
	}

	/** Copies on the device. */
	copy(from: BufferView, to: BufferView): void {
		checkOwner("copy", { from, to }, this.#pool);
		if (this.rehearsed) return;
		if (from.buffer === to.buffer) {
			// WebGPU does not copy within a buffer.
			const between = this.#copied(from);
			this.copy(between, to);
			this.release(between.buffer);
			return;
		}
		from.buffer.usedIn = this.#recorder.serial;
		to.buffer.usedIn = this.#recorder.serial;
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
		const { bindings, params = {}, workgroups } = dispatch;
		const pool = this.#pool;
		const pipeline = this.#pipelines.get(dispatch);
		const { layout } = pipeline;
		const limit = this.limits.workgroups;
		const key = checkDispatch(dispatch, pipeline, pool, limit);
		const shared = readWhereWritten(layout, bindings);
		if (shared.length > 0) {
			const copies = Object.fromEntries(
				shared.map((name) => [name, this.#copied(bindings[name])]),
			);
			this.run({ ...dispatch, bindings: { ...bindings, ...copies } });
			for (const { buffer } of Object.values(copies)) this.release(buffer);
			return;
		}
		const recorder = this.#recorder;
		if (recorder.isFull) this.flush();
		for (const { name } of layout.bindings)
			bindings[name].buffer.usedIn = recorder.serial;
		const parts = { ...pipeline, bindings, uniforms: recorder.uniforms };
		const group = this.#bindGroups.get(key, parts);
		recorder.dispatch(pipeline, params, group, workgroups);
	}

	/** Compiles pipelines, several at once. */
	async compile(choices: readonly PipelineChoice[]): Promise<void> {
		this.#check();
		const pipelines = this.#pipelines;
		const made = await this.#wait(pipelines.compile(choices));
		const own = { device: this.device, pipelines };
		if (this.#helpers) await this.#wait(useOnce(own, made, this.#helpers));
		await this.#settle();
	}

	/** Submits what has been recorded. */
	flush(): void {
		if (!this.#recorder.submit()) return;
		const { serial } = this.#recorder;
		if (serial % SWEEP === 0) this.#pool.trim(serial - STALE);
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
		checkOwner("read", { view }, this.#pool);
		this.growth.after("read", this.statistics.bytesLive);
		const staging = stage(this.device, this.#commands(), view);
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
		this.#recorder.dispose();
		this.#faults.close();
		// Whoever still holds a disposed engine holds little.
		for (const kept of [this.#pipelines, this.#bindGroups]) kept.clear();
		if (!this.#keepDevice) this.device.destroy();
	}

	#commands(): GPUCommandEncoder {
		this.#check();
		return this.#recorder.encoder;
	}

	#check(): void {
		if (this.#disposed) throw new Error("this Gpu has been disposed");
		this.#faults.check();
	}

	async #settle(): Promise<void> {
		await this.#faults.settle();
		this.#check();
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
