import { nearest } from "../basics/nearest.ts";
import type { EntryLayout, Layouts } from "../wgsl/kernel.ts";
import { reflect } from "../wgsl/reflect.ts";
import { originOf } from "../wgsl/shaderParts.ts";
import { DeviceFaults } from "./faults.ts";
import type { GpuStatistics } from "./statistics.ts";

/** A compiled entry point with its constants. */
export interface Pipeline {
	readonly layout: EntryLayout;
	readonly pipeline: GPUComputePipeline;
	readonly bindGroupLayout: GPUBindGroupLayout;
	/** Shader, entry point and constants. */
	readonly key: string;
}

/** Which pipeline a dispatch wants. */
export interface PipelineChoice {
	readonly shader: string;
	readonly entry: string;
	readonly constants?: Readonly<Record<string, number>>;
}

/** Shader modules and pipelines, each compiled once. */
export class PipelineCache {
	readonly #device: GPUDevice;
	readonly #shaders: Readonly<Record<string, string>>;
	readonly #statistics: GpuStatistics;
	readonly #faults: DeviceFaults;
	#modules = new Map<string, { module: GPUShaderModule; layouts: Layouts }>();
	#pipelines = new Map<string, Pipeline>();

	constructor(
		device: GPUDevice,
		shaders: Readonly<Record<string, string>>,
		statistics: GpuStatistics,
		faults: DeviceFaults,
	) {
		this.#device = device;
		this.#shaders = shaders;
		this.#statistics = statistics;
		this.#faults = faults;
	}

	clear(): void {
		this.#modules.clear();
		this.#pipelines.clear();
	}

	/** Throws where the shader, its entry point or a constant of it is unknown. */
	get(choice: PipelineChoice): Pipeline {
		const key = keyOf(choice);
		const cached = this.#pipelines.get(key);
		if (cached) return cached;
		const { layout, entries, compute } = this.#described(choice);
		return this.#keep(
			key,
			this.#faults.watch(key, () => {
				const group = this.#device.createBindGroupLayout({ entries });
				const pipeline = this.#device.createComputePipeline(
					this.#descriptor(key, group, compute),
				);
				return { layout, pipeline, bindGroupLayout: group, key };
			}),
		);
	}

	/** What has been compiled; undefined of others. */
	find(choice: PipelineChoice): Pipeline | undefined {
		return this.#pipelines.get(keyOf(choice));
	}

	/** An empty cache for the same shaders on another device. */
	on(device: GPUDevice): PipelineCache {
		const faults = new DeviceFaults(device, "a helper");
		return new PipelineCache(
			device,
			this.#shaders,
			{ ...this.#statistics },
			faults,
		);
	}

	/**
	 * Compiles those that are not there yet, as many at once as the device can, and returns them. Where one cannot be compiled nothing is said here: get() throws the reason when it is needed.
	 */
	async compile(choices: readonly PipelineChoice[]): Promise<PipelineChoice[]> {
		const wanted = new Map(choices.map((choice) => [keyOf(choice), choice]));
		for (const key of this.#pipelines.keys()) wanted.delete(key);
		await Promise.allSettled(
			[...wanted].map(async ([key, choice]) => {
				const { layout, entries, compute } = this.#described(choice);
				const group = this.#device.createBindGroupLayout({ entries });
				const pipeline = await this.#device.createComputePipelineAsync(
					this.#descriptor(key, group, compute),
				);
				if (!this.#pipelines.has(key))
					this.#keep(key, { layout, pipeline, bindGroupLayout: group, key });
			}),
		);
		return [...wanted.values()];
	}

	#keep(key: string, made: Pipeline): Pipeline {
		this.#pipelines.set(key, made);
		this.#statistics.pipelines++;
		return made;
	}

	#descriptor(
		label: string,
		group: GPUBindGroupLayout,
		compute: GPUProgrammableStage,
	): GPUComputePipelineDescriptor {
		const layout = this.#device.createPipelineLayout({
			bindGroupLayouts: [group],
		});
		return { label, layout, compute };
	}

	/** What the device is told of a pipeline. */
	#described({ shader, entry, constants = {} }: PipelineChoice) {
		const { module, layouts } = this.#module(shader);
		const layout = layouts[entry];
		if (!layout)
			throw new Error(
				`${shader}.wgsl has no entry point "${entry}", only ${Object.keys(layouts).join(", ")}`,
			);
		for (const name in constants)
			if (!layout.overrides.includes(name))
				throw new Error(
					`${shader}.wgsl has no override "${name}"; it has ${layout.overrides.join(", ") || "none"}`,
				);
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
		return {
			layout,
			entries,
			compute: { module, entryPoint: entry, constants },
		};
	}

	#module(shader: string) {
		const cached = this.#modules.get(shader);
		if (cached) return cached;
		const code = this.#shaders[shader];
		if (code === undefined)
			throw new Error(
				`gpu.run(): there is no shader "${shader}"; the nearest names are ${nearest(shader, Object.keys(this.#shaders)).join(", ")} (createEngine({ shaders }) adds some)`,
			);
		const made = {
			module: this.#faults.watch(
				`${shader}.wgsl`,
				() =>
					this.#device.createShaderModule({ label: `${shader}.wgsl`, code }),
				async (module, message) =>
					(await placesOfErrors(shader, code, module)) || message,
			),
			layouts: reflect(shader, code),
		};
		this.#modules.set(shader, made);
		return made;
	}
}

function keyOf({ shader, entry, constants = {} }: PipelineChoice): string {
	let key = `${shader}/${entry}`;
	for (const name in constants) key += `,${name}=${constants[name]}`;
	return key;
}

/** What the compiler found wrong, each with its file and line: of a part that the shader imports, where it lies in one. */
export async function placesOfErrors(
	shader: string,
	code: string,
	module: GPUShaderModule,
): Promise<string> {
	const { messages } = await module.getCompilationInfo();
	return messages
		.filter(({ type }) => type === "error")
		.map(
			({ lineNum, linePos, message }) =>
				`${originOf(shader, code, lineNum)}:${linePos}: ${message}`,
		)
		.join("\n");
}
