/** Errors that a device reports. WebGPU reports them later, by events and promises; here they become an exception at the next call or wait. */
export class DeviceFaults {
	readonly #device: GPUDevice;
	#errors: string[] = [];
	/** Resolves when the device has answered all that was asked so far. Answers are taken in the order of the questions, so that an error is reported before its consequences. */
	#answers: Promise<void> = Promise.resolve();
	#lost: string | null = null;
	readonly #onError = ({ error }: GPUUncapturedErrorEvent) => {
		this.#errors.push(error.message);
	};

	/** @param engine what messages call it */
	constructor(device: GPUDevice, engine: string) {
		this.#device = device;
		device.addEventListener("uncapturederror", this.#onError);
		device.lost.then((info) => {
			this.#lost = `device lost (${info.reason}): ${info.message.trim() || "no reason was given"}; all tensors of ${engine} are gone: open a new engine and go on from saved weights`;
		});
	}

	/** Throws what is known by now; an error once, a lost device always. */
	check(): void {
		if (this.#lost) throw new Error(`GPU: ${this.#lost}`);
		if (this.#errors.length > 0) {
			const message = this.#errors.join("\n");
			this.#errors.length = 0;
			throw new Error(`GPU: ${message}`);
		}
	}

	/** Waits for the answers to all that was watched. */
	async settle(): Promise<void> {
		await this.#answers;
	}

	/**
	 * Runs `act`; what the device finds wrong with it is thrown at the next wait, after `what`.
	 *
	 * @param explain says more of what was made than the device's message
	 */
	watch<T>(
		what: string,
		act: () => T,
		explain = async (_made: T, message: string) => message,
	): T {
		this.#device.pushErrorScope("validation");
		const result = act();
		const before = this.#answers;
		this.#answers = this.#device.popErrorScope().then(
			async (error) => {
				const message = error && (await explain(result, error.message));
				await before;
				if (error) this.#errors.push(`${what}: ${message}`);
			},
			() => before, // of a lost device, which says so itself
		);
		return result;
	}

	/** Of a device that goes on without the engine. */
	close(): void {
		this.#device.removeEventListener("uncapturederror", this.#onError);
	}
}
