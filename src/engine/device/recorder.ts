import { type ParamValue, writeParams } from "../wgsl/kernel.ts";
import { PARAMS_BYTES } from "../wgsl/reflect.ts";
import type { DeviceFaults } from "./faults.ts";
import type { Pipeline } from "./pipelines.ts";
import type { Profiler } from "./profiler.ts";
import type { GpuStatistics } from "./statistics.ts";

const SLOT = PARAMS_BYTES; // minUniformBufferOffsetAlignment of the default limits
const SLOTS = 1024;

/** What is recorded and not yet submitted: a command encoder, its open pass, and the parameters of all its dispatches. A whole training step goes into one encoder. */
export class Recorder {
	/** Of the encoder that is open or comes next; from 1. */
	serial = 1;
	/** The parameters of all dispatches, each in a slot of its own. */
	readonly uniforms: GPUBuffer;
	readonly #device: GPUDevice;
	readonly #statistics: GpuStatistics;
	readonly #faults: DeviceFaults;
	readonly #profiler: Profiler | null;
	#encoder: GPUCommandEncoder | null = null;
	#pass: GPUComputePassEncoder | null = null;
	#data = new ArrayBuffer(SLOT * SLOTS);
	#view = new DataView(this.#data);
	#slot = 0;
	/** Keys of the pipelines. */
	#pipelines = new Set<string>();

	constructor(
		device: GPUDevice,
		statistics: GpuStatistics,
		faults: DeviceFaults,
		profiler: Profiler | null,
	) {
		this.#device = device;
		this.#statistics = statistics;
		this.#faults = faults;
		this.#profiler = profiler;
		this.uniforms = device.createBuffer({
			label: "params",
			size: SLOT * SLOTS,
			usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
		});
	}

	/** No further dispatch has a place for its parameters before a submit. */
	get isFull(): boolean {
		return this.#slot === SLOTS;
	}

	/** For what is no dispatch: copies and clears. */
	get encoder(): GPUCommandEncoder {
		this.#pass?.end();
		this.#pass = null;
		this.#encoder ??= this.#device.createCommandEncoder();
		return this.#encoder;
	}

	/** Throws where a parameter is missing or unknown. */
	dispatch(
		{ layout, pipeline, key }: Pipeline,
		params: Readonly<Record<string, ParamValue>>,
		group: GPUBindGroup,
		[x, y, z]: readonly [number, number?, number?],
	): void {
		const place = SLOT * this.#slot;
		if (layout.params) {
			writeParams(layout, params, this.#view, place);
			this.#slot++;
		}
		if (!this.#pass) {
			this.#encoder ??= this.#device.createCommandEncoder();
			this.#pass = this.#encoder.beginComputePass(this.#profiler?.pass(key));
			this.#statistics.passes++;
		}
		this.#pass.setPipeline(pipeline);
		this.#pass.setBindGroup(0, group, layout.params ? [place] : []);
		this.#pass.dispatchWorkgroups(x, y, z);
		this.#pipelines.add(key);
		this.#statistics.dispatches++;
		if (this.#profiler) {
			this.#pass.end();
			this.#pass = null;
		}
	}

	/** Whether there was anything to submit. */
	submit(): boolean {
		const encoder = this.#encoder;
		if (!encoder) return false;
		this.#pass?.end();
		this.#pass = null;
		this.#profiler?.resolve(encoder);
		if (this.#slot > 0)
			this.#device.queue.writeBuffer(
				this.uniforms,
				0,
				this.#data,
				0,
				this.#slot * SLOT,
			);
		const ops = [...this.#pipelines].join(" ");
		this.#faults.watch(`a submission was dropped, with ${ops}`, () =>
			this.#device.queue.submit([encoder.finish()]),
		);
		this.#pipelines.clear();
		this.#encoder = null;
		this.#slot = 0;
		this.serial++;
		this.#statistics.submits++;
		return true;
	}

	/** Whoever still holds a disposed engine holds little. */
	dispose(): void {
		this.uniforms.destroy();
		this.#data = new ArrayBuffer(0);
		this.#view = new DataView(this.#data);
	}
}
