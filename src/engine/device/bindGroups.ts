import type { EntryLayout } from "../wgsl/kernel.ts";
import type { BufferView } from "./pool.ts";
import type { GpuStatistics } from "./statistics.ts";

/** Tells a binding from others in a group's key. Tensors of one size class share their groups. */
export const keyOf = ({ buffer, offset, bytes, whole }: BufferView): string =>
	whole ? `|${buffer.id}` : `|${buffer.id}:${offset}:${bytes}`;

/** What a bind group is made of. */
export interface BindGroupParts {
	readonly layout: EntryLayout;
	readonly bindGroupLayout: GPUBindGroupLayout;
	readonly bindings: Readonly<Record<string, BufferView>>;
	/** The buffer of all Params. */
	readonly uniforms: GPUBuffer;
}

/** A step of the largest network needs about 400. */
const MOST = 1024;

/**
 * Bind groups by what they bind, since making one costs more than a dispatch. The cache holds two generations of at most 1024 groups. A group that is found in the older one passes to the
 * younger; what was not used for a while is dropped with the older one.
 */
export class BindGroupCache {
	readonly #device: GPUDevice;
	readonly #statistics: GpuStatistics;
	#young = new Map<string, GPUBindGroup>();
	#old = new Map<string, GPUBindGroup>();

	constructor(device: GPUDevice, statistics: GpuStatistics) {
		this.#device = device;
		this.#statistics = statistics;
	}

	get(key: string, parts: BindGroupParts): GPUBindGroup {
		const cached = this.#young.get(key);
		if (cached) return cached;
		const group = this.#old.get(key) ?? make(this.#device, parts);
		this.#old.delete(key);
		if (this.#young.size === MOST) {
			this.#old = this.#young;
			this.#young = new Map();
		}
		this.#young.set(key, group);
		this.#count();
		return group;
	}

	clear(): void {
		this.#young.clear();
		this.#old.clear();
		this.#count();
	}

	#count(): void {
		this.#statistics.bindGroups = this.#young.size + this.#old.size;
	}
}

function make(
	device: GPUDevice,
	{ layout, bindGroupLayout, bindings, uniforms }: BindGroupParts,
): GPUBindGroup {
	const entries: GPUBindGroupEntry[] = layout.bindings.map((b) => {
		const { buffer, offset, bytes, whole } = bindings[b.name];
		// Whole vec4s: the pool's size classes always have the room.
		const size = whole ? buffer.capacity : Math.ceil(bytes / 16) * 16;
		return {
			binding: b.binding,
			resource: { buffer: buffer.gpuBuffer, offset, size },
		};
	});
	if (layout.params)
		entries.push({
			binding: layout.params.binding,
			resource: { buffer: uniforms, size: layout.params.size },
		});
	return device.createBindGroup({ layout: bindGroupLayout, entries });
}
