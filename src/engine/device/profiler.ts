/** Times passes by the device's own clock. */

export interface ProfileRow {
	/** Shader, entry point and constants. */
	readonly pipeline: string;
	readonly dispatches: number;
	readonly milliseconds: number;
}

/** Passes between two submits that are timed; later ones of the same submit are not. */
const PASSES = 2048;

export class Profiler {
	readonly #device: GPUDevice;
	readonly #queries: GPUQuerySet;
	readonly #resolved: GPUBuffer;
	#names: string[] = [];
	#pending: Promise<void>[] = [];
	#rows = new Map<string, { dispatches: number; milliseconds: number }>();

	constructor(device: GPUDevice) {
		this.#device = device;
		this.#queries = device.createQuerySet({
			type: "timestamp",
			count: 2 * PASSES,
		});
		this.#resolved = device.createBuffer({
			size: 16 * PASSES,
			usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
		});
	}

	/** What beginComputePass() takes to time a pass. */
	pass(name: string): GPUComputePassDescriptor | undefined {
		if (this.#names.length === PASSES) return undefined;
		const index = 2 * this.#names.length;
		this.#names.push(name);
		return {
			timestampWrites: {
				querySet: this.#queries,
				beginningOfPassWriteIndex: index,
				endOfPassWriteIndex: index + 1,
			},
		};
	}

	/** Records the copy of this encoder's times; they are read when it has been submitted. */
	resolve(encoder: GPUCommandEncoder): void {
		const names = this.#names;
		this.#names = [];
		if (names.length === 0) return;
		const size = 16 * names.length;
		const staging = this.#device.createBuffer({
			size,
			usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
		});
		encoder.resolveQuerySet(
			this.#queries,
			0,
			2 * names.length,
			this.#resolved,
			0,
		);
		encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
		const read = async () => {
			await Promise.resolve(); // the submit comes first
			await staging.mapAsync(GPUMapMode.READ);
			const times = new BigUint64Array(staging.getMappedRange());
			names.forEach((name, i) => {
				const row = this.#rows.get(name) ?? { dispatches: 0, milliseconds: 0 };
				row.dispatches++;
				row.milliseconds += Number(times[2 * i + 1] - times[2 * i]) / 1e6;
				this.#rows.set(name, row);
			});
			staging.destroy();
		};
		this.#pending.push(read());
	}

	async take(): Promise<ProfileRow[]> {
		await Promise.all(this.#pending.splice(0));
		const rows = [...this.#rows].map(([pipeline, row]) => ({
			pipeline,
			...row,
		}));
		this.#rows.clear();
		return rows.sort((a, b) => b.milliseconds - a.milliseconds);
	}
}
