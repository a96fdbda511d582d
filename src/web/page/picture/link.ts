/** What linked views have in common. Places are relative to each field's own centre, in the units of the axes. */
export class Link {
	/** Of what is shown: its centre, and half its longer side; null shows all. */
	part: { x: number; y: number; half: number } | null = null;
	/** Colour scales reach to their range over this. */
	contrast = 1;
	/** Where the pointer is. */
	cursor: { x: number; y: number } | null = null;
	#listeners = new Set<() => void>();
	#pending = false;

	subscribe(listener: () => void): void {
		this.#listeners.add(listener);
	}

	/** Draws all views anew, once a frame. */
	changed(): void {
		if (this.#pending) return;
		this.#pending = true;
		requestAnimationFrame(() => {
			this.#pending = false;
			for (const listener of this.#listeners) listener();
		});
	}
}
