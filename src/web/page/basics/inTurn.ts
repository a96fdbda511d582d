/** What would hold up the page if it were done at once. */

/** Resolves in a task of its own: what came before it has been drawn, and what was pressed heard. */
export const nextTask = (): Promise<void> =>
	new Promise((resolve) => setTimeout(resolve));

/** Does one after the other, each as a task of its own, as long as they are wanted. */
export async function inTurn(
	wanted: () => boolean,
	steps: Iterable<() => void>,
): Promise<void> {
	for (const step of steps) {
		await nextTask();
		if (!wanted()) return;
		step();
	}
}
