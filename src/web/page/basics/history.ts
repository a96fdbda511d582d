/** One undo for several lists that each know how to go back. */
export interface Undoable {
	readonly canUndo: boolean;
	readonly canRedo: boolean;
	undo(): void;
	redo(): void;
}

export class History {
	readonly #done: Undoable[] = [];
	readonly #undone: Undoable[] = [];

	/** That list was edited. */
	did(list: Undoable): void {
		this.#done.push(list);
		this.#undone.length = 0;
	}

	get canUndo(): boolean {
		return this.#done.some((list) => list.canUndo);
	}

	get canRedo(): boolean {
		return this.#undone.some((list) => list.canRedo);
	}

	undo(): void {
		const list = lastThat(this.#done, ({ canUndo }) => canUndo);
		if (!list) return;
		this.#undone.push(list);
		list.undo();
	}

	redo(): void {
		const list = lastThat(this.#undone, ({ canRedo }) => canRedo);
		if (!list) return;
		this.#done.push(list);
		list.redo();
	}
}

/** Takes the last that still can: a list for another image has forgotten what was before. */
function lastThat(
	lists: Undoable[],
	can: (list: Undoable) => boolean,
): Undoable | undefined {
	let list = lists.pop();
	while (list && !can(list)) list = lists.pop();
	return list;
}
