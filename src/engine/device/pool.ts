import type { GpuStatistics } from "./statistics.ts";

/** A device buffer of the pool. */
export interface PooledBuffer {
	/** Unique among all engines. */
	readonly id: number;
	/** The pool, and so the engine, that the buffer is of. */
	readonly owner: BufferPool;
	readonly gpuBuffer: GPUBuffer;
	readonly capacity: number;
	/** Serial of the last encoder that names this buffer: an upload must not overtake commands not yet submitted. */
	usedIn: number;
}

/** A range of a buffer, in bytes. */
export interface BufferView {
	readonly buffer: PooledBuffer;
	readonly offset: number;
	readonly bytes: number;
	/** Nothing else lies in the buffer: it may be bound up to its end. */
	readonly whole?: boolean;
}

let nextId = 0;

/** Buffers that are taken and given back, and destroyed only when asked: V8 does not see device memory. */
export class BufferPool {
	/** What messages call the engine. */
	readonly engine: string;
	readonly #device: GPUDevice;
	/** Bytes of the largest buffer, a multiple of 256. */
	readonly #most: number;
	readonly #statistics: GpuStatistics;
	#free = new Map<number, PooledBuffer[]>();
	#all = new Map<number, PooledBuffer>();

	constructor(
		engine: string,
		device: GPUDevice,
		most: number,
		statistics: GpuStatistics,
	) {
		this.engine = engine;
		this.#device = device;
		this.#most = most;
		this.#statistics = statistics;
	}

	/** A buffer of at least `bytes`, with undefined contents. Throws a RangeError that names `what` beyond the device's limits. */
	allocate(bytes: number, what: string): PooledBuffer {
		const limit = this.#most;
		if (bytes > limit)
			throw new RangeError(
				`${what} needs ${bytes} bytes; this device allows ${limit} in one buffer`,
			);
		const capacity = Math.min(sizeClass(bytes), limit);
		const statistics = this.#statistics;
		statistics.bytesLive += capacity;
		statistics.bytesPeak = Math.max(statistics.bytesPeak, statistics.bytesLive);
		const reusable = this.#free.get(capacity)?.pop();
		if (reusable) return reusable;
		const buffer: PooledBuffer = {
			id: nextId++,
			owner: this,
			gpuBuffer: this.#device.createBuffer({
				size: capacity,
				usage:
					GPUBufferUsage.STORAGE |
					GPUBufferUsage.COPY_SRC |
					GPUBufferUsage.COPY_DST,
			}),
			capacity,
			usedIn: 0,
		};
		this.#all.set(buffer.id, buffer);
		statistics.buffersCreated++;
		statistics.bytesAllocated += capacity;
		return buffer;
	}

	/** Gives a buffer back. Commands recorded before still see it: whatever reuses it is recorded after them. */
	release(buffer: PooledBuffer): void {
		this.#statistics.bytesLive -= buffer.capacity;
		const list = this.#free.get(buffer.capacity);
		if (list) list.push(buffer);
		else this.#free.set(buffer.capacity, [buffer]);
	}

	/** Destroys the buffers that wait and were not used since the encoder `before`; by default all. */
	trim(before = Number.POSITIVE_INFINITY): void {
		for (const [capacity, list] of this.#free) {
			const kept = list.filter(({ usedIn }) => usedIn >= before);
			for (const buffer of list) {
				if (buffer.usedIn >= before) continue;
				buffer.gpuBuffer.destroy();
				this.#all.delete(buffer.id);
				this.#statistics.bytesAllocated -= buffer.capacity;
			}
			this.#free.set(capacity, kept);
		}
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
