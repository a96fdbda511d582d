/** Bytes on the device in the course of a step. */
export interface StepMemory {
	/** The largest amount in use at any time, including what lives beside the training (other networks, data). */
	readonly peak: number;
	readonly parameters: number;
	readonly gradients: number;
	/** Adam's two. */
	readonly moments: number;
	/** The moving average of the weights; 0 where none is kept. */
	readonly average: number;
}

/** As a line for people. */
export function memoryLine(name: string, memory: StepMemory): string {
	const parts: [string, number][] = [
		["parameters", memory.parameters],
		["gradients", memory.gradients],
		["Adam's moments", memory.moments],
		["their average", memory.average],
	];
	const listed = parts.filter(([, bytes]) => bytes > 0);
	const rest = memory.peak - listed.reduce((sum, [, bytes]) => sum + bytes, 0);
	const show = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
	return `${name}: a step takes ${show(memory.peak)} of the device's memory: ${[
		...listed,
		["activations and the rest", rest] as const,
	]
		.map(([what, bytes]) => `${what} ${show(bytes)}`)
		.join(", ")}`;
}
