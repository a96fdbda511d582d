import type { EntryLayout } from "./kernel.ts";
import type { BufferView } from "./pool.ts";

/** What a bind group is made of. */
export interface BindGroupParts {
	readonly layout: EntryLayout;
	readonly bindGroupLayout: GPUBindGroupLayout;
	readonly bindings: Readonly<Record<string, BufferView>>;
	/** The buffer of all Params. */
	readonly uniforms: GPUBuffer;
}

/** More than a step of the largest network needs. */
const MOST = 4096;

/**
 * Bind groups by what they bind, since one costs more than a dispatch. Of those that were not used for a while the cache lets go: it holds two generations of
 * at most 4096, and what is found in the older one passes to the younger.
 */
export class BindGroupCache {
	readonly #device: GPUDevice;
	#young = new Map<string, GPUBindGroup>();
	#old = new Map<string, GPUBindGroup>();

	constructor(device: GPUDevice) {
		this.#device = device;
	}

	get size(): number {
		return this.#young.size + this.#old.size;
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
		return group;
	}

	clear(): void {
		this.#young.clear();
		this.#old.clear();
	}
}

function make(
	device: GPUDevice,
	{ layout, bindGroupLayout, bindings, uniforms }: BindGroupParts,
): GPUBindGroup {
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
			resource: { buffer: uniforms, size: layout.params.size },
		});
	return device.createBindGroup({ layout: bindGroupLayout, entries });
}
