import type { GpuStatistics } from "./gpu.ts";

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

/** Buffers that are taken and given back, and destroyed only when asked: V8 does not see device memory. */
export class BufferPool {
	readonly #device: GPUDevice;
	readonly #statistics: GpuStatistics;
	#free = new Map<number, PooledBuffer[]>();
	#all = new Map<number, PooledBuffer>();
	#nextId = 0;

	constructor(device: GPUDevice, statistics: GpuStatistics) {
		this.#device = device;
		this.#statistics = statistics;
	}

	/** A buffer of at least `bytes`, with undefined contents. Throws a RangeError that names `what` beyond the device's limits. */
	allocate(bytes: number, what: string): PooledBuffer {
		const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.limits;
		const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
		if (bytes > limit)
			throw new RangeError(
				`${what} needs ${bytes} bytes; this device allows ${limit} in one buffer`,
			);
		const capacity = sizeClass(bytes);
		const reusable = this.#free.get(capacity)?.pop();
		if (reusable) return reusable;
		const buffer: PooledBuffer = {
			id: this.#nextId++,
			gpuBuffer: this.#device.createBuffer({
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
		this.#statistics.buffersCreated++;
		this.#statistics.bytesAllocated += capacity;
		return buffer;
	}

	/** Gives a buffer back. Commands recorded before still see it: whatever reuses it is recorded after them. */
	release(buffer: PooledBuffer): void {
		const list = this.#free.get(buffer.capacity);
		if (list) list.push(buffer);
		else this.#free.set(buffer.capacity, [buffer]);
	}

	/** Destroys the buffers that wait, and returns the keys of the bind groups that named them. */
	trim(): string[] {
		const keys: string[] = [];
		for (const list of this.#free.values())
			for (const buffer of list) {
				keys.push(...buffer.bindGroupKeys);
				buffer.gpuBuffer.destroy();
				this.#all.delete(buffer.id);
				this.#statistics.bytesAllocated -= buffer.capacity;
			}
		this.#free.clear();
		return keys;
	}

	/** Destroys every buffer. */
	destroy(): void {
		for (const { gpuBuffer } of this.#all.values()) gpuBuffer.destroy();
	}
}

/** Eight classes an octave: at most 12 % of a buffer is slack, and a step's sizes meet again. */
function sizeClass(bytes: number): number {
	const least = Math.max(bytes, 256);
	const step = 2 ** Math.max(8, Math.floor(Math.log2(least)) - 3);
	return Math.ceil(least / step) * step;
}
